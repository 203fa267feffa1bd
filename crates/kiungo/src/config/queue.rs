//! `[queue]`. What each key means stands in `config/default.toml`.

use std::path::Path;
use std::time::Duration;

use kiungo_queue_rabbit::AddressError;
use kiungo_queue_rabbit::RabbitOptions;
use secrecy::ExposeSecret as _;

use super::read::Section;
use super::{database, secret};
use crate::failure::Failure;

const EMBEDDED: &str = "embedded";

/// The longest file of certificates that is read: hundreds of them.
const CA_BYTES_MAX: u64 = 1_048_576;

/// `[queue]`.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) address: QueueAddress,
    /// File, line and key of the address, for messages.
    place: String,
}

/// The address of the queue. Never shows a password.
#[derive(Debug, Clone)]
pub(crate) enum QueueAddress {
    /// In the one process.
    Embedded,
    /// In a broker.
    Rabbit(Box<RabbitOptions>),
}

impl Queue {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let url = database::url(&mut section, "\"embedded\"");
        let settings = Settings::read(&mut section);
        let queue = url.and_then(|(key, url)| {
            let place = format!("{}: queue.{key}", section.place(key));
            if url.expose_secret() == EMBEDDED {
                if settings.password.is_some() {
                    section.problem("password", "the embedded queue has no password".to_owned());
                }
                return Some(Self { address: QueueAddress::Embedded, place });
            }
            let options = RabbitOptions::new(url.expose_secret());
            let wrong = |why: AddressError| {
                let embedded = match why {
                    AddressError::Unreadable => "is not \"embedded\", and ",
                    _ => "",
                };
                section.problem(key, format!("{embedded}{why}"));
            };
            let own_password = database::has_own_password(&section, key, &url);
            let options = settings.apply(options.map_err(wrong).ok()?, own_password);
            if !options.has_password() {
                let message = format!("is missing: {} wants one", options.user());
                section.problem("password", message);
            }
            if !settings.unverified_allowed && !options.is_private() {
                section.problem(key, UNENCRYPTED.to_owned());
            }
            if !options.is_encrypted() && (options.ca.is_some() || options.identity.is_some()) {
                let message = "there is no TLS to use ca_file and identity_file with: amqps://";
                section.problem(key, message.to_owned());
            }
            Some(Self { address: QueueAddress::Rabbit(Box::new(options)), place })
        });
        section.finish();
        queue
    }

    /// The broker; a failure if there is none.
    pub(crate) fn rabbit(&self) -> Result<RabbitOptions, Failure> {
        match &self.address {
            QueueAddress::Rabbit(options) => Ok(options.as_ref().clone()),
            QueueAddress::Embedded => Err(Failure::Usage(format!(
                "{}: the queue is embedded; this is about a RabbitMQ broker",
                self.place
            ))),
        }
    }

    /// A failure of the queue, with the place of its address.
    pub(crate) fn failure(&self, why: &dyn std::fmt::Display) -> Failure {
        Failure::failed(format!("{}: {why}", self.place))
    }
}

const UNENCRYPTED: &str = "the broker is on another machine and is reached without TLS, so that \
    others on the way could read and change what is said: use amqps://, or set \
    queue.unverified_allowed = true where the network in between is trusted";

/// The settings of `[queue]` other than the address.
struct Settings {
    password: Option<secrecy::SecretString>,
    unverified_allowed: bool,
    ca: Option<String>,
    identity: Option<secrecy::SecretString>,
    prefix: String,
    shards: u16,
    prefetch: u16,
    commands_prefetch: u16,
    heartbeat: Duration,
    delivery_limit: u32,
    confirm_timeout: Duration,
    batch_max: usize,
    queue_max: usize,
}

impl Settings {
    fn read(section: &mut Section<'_>) -> Self {
        let second = Duration::from_secs(1);
        let password = secret::one(section, "password", "password_file");
        let unverified_allowed = section.flag("unverified_allowed");
        let ca_file = section.path("ca_file");
        let identity_file = section.text("identity_file");
        Self {
            password,
            unverified_allowed,
            ca: ca_file.and_then(|path| certificates(section, &path)),
            identity: (!identity_file.is_empty())
                .then(|| secret::from_file(section, "identity_file", &identity_file))
                .flatten(),
            prefix: prefix(section),
            shards: section.integer("shards", 1..=1_024),
            prefetch: section.integer("prefetch", 1..=10_000),
            commands_prefetch: section.integer("commands_prefetch", 1..=10_000),
            heartbeat: section.duration("heartbeat", second..=60 * second),
            delivery_limit: section.integer("delivery_limit", 1..=1_000),
            confirm_timeout: section.duration("confirm_timeout", second..=60 * second),
            batch_max: section.integer("batch_max", 1..=65_536),
            queue_max: section.integer("queue_max", 16..=1_000_000),
        }
    }

    /// The options with these settings; with `own_password` that of the address stays.
    fn apply(&self, mut options: RabbitOptions, own_password: bool) -> RabbitOptions {
        if let Some(password) = self.password.as_ref().filter(|_| !own_password) {
            options = options.password(password.expose_secret());
        }
        options.prefix.clone_from(&self.prefix);
        options.shards = self.shards;
        options.prefetch = self.prefetch;
        options.commands_prefetch = self.commands_prefetch;
        options.heartbeat = self.heartbeat;
        options.delivery_limit = self.delivery_limit;
        options.confirm_timeout = self.confirm_timeout;
        (options.batch_max, options.queue_max) = (self.batch_max, self.queue_max);
        options.ca.clone_from(&self.ca);
        options.identity.clone_from(&self.identity);
        options
    }
}

fn prefix(section: &mut Section<'_>) -> String {
    let prefix = section.required("prefix", "\"kiungo\"").unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if prefix.len() > 64 || !prefix.chars().all(fits) {
        section.problem("prefix", "must be up to 64 of a-z A-Z 0-9 - _ .".to_owned());
    }
    prefix
}

fn certificates(section: &Section<'_>, path: &Path) -> Option<String> {
    let unreadable = |why: String| {
        section.problem("ca_file", format!("`{}` cannot be read: {why}", path.display()));
    };
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.len() > CA_BYTES_MAX => {
            unreadable(format!("it is longer than {CA_BYTES_MAX} bytes"));
            return None;
        }
        _ => {}
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string())).ok()
}
