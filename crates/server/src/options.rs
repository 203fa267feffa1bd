//! The options of the server. Everything has a bound (rule 13), named here with its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kiungo_api::scope::Scope;
use kiungo_api::{OptionsError, Role, SecretDigest};
use kiungo_domain::{CoreId, ProviderId};
use secrecy::{ExposeSecret, SecretString};

use crate::serve::Network;

/// The HTTP server's options, section `server` of the configuration.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "independent switches, named in a file")]
pub struct ServerOptions {
    /// Bytes of a body under `/v1`. Default 65 536: the largest request has a few hundred.
    pub api_body_bytes_max: usize,
    /// Bytes of a callback's body. Default 262 144: providers send a few thousand; a longer one is
    /// answered with 413 and is sent again.
    pub callback_body_bytes_max: usize,
    /// Bytes of a request's first line and headers together. Default 32 768: a browser sends 2 000.
    /// At least 8 192.
    pub head_bytes_max: usize,
    /// Headers of a request. Default 100, as most servers allow.
    pub header_count_max: usize,
    /// Seconds for a whole request, its body included. Default 30: a commit takes milliseconds, a
    /// balance asks a provider.
    pub request_timeout_s: u64,
    /// Seconds for a request's head once its first byte is here. Default 10: a head is one packet.
    pub head_timeout_s: u64,
    /// Seconds for each next part of a body. Default 10: a body is a few packets.
    pub body_timeout_s: u64,
    /// Seconds that a connection may be open without a request. Default 75: longer than the 60 for
    /// which proxies keep theirs, so that it is they who close.
    pub idle_timeout_s: u64,
    /// Seconds for a client to take an answer. Default 30: the longest, a page of 200 transfers, is a
    /// few hundred kilobytes.
    pub answer_timeout_s: u64,
    /// Open connections. A new connection beyond the bound closes an idle one, the longest idle
    /// first. Default 4 096: well below the usual bound on open files times two sides. At least the
    /// sum of the three bounds on requests in flight, so that there is always an idle one.
    pub connections_max: usize,
    /// Open connections of one peer that is no proxy: an IPv4 address, or an IPv6 network of 64
    /// bits. A new connection beyond the bound closes another one of the same peer. Default 256:
    /// far more than a client needs.
    pub connections_per_peer_max: usize,
    /// The networks from which reverse proxies connect. Many clients are behind each proxy, so the
    /// bound of a peer does not hold for it. Default the loopback addresses.
    pub proxies: Vec<Network>,
    /// Requests under `/v1` at a time; more are answered with 503. Default 2 048: at the engine's
    /// rate that is about a second of work.
    pub api_in_flight_max: usize,
    /// Requests of one API key's name at a time; more are answered with 429. Default 1 024: one
    /// client cannot take all the places.
    pub client_in_flight_max: usize,
    /// Callbacks at a time; more are answered with 503 and are sent again. Default 1 024: they have
    /// places of their own, so that a busy API does not keep providers out.
    pub callbacks_in_flight_max: usize,
    /// Hooks of cores at a time; more are answered with 503, and are found by the poller. Default
    /// 256: a hook waits for the core, which may be slow, and callbacks do not wait behind it.
    pub hooks_in_flight_max: usize,
    /// Seconds until a client that was turned away should try again. Default 1.
    pub retry_after_s: u64,
    /// The API keys. Default none: nothing is open.
    pub keys: Vec<ApiKey>,
    /// The secret in each provider's callback address: 16 to 128 of `A-Z a-z 0-9 - _`. A provider
    /// without one cannot call.
    pub callback_secrets: BTreeMap<ProviderId, SecretString>,
    /// The secret in each core's hook address, of the same form. A core without one cannot call.
    pub hook_secrets: BTreeMap<CoreId, SecretString>,
    /// True if `/v1/openapi.json` and `/docs` are served, without a key: they say nothing that the
    /// source does not. Default true.
    pub docs: bool,
    /// True if `/metrics` is served without a key. Default false: it tells how much money waits.
    pub metrics_open: bool,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            api_body_bytes_max: 64 * 1024,
            callback_body_bytes_max: 256 * 1024,
            head_bytes_max: 32 * 1024,
            header_count_max: 100,
            request_timeout_s: 30,
            head_timeout_s: 10,
            body_timeout_s: 10,
            idle_timeout_s: 75,
            answer_timeout_s: 30,
            connections_max: 4096,
            connections_per_peer_max: 256,
            proxies: vec![Network::LOOPBACK_V4, Network::LOOPBACK_V6],
            api_in_flight_max: 2048,
            client_in_flight_max: 1024,
            callbacks_in_flight_max: 1024,
            hooks_in_flight_max: 256,
            retry_after_s: 1,
            keys: Vec::new(),
            callback_secrets: BTreeMap::new(),
            hook_secrets: BTreeMap::new(),
            docs: true,
            metrics_open: false,
        }
    }
}

