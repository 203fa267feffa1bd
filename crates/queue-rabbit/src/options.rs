//! The address of the broker, and the bounds.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use lapin::tcp::{OwnedIdentity, OwnedTLSConfig};
use lapin::uri::{AMQPScheme, AMQPUri};
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;

/// The longest time that a connection may take.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// The mistake in an address. The address is not repeated, because it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not an address of a broker.
    #[error("is neither amqp://USER@HOST:5672/VHOST nor amqps://USER@HOST:5671/VHOST")]
    Unreadable,
    /// A query.
    #[error("takes no parameters: they are settings of [queue]")]
    Parameters,
    /// A host that the client would misread.
    #[error("names an IPv6 address: give the host a name")]
    Ipv6,
}

/// A broker, with every bound.
#[derive(Clone)]
pub struct RabbitOptions {
    address: AMQPUri,
    has_password: bool,
    /// The prefix of the names of all exchanges and queues.
    pub prefix: String,
    /// The number of shards: more than the workers that will ever share the work, so that the work
    /// spreads evenly; each shard costs the broker a queue. All processes must have the same
    /// number.
    pub shards: u16,
    /// Messages of a shard that a worker holds unacknowledged: enough that none is waited for, few
    /// enough that another takes over quickly.
    pub prefetch: u16,
    /// Commands that a process holds unsettled.
    pub commands_prefetch: u16,
    /// The interval at which both sides say that they live: a peer that is silent for twice that is
    /// gone.
    pub heartbeat: Duration,
    /// Returns after which a message is given up: more than a bad day's restarts.
    pub delivery_limit: u32,
    /// The longest time that a confirmation may take, with the wait for a connection.
    pub confirm_timeout: Duration,
    /// The largest number of works that are published at once: some milliseconds for the broker.
    pub batch_max: usize,
    /// The largest number of callers that wait to announce; further ones wait for a place.
    pub queue_max: usize,
    /// True if the topology is declared on each connection.
    pub declares: bool,
    /// Certificates (PEM) of a private authority, trusted beside the system's.
    pub ca: Option<String>,
    /// A client certificate and its key (PEM), for mutual TLS.
    pub identity: Option<SecretString>,
}

impl RabbitOptions {
    /// Reads `amqp(s)://user:password@host:port/vhost`. Without a user, `guest`; without a virtual
    /// host, `/`.
    pub fn new(url: &str) -> Result<Self, AddressError> {
        if url.contains(['?', '#']) {
            return Err(AddressError::Parameters);
        }
        let (_, rest) = url.split_once("://").ok_or(AddressError::Unreadable)?;
        let authority = rest.split('/').next().unwrap_or_default();
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        if host.starts_with('[') {
            return Err(AddressError::Ipv6);
        }
        let mut address: AMQPUri = url.parse().map_err(|_| AddressError::Unreadable)?;
        if host.is_empty() || address.authority.host.is_empty() {
            return Err(AddressError::Unreadable);
        }
        if address.vhost.is_empty() {
            "/".clone_into(&mut address.vhost);
        }
        Ok(Self {
            address,
            has_password: user.is_empty() || user.contains(':'),
            prefix: "kiungo".to_owned(),
            shards: 16,
            prefetch: 64,
            commands_prefetch: 64,
            heartbeat: Duration::from_secs(5),
            delivery_limit: 20,
            confirm_timeout: Duration::from_secs(10),
            batch_max: 4_096,
            queue_max: 1_024,
            declares: true,
            ca: None,
            identity: None,
        })
    }

