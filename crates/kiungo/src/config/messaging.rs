//! `[messaging]`. What each key means stands in `config/default.toml`.

use std::time::Duration;

use kiungo_api::Role;
use kiungo_messaging::{Client, MessagingOptions};

use super::read::Section;
use super::scope;

/// `[messaging]`.
#[derive(Debug, Clone)]
pub(crate) struct Messaging {
    pub(crate) options: MessagingOptions,
}

impl Messaging {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let (millisecond, second) = (Duration::from_millis(1), Duration::from_secs(1));
        let source = section.text("source");
        let clients = section.tables("clients").into_iter().filter_map(client).collect();
        let options = MessagingOptions {
            source,
            clients,
            full_phone_numbers: section.flag("full_phone_numbers"),
            command_bytes_max: section.integer("command_bytes_max", 1024..=1 << 24),
            commands_in_flight_max: section.integer("commands_in_flight_max", 1..=65_535),
            command_timeout_s: section.duration("command_timeout", second..=300 * second).as_secs(),
            command_hold_s: section.duration("command_hold", second..=1_500 * second).as_secs(),
            events_batch: section.integer("events_batch", 1..=1_000),
            events_poll_ms: millis(section.duration("events_poll", millisecond..=60 * second)),
            relay_lease_s: section.duration("relay_lease", 6 * second..=300 * second).as_secs(),
        };
        if let Err(error) = options.check() {
            section.problem("source", error.to_string());
        }
        section.finish();
        Self { options }
    }
}

fn client(mut section: Section<'_>) -> Option<Client> {
    section.show_entry();
    let user = section.required("user", "the user as which the client logs in to the broker");
    let name = section.required("name", "who it is, for example \"core-banking\"");
    let mut roles = std::collections::BTreeSet::new();
    for word in section.required_texts("roles", "[\"write\"]") {
        match word.as_str() {
            "write" => drop(roles.insert(Role::Write)),
            "operate" => drop(roles.insert(Role::Operate)),
            _ => section.problem("roles", format!("`{word}` is not one of \"write\", \"operate\"")),
        }
    }
    let scope = scope::read(&mut section);
    section.finish();
    // Without a role it has been complained of.
    let has_role = !roles.is_empty();
    let client = Client { user: user?, name: name?, roles, scope };
    has_role.then_some(client)
}

fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}