/// An API key. The key itself is known to its holder alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The name of the holder: 1 to 64 of `a-z A-Z 0-9 - _ .`; shown in the journal, and the scope
    /// of idempotency keys. Two keys with one name are one client whose key is being changed.
    pub name: String,
    /// The digest of the key.
    pub digest: SecretDigest,
    /// The rights of the key.
    pub roles: BTreeSet<Role>,
    /// The part of the business that the key may see and change.
    pub scope: Scope,
}

impl ServerOptions {
    /// Checks everything that can be checked before anything starts.
    ///
    /// # Errors
    /// The first option that cannot be used.
    pub fn check(&self) -> Result<(), OptionsError> {
        let bounds = [
            ("api_body_bytes_max", self.api_body_bytes_max, 1),
            ("callback_body_bytes_max", self.callback_body_bytes_max, 1),
            // This is hyper's own minimum; hyper panics below it.
            ("head_bytes_max", self.head_bytes_max, 8192),
            ("header_count_max", self.header_count_max, 8),
            ("connections_max", self.connections_max, self.in_flight_max()),
            ("connections_per_peer_max", self.connections_per_peer_max, 1),
            ("api_in_flight_max", self.api_in_flight_max, 1),
            ("client_in_flight_max", self.client_in_flight_max, 1),
            ("callbacks_in_flight_max", self.callbacks_in_flight_max, 1),
            ("hooks_in_flight_max", self.hooks_in_flight_max, 1),
            ("request_timeout_s", usize::try_from(self.request_timeout_s).unwrap_or(0), 1),
            ("head_timeout_s", usize::try_from(self.head_timeout_s).unwrap_or(0), 1),
            ("body_timeout_s", usize::try_from(self.body_timeout_s).unwrap_or(0), 1),
            ("idle_timeout_s", usize::try_from(self.idle_timeout_s).unwrap_or(0), 1),
            ("answer_timeout_s", usize::try_from(self.answer_timeout_s).unwrap_or(0), 1),
        ];
        // A semaphore holds no more than this; nor could a machine.
        let most = 1 << 32;
        for (key, value, least) in bounds {
            if !(least..=most).contains(&value) {
                return error(key, format!("{value} is not between {least} and {most}"));
            }
        }
        for (index, key) in self.keys.iter().enumerate() {
            key.check(index)?;
        }
        let callbacks = self.callback_secrets.iter();
        let callbacks = callbacks.map(|(id, secret)| (format!("callback_secrets.{id}"), secret));
        let hooks = self.hook_secrets.iter();
        let hooks = hooks.map(|(id, secret)| (format!("hook_secrets.{id}"), secret));
        callbacks.chain(hooks).try_for_each(|(place, secret)| {
            if is_callback_secret(secret.expose_secret()) {
                return Ok(());
            }
            error(&place, "a secret is 16 to 128 of A-Z, a-z, 0-9, - and _")
        })
    }

