//! The sections about Kiungo itself. What each key means stands in `config/default.toml`.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use kiungo_api::{DigestError, Role, SecretDigest};
use kiungo_engine::{ActionKind, SharingOptions};
use kiungo_server::ApiKey;
use kiungo_server::serve::{Network, NetworkError};
use kiungo_transport::is_exposed_text;

use super::messaging::Messaging;
use super::problem::Warning;
use super::read::Section;
use super::scope;
use crate::logging::{self, Log, LogFormat};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);

/// `[server]`.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// Without a trailing slash.
    pub(crate) public_url: Option<String>,
    pub(crate) body_bytes_max: usize,
    pub(crate) request_timeout: Duration,
    pub(crate) connections: Connections,
    /// The time for which a stop is only announced: `/readyz` says no, everything else goes on.
    pub(crate) drain: Duration,
    pub(crate) shutdown_grace: Duration,
}

/// The settings of `[server]` about connections.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    pub(crate) in_all_max: usize,
    pub(crate) per_peer_max: usize,
    pub(crate) proxies: Vec<Network>,
    pub(crate) head_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) answer_timeout: Duration,
}

impl Connections {
    fn read(section: &mut Section<'_>) -> Self {
        let in_all_max = section.integer("connections_max", 64..=65_536);
        let per_peer_max = section.integer("connections_per_peer_max", 1..=65_536);
        let mut proxies = Vec::new();
        for text in section.texts("proxies") {
            match text.parse() {
                Ok(network) => proxies.push(network),
                Err(error) => section.problem("proxies", NetworkError::to_string(&error)),
            }
        }
        let mut wait = |key| section.duration(key, SECOND..=HOUR);
        Self {
            in_all_max,
            per_peer_max,
            proxies,
            head_timeout: wait("head_timeout"),
            body_timeout: wait("body_timeout"),
            idle_timeout: wait("idle_timeout"),
            answer_timeout: wait("answer_timeout"),
        }
    }
}

impl Server {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let listen = section.required("listen", "an IP address, for example \"127.0.0.1\"");
        let listen = listen.and_then(|text| {
            let wrong = |_| {
                section.problem("listen", format!("`{text}` is not an IP address without port"));
            };
            text.parse::<IpAddr>().map_err(wrong).ok()
        });
        let port = section.integer("port", 0..=65_535);
        let public_url = public_url(&mut section);
        let body_bytes_max = section.integer("body_bytes_max", 1024..=16_777_216);
        let request_timeout = section.duration("request_timeout", SECOND..=HOUR);
        let connections = Connections::read(&mut section);
        let drain = section.duration("drain", Duration::ZERO..=HOUR);
        let shutdown_grace = section.duration("shutdown_grace", SECOND..=HOUR);
        section.finish();
        let address = SocketAddr::new(listen.unwrap_or(Ipv4Addr::LOCALHOST.into()), port);
        listen.is_some().then_some(Self {
            address,
            public_url,
            body_bytes_max,
            request_timeout,
            connections,
            drain,
            shutdown_grace,
        })
    }
}

fn public_url(section: &mut Section<'_>) -> Option<String> {
    let url = section.text("public_url");
    let plaintext_allowed = section.flag("plaintext_allowed");
    let url = url.trim_end_matches('/');
    if url.is_empty() {
        return None;
    }
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let fits = host.is_some_and(|host| {
        !host.is_empty() && !host.contains(['?', '#', '@', ' ']) && host.is_ascii()
    });
    if !fits {
        let message =
            format!("`{url}` is not an address such as https://pay.example, without query or user");
        section.problem("public_url", message);
    } else if plaintext_allowed && is_exposed_text(url) {
        section.warn(Warning::new(
            "public_url_without_tls",
            format!(
                "server.public_url is `{url}`, without TLS on another machine: whoever is on the way can \
                 read the secrets of callbacks"
            ),
            "put a proxy with TLS in front",
        ));
    } else if is_exposed_text(url) {
        let message = format!(
            "`{url}` has no TLS, and the secrets of callbacks stand in their addresses: put a proxy \
             with TLS in front and write https://, or set server.plaintext_allowed = true where the \
             network in between is trusted"
        );
        section.problem("public_url", message);
    }
    Some(url.to_owned())
}

/// `[engine]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Engine {
    pub(crate) in_flight_max: usize,
    pub(crate) backlog_max: u64,
    pub(crate) due_batch: u32,
    pub(crate) poll_interval: Duration,
    pub(crate) lease: Duration,
    pub(crate) busy_wait: Duration,
    pub(crate) notice_wait_max: Duration,
    pub(crate) send_within: Duration,
    pub(crate) sharing: SharingOptions,
}