    /// The password of an address without one.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        password.clone_into(&mut self.address.authority.userinfo.password);
        self.has_password = true;
        self
    }

    /// True if a password is known.
    pub const fn has_password(&self) -> bool {
        self.has_password
    }

    /// True if nobody on the way can read or change the messages: the same machine, or TLS.
    pub fn is_private(&self) -> bool {
        let host = &self.address.authority.host;
        let ip = host.parse::<IpAddr>();
        self.is_encrypted() || host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    }

    /// True if TLS is used.
    pub fn is_encrypted(&self) -> bool {
        self.address.scheme == AMQPScheme::AMQPS
    }

    /// The user of the broker.
    pub fn user(&self) -> &str {
        &self.address.authority.userinfo.username
    }

    /// The broker, for people: without user and password.
    pub fn shown(&self) -> String {
        let (host, port) = (&self.address.authority.host, self.address.authority.port);
        format!("RabbitMQ at {host}:{port}, virtual host {}", self.address.vhost)
    }

    /// The address with what the client takes from it.
    pub(super) fn address(&self) -> AMQPUri {
        let mut address = self.address.clone();
        let seconds = self.heartbeat.as_secs().clamp(1, 600);
        address.query.heartbeat = Some(u16::try_from(seconds).unwrap_or(5));
        let within = CONNECT_WITHIN.as_millis();
        address.query.connection_timeout = u64::try_from(within).ok();
        address
    }

    pub(super) fn tls(&self) -> OwnedTLSConfig {
        let identity = self.identity.as_ref().map(|pem| {
            let pem = pem.expose_secret().as_bytes().to_vec();
            OwnedIdentity::PKCS8 { pem: pem.clone(), key: pem }
        });
        OwnedTLSConfig { identity, cert_chain: self.ca.clone() }
    }
}

impl fmt::Debug for RabbitOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitOptions")
            .field("address", &self.shown())
            .field("prefix", &self.prefix)
            .field("shards", &self.shards)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_never_shows_its_password() {
        let options = RabbitOptions::new("amqp://k:sesame@broker.example:5673/bank").unwrap();
        assert_eq!(options.shown(), "RabbitMQ at broker.example:5673, virtual host bank");
        assert_eq!((options.user(), options.has_password()), ("k", true));
        assert!(!format!("{options:?}").contains("sesame"));
        let address = options.address();
        assert_eq!(address.authority.userinfo.password, "sesame");
        assert_eq!(address.query.heartbeat, Some(5));
    }

    #[test]
    fn a_password_may_come_apart() {
        let options = RabbitOptions::new("amqp://k@localhost").unwrap();
        assert!(!options.has_password());
        let options = options.password("sesame");
        assert!(options.has_password());
        assert_eq!(options.address().authority.userinfo.password, "sesame");
        assert_eq!(options.address().vhost, "/");
        assert_eq!(RabbitOptions::new("amqp://localhost/").unwrap().address().vhost, "/");
        assert_eq!(RabbitOptions::new("amqp://localhost/%2f").unwrap().address().vhost, "/");
    }

    #[test]
    fn an_unencrypted_connection_to_another_machine_is_not_private() {
        let private = |url| RabbitOptions::new(url).unwrap().is_private();
        assert!(private("amqp://localhost") && private("amqp://127.0.0.1:1/x"));
        assert!(private("amqps://broker.example"));
        assert!(!private("amqp://broker.example") && !private("amqp://10.0.0.7"));
        assert!(!private("amqp://localhost.example"));
    }

    #[test]
    fn an_address_that_is_none_is_refused_without_repeating_it() {
        for (url, why) in [
            ("postgres://k:sesame@h/d", AddressError::Unreadable),
            ("sesame", AddressError::Unreadable),
            ("amqp://k:sesame@h:port/v", AddressError::Unreadable),
            ("amqp://k:sesame@/v", AddressError::Unreadable),
            ("amqp://k:sesame@h/v?heartbeat=1", AddressError::Parameters),
            // The client would take it for the own machine.
            ("amqp://k:sesame@[fd00::1]/v", AddressError::Ipv6),
        ] {
            let error = RabbitOptions::new(url).unwrap_err();
            assert_eq!(error, why);
            assert!(!error.to_string().contains("sesame"));
        }
    }
}
