//! How a `PostgreSQL` store is opened.

use std::fmt;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use crate::sql::OpenError;

/// Where the database is, and its bounds.
#[derive(Clone)]
pub struct PostgresOptions {
    /// Host, user, password, name; shown without the password.
    pub(super) address: PgConnectOptions,
    /// How many requests share a transaction at most. By default 512: past that a transaction
    /// gains little, and its callers wait longer.
    pub batch_max: usize,
    /// How many requests wait for the committer at most; further callers wait for a place. By
    /// default 4,096: eight full batches, a fraction of a second of work, a few megabytes.
    pub queue_max: usize,
    /// How many queries run at the same time at most. By default 4, so that with its writing
    /// connection a process has five of the 100 that a server usually allows.
    pub readers_max: u32,
}

impl PostgresOptions {
    /// The defaults for a database at `url`: `postgres://user:password@host:5432/name`, and behind a
    /// question mark the usual parameters, such as `sslmode=verify-full&sslrootcert=ca.pem`. What
    /// the address leaves open is taken from the usual `PG…` variables and the password file.
    pub fn new(url: &str) -> Result<Self, OpenError> {
        let unreadable = |message: String| OpenError::Address { message };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(unreadable("it does not begin with postgres://".to_owned()));
        }
        let address = PgConnectOptions::from_str(url);
        let address = address.map_err(|error| unreadable(error.to_string()))?;
        Ok(Self { address, batch_max: 512, queue_max: 4_096, readers_max: 4 })
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
    fn an_address_that_cannot_be_read_is_not_repeated() {
        for url in ["", "sqlite://x", "postgres://a:sesame@h:port/x", "postgres://a:sesame@h:99999"]
        {
            let error = PostgresOptions::new(url).unwrap_err();
            assert!(matches!(error, OpenError::Address { .. }), "{url}");
            assert!(!error.to_string().contains("sesame"), "{error}");
        }
    }
}