impl Engine {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let in_flight_max = section.integer("in_flight_max", 1..=65_536);
        let backlog_max = section.integer("backlog_max", 1..=100_000_000);
        let due_batch = section.integer("due_batch", 1..=100_000);
        let millis = Duration::from_millis;
        let poll_interval = section.duration("poll_interval", millis(10)..=60 * SECOND);
        let lease = section.duration("lease", 10 * SECOND..=HOUR);
        let busy_wait = section.duration("busy_wait", Duration::ZERO..=60 * SECOND);
        let notice_wait_max = section.duration("notice_wait_max", Duration::ZERO..=HOUR);
        let send_within = section.duration("send_within", SECOND..=HOUR);
        let sharing = sharing(&mut section);
        section.finish();
        Self {
            in_flight_max,
            backlog_max,
            due_batch,
            poll_interval,
            lease,
            busy_wait,
            notice_wait_max,
            send_within,
            sharing,
        }
    }
}

/// `[actions]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Actions {
    /// The actions of persons that a second person has to approve.
    pub(crate) second_person: BTreeSet<ActionKind>,
}

impl Actions {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let mut second_person = BTreeSet::new();
        for word in section.texts("second_person") {
            if let Some(kind) = ActionKind::ALL.into_iter().find(|kind| kind.as_str() == word) {
                second_person.insert(kind);
            } else {
                let known = ActionKind::ALL.map(ActionKind::as_str).join(", ");
                let message = format!("`{word}` is not an action of a person: {known}");
                section.problem("second_person", message);
            }
        }
        section.finish();
        Self { second_person }
    }

    /// The warning that what waits for a second person would wait for ever: nobody approves what was
    /// asked for under the same name.
    pub(super) fn nobody_second(&self, api: &Api, messaging: &Messaging) -> Option<Warning> {
        let keys = api.keys.iter().filter(|key| key.roles.contains(&Role::Operate));
        let clients = messaging.options.clients.iter();
        let clients = clients.filter(|client| client.roles.contains(&Role::Operate));
        let names: BTreeSet<&str> =
            keys.map(|key| key.name.as_str()).chain(clients.map(|client| &*client.name)).collect();
        let who = match names.first() {
            _ if self.second_person.is_empty() || names.len() > 1 => return None,
            Some(name) => format!("only `{name}` has the role `operate`"),
            None => "nobody has the role `operate`".to_owned(),
        };
        Some(Warning::new(
            "second_person_missing",
            format!(
                "actions.second_person asks for a second person, and {who}: what waits for an \
                 approval cannot be approved"
            ),
            "give a key of another name the role",
        ))
    }
}

/// Reads the settings of `[engine]` about work that is shared.
fn sharing(section: &mut Section<'_>) -> SharingOptions {
    SharingOptions {
        announce_again: section.duration("announce_again", SECOND..=HOUR),
        queued_again: section.duration("queued_again", SECOND..=HOUR),
        announcements_max: section.integer("announcements_max", 64..=10_000_000),
        presence: section.duration("presence", 3 * SECOND..=HOUR),
    }
}

/// `[api]`.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) keys: Vec<ApiKey>,
}

impl Api {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let keys = section.tables("keys").into_iter().filter_map(api_key).collect();
        section.finish();
        Self { keys }
    }

    /// The warning that the API is served to nobody, and that nobody sends commands either.
    pub(super) fn nobody(&self, messaging: &Messaging) -> Option<Warning> {
        (self.keys.is_empty() && messaging.options.clients.is_empty()).then(|| {
            Warning::new(
                "api_keys_missing",
                "there is no [[api.keys]], so nobody can use the API",
                "`kiungo config key` makes a key, and prints the lines that admit it",
            )
        })
    }
}

/// One entry of `[[api.keys]]`.
fn api_key(mut section: Section<'_>) -> Option<ApiKey> {
    section.show_entry();
    let name = section.required("name", "who uses the key, for example \"mobile-app\"");
    let digest = section.required("sha256", "the key's SHA-256 as 64 hexadecimal digits");
    let digest = digest.and_then(|text| {
        let wrong = |error: DigestError| section.problem("sha256", error.to_string());
        text.parse::<SecretDigest>().map_err(wrong).ok()
    });
    let mut roles = BTreeSet::new();
    for word in section.required_texts("roles", "[\"read\", \"write\"]") {
        match Role::of(&word) {
            Ok(role) => drop(roles.insert(role)),
            Err(message) => section.problem("roles", message),
        }
    }
    let scope = scope::read(&mut section);
    section.finish();
    Some(ApiKey { name: name?, digest: digest?, roles, scope })
}

/// `[log]`.
impl Log {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let format = match section.text("format").as_str() {
            "json" => LogFormat::Json,
            "text" => LogFormat::Text,
            other => {
                let message = format!("`{other}` is not one of \"text\", \"json\"");
                section.problem("format", message);
                LogFormat::Text
            }
        };
        let filter = section.required("filter", "a level, for example \"info\"");
        let filter = filter.unwrap_or_default();
        match logging::check(&filter) {
            // That nothing was read has been said.
            _ if filter.is_empty() => {}
            Ok(()) if logging::hides_warnings(&filter) => {
                section.warn(Warning::new(
                    "log_hides_warnings",
                    format!("log.filter is `{filter}`, which hides warnings"),
                    "write warn or info",
                ));
            }
            Ok(()) => {}
            Err(error) => section.problem("filter", error.to_string()),
        }
        section.finish();
        Self { format, filter }
    }
}
