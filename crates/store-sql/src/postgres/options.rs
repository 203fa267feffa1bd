//! The options with which a `PostgreSQL` store is opened.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::sql::OpenError;

/// The address of the database, and its bounds.
#[derive(Clone)]
pub struct PostgresOptions {
    /// Host, user, password, name; shown without the password.
    pub(super) address: PgConnectOptions,
    /// The largest number of requests that share a transaction. By default 512: past that a
    /// transaction gains little, and its callers wait longer.
    pub batch_max: usize,
    /// The largest number of requests that wait for the committer; further callers wait for a
    /// place. By default 4,096: eight full batches, a fraction of a second of work, a few
    /// megabytes.
    pub queue_max: usize,
    /// The largest number of queries that run at the same time. By default 4, so that with its
    /// writing connection a process has five of the 100 that a server usually allows.
    pub readers_max: u32,
    /// True if no other process may have it open in this way, or with an outbox, at the same time.
    /// By default not.
    pub exclusive: bool,
    /// True if events are written to the outbox. By default not: without a process that
    /// publishes them, it would only grow.
    pub outbox: bool,
}

impl PostgresOptions {
    /// The defaults for a database at `url`: `postgres://user:password@host:5432/name`, and behind
    /// a question mark the usual parameters, such as `sslmode=verify-full&sslrootcert=ca.pem`.
    /// Parts that the address leaves open are taken from the usual `PG…` variables and the password
    /// file.
    pub fn new(url: &str) -> Result<Self, OpenError> {
        let unreadable = |message: String| OpenError::Address { message };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(unreadable("it does not begin with postgres://".to_owned()));
        }
        let address = PgConnectOptions::from_str(url);
        let address = address.map_err(|error| unreadable(error.to_string()))?;
        let (batch_max, queue_max, readers_max) = (512, 4_096, 4);
        Ok(Self { address, batch_max, queue_max, readers_max, exclusive: false, outbox: false })
    }

    /// Logs in with this password, whatever the address holds.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.address = self.address.password(password);
        self
    }

    /// True if nobody on the way to the server can read along or pose as the server: it is on this
    /// machine, or proves by a certificate that it is the one that the address names.
    pub fn is_private(&self) -> bool {
        let host = self.address.get_host();
        let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
        self.address.get_socket().is_some()
            || host.starts_with('/')
            || host == "localhost"
            || ip.is_ok_and(|ip| ip.is_loopback())
            || matches!(self.address.get_ssl_mode(), PgSslMode::VerifyFull)
    }

    /// The database, for people: without user and password.
    pub fn shown(&self) -> String {
        let name = self.address.get_database().unwrap_or(self.address.get_username());
        if let Some(socket) = self.address.get_socket() {
            return format!("PostgreSQL database {name} at {}", socket.display());
        }
        let (host, port) = (self.address.get_host(), self.address.get_port());
        format!("PostgreSQL database {name} at {host}:{port}")
    }
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("address", &self.shown())
            .field("batch_max", &self.batch_max)
            .field("queue_max", &self.queue_max)
            .field("readers_max", &self.readers_max)
            .field("exclusive", &self.exclusive)
            .field("outbox", &self.outbox)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_never_shown() {
        let url = "postgres://kiungo:sesame@db.example:6432/bank?sslmode=require";
        let options = PostgresOptions::new(url).unwrap();
        assert_eq!(options.shown(), "PostgreSQL database bank at db.example:6432");
        let debug = format!("{options:?}");
        assert!(!debug.contains("sesame") && debug.contains("db.example"), "{debug}");
    }

    #[test]
    fn only_this_machine_and_a_verified_server_are_private() {
        let is_private = |url: &str| PostgresOptions::new(url).unwrap().is_private();
        for url in [
            "postgres://localhost/x",
            "postgres://127.0.0.1/x",
            "postgres://[::1]:5432/x",
            "postgres:///x?host=/run/postgresql",
            "postgres://%2Frun%2Fpostgresql/x",
            "postgres://db.example/x?sslmode=verify-full",
        ] {
            assert!(is_private(url), "{url}");
        }
        for url in [
            "postgres://db.example/x",
            "postgres://192.0.2.1/x",
            "postgres://localhost.example/x",
            "postgres://localhost/x?host=db.example",
            "postgres://db.example/x?sslmode=require",
            "postgres://db.example/x?sslmode=verify-ca",
        ] {
            assert!(!is_private(url), "{url}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_read_is_not_repeated() {
        for url in ["", "sqlite://x", "postgres://a:sesame@h:port/x", "postgres://a:sesame@h:99999"]
        {
            let error = PostgresOptions::new(url).unwrap_err();
            assert!(matches!(error, OpenError::Address { .. }), "{url}");
            assert!(!error.to_string().contains("sesame"), "{error}");
        }
    }
}