    /// The same options with room for this many connections: most of it for the requests in flight,
    /// which are bounded so that some connections are always left.
    #[must_use]
    pub fn sized_for(self, connections_max: usize) -> Self {
        let share = |part: usize, most: usize| (connections_max / part).clamp(1, most);
        Self {
            api_in_flight_max: share(2, self.api_in_flight_max),
            client_in_flight_max: share(4, self.client_in_flight_max),
            callbacks_in_flight_max: share(4, self.callbacks_in_flight_max),
            hooks_in_flight_max: share(16, self.hooks_in_flight_max),
            connections_max,
            ..self
        }
    }

    const fn in_flight_max(&self) -> usize {
        self.api_in_flight_max
            .saturating_add(self.callbacks_in_flight_max)
            .saturating_add(self.hooks_in_flight_max)
            .saturating_add(1)
    }

    /// The bound on each next part of a body.
    pub const fn body_timeout(&self) -> Duration {
        Duration::from_secs(self.body_timeout_s)
    }

    /// The bound on a whole request.
    pub const fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_s)
    }
}

impl ApiKey {
    /// Checks the name of a key.
    ///
    /// # Errors
    /// The form of a name, if it has another one.
    pub fn check_name(name: &str) -> Result<(), &'static str> {
        let named = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if (1..=64).contains(&name.len()) && name.bytes().all(named) {
            Ok(())
        } else {
            Err("a name is 1 to 64 of a-z, A-Z, 0-9, -, _ and .")
        }
    }

    fn check(&self, index: usize) -> Result<(), OptionsError> {
        if let Err(why) = Self::check_name(&self.name) {
            return error(&format!("keys[{index}].name"), why);
        }
        if self.roles.is_empty() {
            let why = "a key needs at least one role: read, write, operate";
            return error(&format!("keys[{index}].roles"), why);
        }
        Ok(())
    }
}

fn is_callback_secret(secret: &str) -> bool {
    (16..=128).contains(&secret.len())
        && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn error<T>(key: &str, why: impl Into<String>) -> Result<T, OptionsError> {
    Err(OptionsError { key: key.to_owned(), why: why.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ApiKey {
        ApiKey {
            name: "mfi".to_owned(),
            digest: SecretDigest::of("a long secret"),
            roles: BTreeSet::from([Role::Read]),
            scope: Scope::default(),
        }
    }

    fn failing(change: impl FnOnce(&mut ServerOptions)) -> String {
        let mut options = ServerOptions { keys: vec![key(), key()], ..ServerOptions::default() };
        assert_eq!(options.check(), Ok(()));
        change(&mut options);
        options.check().expect_err("an unusable option").key
    }

    #[test]
    fn an_unusable_option_is_named() {
        assert_eq!(failing(|o| o.keys[0].name = "a b".into()), "keys[0].name");
        assert_eq!(failing(|o| o.keys[1].roles.clear()), "keys[1].roles");
        assert_eq!(failing(|o| o.head_bytes_max = 100), "head_bytes_max");
        assert_eq!(failing(|o| o.request_timeout_s = 0), "request_timeout_s");
        assert_eq!(failing(|o| o.connections_max = 2048 + 1024 + 256), "connections_max");
        let short = ProviderId::new("mpesa-tz").unwrap();
        let key = failing(|o| {
            o.callback_secrets.insert(short, SecretString::from("short"));
        });
        assert_eq!(key, "callback_secrets.mpesa-tz");
    }

    #[test]
    fn few_connections_leave_room_beside_the_requests_in_flight() {
        for connections_max in [64, 100, 4096, 65_536] {
            let sized = ServerOptions::default().sized_for(connections_max);
            assert_eq!(sized.check(), Ok(()), "{connections_max}");
            assert_eq!(sized.connections_max, connections_max);
        }
    }
}
