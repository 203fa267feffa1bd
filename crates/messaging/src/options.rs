//! The options of the AMQP interface. Everything has a bound (rule 13), named here with its reason.

use std::collections::BTreeSet;
use std::time::Duration;

use kiungo_api::OptionsError;
use kiungo_api::{Role, Scope};
use serde::Deserialize;

/// The options of the AMQP interface, section `messaging` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MessagingOptions {
    /// The `source` of events: a URI reference, at most 200 characters. Default `kiungo`. Two
    /// installations whose events meet in one place need two.
    pub source: String,
    /// The clients that may send commands. Default none: nothing is open.
    pub clients: Vec<Client>,
    /// True if events show phone numbers in full. Default false: every user of the broker that may
    /// read a listener's queue reads them all.
    pub full_phone_numbers: bool,
    /// Bytes of a command. Default 65 536, as for a request of the API: the largest has some hundred.
    pub command_bytes_max: usize,
    /// Commands that are carried out at a time. Default 64: as many as share a commit well; more
    /// wait in the broker.
    pub commands_in_flight_max: usize,
    /// Seconds for one try to carry a command out. Default 30, as for a request of the API.
    pub command_timeout_s: u64,
    /// Seconds for which a command that is impossible for now is held and tried again, before it goes
    /// back to the broker. Default 600: well below the half hour after which the broker takes the
    /// consumer for dead.
    pub command_hold_s: u64,
    /// Events that are published together. Default 500: a few milliseconds of a broker's work.
    pub events_batch: u32,
    /// Milliseconds between two looks for events if no commit reports new ones. Default 10: another
    /// process's events are told in half of the 20 ms that are promised; a look at an empty table
    /// costs the database a fraction of a millisecond.
    pub events_poll_ms: u64,
    /// Seconds for which a process takes the work of publishing; it renews at half. Default 10: when
    /// it dies, another goes on after as long. At least 6.
    pub relay_lease_s: u64,
}

/// The end of that time in which no publishing begins any more: publishing that is under way needs
/// a moment, and the clocks of machines differ by up to a second.
pub(crate) const LEASE_MARGIN: Duration = Duration::from_secs(3);

impl Default for MessagingOptions {
    fn default() -> Self {
        Self {
            source: "kiungo".to_owned(),
            clients: Vec::new(),
            full_phone_numbers: false,
            command_bytes_max: 64 * 1024,
            commands_in_flight_max: 64,
            command_timeout_s: 30,
            command_hold_s: 600,
            events_batch: 500,
            events_poll_ms: 10,
            relay_lease_s: 10,
        }
    }
}

/// A client that may send commands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The user as which it logs in to the broker, which checks the property `user_id` of each
    /// message against it: 1 to 255 bytes.
    pub user: String,
    /// Its name: 1 to 64 of `a-z A-Z 0-9 - _ .`; shown in the journal, and the scope of idempotency
    /// keys. The holder of an API key of the same name is the same client.
    pub name: String,
    /// The rights of the client: `write` creates transfers and asks after them, `operate` gives
    /// them back and assigns suspended money.
    pub roles: BTreeSet<Role>,
    /// The part of the business that it may do it with. Default everything.
    #[serde(default)]
    pub scope: Scope,
}

impl MessagingOptions {
    /// Checks everything that can be checked before anything starts.
    ///
    /// # Errors
    /// The first option that cannot be used.
    pub fn check(&self) -> Result<(), OptionsError> {
        let bounds = [
            ("command_bytes_max", as_u64(self.command_bytes_max), 1024, 1 << 24),
            ("commands_in_flight_max", as_u64(self.commands_in_flight_max), 1, 65_535),
            ("command_timeout_s", self.command_timeout_s, 1, 300),
            ("command_hold_s", self.command_hold_s, 1, 1500),
            ("events_batch", self.events_batch.into(), 1, 1000),
            ("events_poll_ms", self.events_poll_ms, 1, 60_000),
            ("relay_lease_s", self.relay_lease_s, 2 * LEASE_MARGIN.as_secs(), 300),
        ];
        for (key, value, least, most) in bounds {
            if !(least..=most).contains(&value) {
                return error(key, format!("{value} is not between {least} and {most}"));
            }
        }
        if !is_source(&self.source) {
            let why = "a source is a URI reference: 1 to 200 visible ASCII characters";
            return error("source", why);
        }
        let mut users = BTreeSet::new();
        for (index, client) in self.clients.iter().enumerate() {
            client.check(index)?;
            if !users.insert(&client.user) {
                let why = "another client has the same user";
                return error(&format!("clients[{index}].user"), why);
            }
        }
        Ok(())
    }

    /// The client that logs in to the broker as this user.
    pub fn client(&self, user: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.user == user)
    }
}

impl Client {
    /// True if it may do this.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    fn check(&self, index: usize) -> Result<(), OptionsError> {
        let named = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if !(1..=255).contains(&self.user.len()) || self.user.chars().any(char::is_control) {
            let why = "a user is 1 to 255 bytes without control characters";
            return error(&format!("clients[{index}].user"), why);
        }
        if !(1..=64).contains(&self.name.len()) || !self.name.bytes().all(named) {
            let why = "a name is 1 to 64 of a-z, A-Z, 0-9, -, _ and .";
            return error(&format!("clients[{index}].name"), why);
        }
        if !self.has(Role::Write) && !self.has(Role::Operate) {
            let why = "a client needs at least one role that commands need: write, operate";
            return error(&format!("clients[{index}].roles"), why);
        }
        Ok(())
    }
}

/// True if a text can be a source; the exact form of a URI reference is no concern of listeners.
pub(crate) fn is_source(text: &str) -> bool {
    (1..=200).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn error<T>(key: &str, why: impl Into<String>) -> Result<T, OptionsError> {
    Err(OptionsError { key: key.to_owned(), why: why.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(change: impl FnOnce(&mut MessagingOptions)) -> String {
        let client = |user: &str| Client {
            user: user.to_owned(),
            name: "erp".to_owned(),
            roles: BTreeSet::from([Role::Write]),
            scope: Scope::default(),
        };
        let clients = vec![client("erp-1"), client("erp-2")];
        let mut options = MessagingOptions { clients, ..MessagingOptions::default() };
        assert_eq!(options.check(), Ok(()));
        change(&mut options);
        options.check().expect_err("an unusable option").key
    }

    #[test]
    fn an_unusable_option_is_named() {
        assert_eq!(failing(|o| o.source = "two words".to_owned()), "source");
        assert_eq!(failing(|o| o.relay_lease_s = 5), "relay_lease_s");
        assert_eq!(failing(|o| o.events_batch = 0), "events_batch");
        assert_eq!(failing(|o| o.clients[0].name.clear()), "clients[0].name");
        assert_eq!(failing(|o| o.clients[1].user = "erp-1".to_owned()), "clients[1].user");
        assert_eq!(
            failing(|o| o.clients[1].roles = BTreeSet::from([Role::Read])),
            "clients[1].roles"
        );
    }
}
