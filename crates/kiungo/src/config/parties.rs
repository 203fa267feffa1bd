//! `[[cores]]` and `[[providers]]`: the two sides that money moves between.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::policy::WhenAbsent;
use kiungo_domain::{CoreId, ProviderId};
use kiungo_mapping::InquirySettings;
use kiungo_settings::{Kind, Problems, Value, duration, own};
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use super::proxy;
use super::read::{Section, quoted};
use super::requests::Requests;
use super::secret::{self, Secrets};
use super::sources::Places;

/// A core: one Fineract tenant.
#[derive(Debug, Clone)]
pub(crate) struct CoreConfig {
    pub(crate) id: CoreId,
    /// PEM certificates of an own authority.
    pub(crate) ca_file: Option<PathBuf>,
    /// The proxy for everything that is sent to it.
    pub(crate) proxy: Option<SecretString>,
    /// Lets it be reached without TLS on another machine.
    pub(crate) plaintext_allowed: bool,
    /// The adapter's own options.
    pub(crate) fineract: AdapterTable,
    pub(crate) secrets: Secrets,
    pub(crate) traffic: CoreTraffic,
    pub(crate) inquiry: InquirySettings,
    /// The requests of the core that are taken up, if any are.
    pub(crate) requests: Option<Requests>,
}

/// The limits of the traffic to a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CoreTraffic {
    pub(crate) in_flight_max: usize,
    pub(crate) per_second_max: u32,
    pub(crate) breaker_failures: u32,
    pub(crate) breaker_window: Duration,
    pub(crate) breaker_cool_down: Duration,
}

impl CoreConfig {
    pub(super) fn read(mut section: Section<'_>, places: &Arc<Places>) -> Option<Self> {
        section.show_entry();
        let id = id(&mut section, CoreId::new);
        let ca_file = section.path("ca_file");
        let proxy = proxy::read(&mut section);
        let plaintext_allowed = section.flag("plaintext_allowed");
        let has_options = section.get("fineract").is_some();
        if !has_options {
            section.problem("fineract", "is missing: [cores.fineract] with base_url".to_owned());
        }
        let fineract = AdapterTable::read(&mut section, "fineract", places);
        let secrets = Secrets::read_from(&section.table("secrets"));
        let traffic = CoreTraffic::read(section.table("traffic"));
        let inquiry = inquiry(section.table("inquiry"));
        let asked = section.get("requests").is_some();
        let requests = asked.then(|| Requests::read(section.table("requests")));
        section.finish();
        Some(Self {
            id: id?,
            ca_file,
            proxy,
            plaintext_allowed,
            fineract,
            secrets,
            traffic,
            inquiry,
            requests,
        })
    }
}

impl CoreTraffic {
    fn read(mut section: Section<'_>) -> Self {
        let (second, hour) = (Duration::from_secs(1), Duration::from_hours(1));
        let traffic = Self {
            in_flight_max: section.integer_or("in_flight_max", 1..=10_000, 16),
            per_second_max: section.integer_or("per_second_max", 1..=100_000, 200),
            breaker_failures: section.integer_or("breaker_failures", 1..=10_000, 20),
            breaker_window: section.duration_or("breaker_window", second..=hour, 30 * second),
            breaker_cool_down: section.duration_or("breaker_cool_down", second..=hour, 5 * second),
        };
        section.finish();
        traffic
    }
}

/// The same keys as `[core.inquiry]` of a mapping, which goes before these.
fn inquiry(mut section: Section<'_>) -> InquirySettings {
    let bounds = Duration::from_millis(1)..=Duration::from_hours(24 * 30);
    let mut wait = |key| {
        let wait = section.optional_duration(key, bounds.clone());
        if let Some(wait) = wait {
            section.show(key, &quoted(&duration::print(wait)));
        }
        wait
    };
    let (absent_after, case_after) = (wait("absent_after"), wait("case_after"));
    let (retry_first, retry_max) = (wait("retry_first"), wait("retry_max"));
    let refused_max = wait("refused_max");
    let ladder = section.get("ladder").is_some().then(|| {
        let waits = section.texts("ladder");
        let parse = |text: &String| duration::parse(text).ok();
        waits.iter().map(parse).collect::<Option<Vec<_>>>()
    });
    if ladder == Some(None) {
        section.problem("ladder", "must be durations, for example [\"10s\", \"1m\"]".to_owned());
    }
    let mut count = |key| {
        let given = section.get(key).is_some();
        given.then(|| section.integer(key, 0..=250))
    };
    let (absent_times, retries_before_case) = (count("absent_times"), count("retries_before_case"));
    let settings = InquirySettings {
        ladder: ladder.flatten(),
        absent_after,
        absent_times,
        when_absent: when_absent(&mut section),
        when_payout_absent: None,
        retry_first,
        retry_max,
        refused_max,
        retries_before_case,
        case_after,
    };
    for (key, message) in settings.problems() {
        section.problem(key, message);
    }
    section.finish();
    settings
}

fn when_absent(section: &mut Section<'_>) -> Option<WhenAbsent> {
    section.get("when_absent")?;
    match section.text("when_absent").as_str() {
        "resend" => Some(WhenAbsent::Resend),
        "reject" => Some(WhenAbsent::Reject),
        "case" => Some(WhenAbsent::Case),
        other => {
            let message = format!("`{other}` is not one of \"resend\", \"reject\", \"case\"");
            section.problem("when_absent", message);
            None
        }
    }
}

/// A provider.
#[derive(Debug, Clone)]
pub(crate) struct ProviderConfig {
    pub(crate) id: ProviderId,
    /// The mapping file.
    pub(crate) mapping: PathBuf,
    /// The core in which its payments are booked; `None` with one core only.
    pub(crate) core: Option<CoreId>,
    /// Part of the address that the provider calls back.
    pub(crate) callback_secret: Option<SecretString>,
    /// PEM certificates of an own authority.
    pub(crate) ca_file: Option<PathBuf>,
    /// PEM client certificate and key, for mutual TLS.
    pub(crate) identity_file: Option<PathBuf>,
    /// The proxy for everything that is sent to it.
    pub(crate) proxy: Option<SecretString>,
    /// Lets it be reached without TLS on another machine.
    pub(crate) plaintext_allowed: bool,
    pub(crate) secrets: Secrets,
}

impl ProviderConfig {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        section.show_entry();
        let id = id(&mut section, ProviderId::new);
        let mapping = section.required("mapping", "a path, for example \"mappings/mpesa-tz.toml\"");
        let mapping = mapping.map(|path| section.resolved("mapping", &path));
        let core = section.text("core");
        let core = if core.is_empty() {
            None
        } else {
            let wrong = |error: kiungo_domain::identity::IdentityError| {
                section.problem("core", error.to_string());
            };
            CoreId::new(&core).map_err(wrong).ok()
        };
        let callback_secret = secret::one(&mut section, "callback_secret", "callback_secret_file");
        if callback_secret.as_ref().is_some_and(secret::is_weak_in_an_address) {
            let message = "must be 16 to 128 of a-z, A-Z, 0-9, - and _: openssl rand -hex 24";
            section.problem("callback_secret", message.to_owned());
        }
        let (ca_file, identity_file) = (section.path("ca_file"), section.path("identity_file"));
        let proxy = proxy::read(&mut section);
        let plaintext_allowed = section.flag("plaintext_allowed");
        let secrets = Secrets::read_from(&section.table("secrets"));
        section.finish();
        let mapping = mapping?;
        let id = id?;
        Some(Self {
            id,
            mapping,
            core,
            callback_secret,
            ca_file,
            identity_file,
            proxy,
            plaintext_allowed,
            secrets,
        })
    }
}

fn id<T, E: fmt::Display>(
    section: &mut Section<'_>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Option<T> {
    let text = section.required("id", "a name of a-z, 0-9 and -")?;
    parse(&text).map_err(|error| section.problem("id", error.to_string())).ok()
}

/// A table that belongs to an adapter, kept as it stands until the adapter's own type is known.
#[derive(Debug, Clone)]
pub(crate) struct AdapterTable {
    value: Value,
    path: String,
    places: Arc<Places>,
}

impl AdapterTable {
    /// The table as the adapter's own type; the problem names the place of the key.
    pub(crate) fn read_as<T: DeserializeOwned>(&self) -> Result<T, Problems> {
        let read = own::read(self.places.texts(), &self.path, &self.value);
        read.map_err(|problem| Problems::in_order(vec![problem]))
    }

    /// A problem with the table as a whole, found by the adapter.
    pub(crate) fn problem_with(&self, message: impl fmt::Display) -> Problems {
        Problems::in_order(vec![self.places.problem(&self.path, message.to_string())])
    }

    fn read(section: &mut Section<'_>, key: &'static str, places: &Arc<Places>) -> Self {
        let (path, value) =
            (section.path_of(key), section.get(key).map(|item| item.value().clone()));
        let table = section.table(key);
        for (key, item) in table.free_entries() {
            table.show(key, &shown(key, item.value()));
        }
        let value = value.unwrap_or_else(|| Value::empty_table(0..0));
        Self { value, path, places: Arc::clone(places) }
    }
}

/// A value of an adapter's table as TOML, with anything that looks like a secret hidden.
fn shown(key: &str, value: &Value) -> String {
    let secret = ["password", "secret", "api_key", "private_key"];
    match &value.kind {
        _ if secret.iter().any(|word| key.contains(word)) => "\"***\"".to_owned(),
        Kind::Table(table) => {
            let entries = table.iter();
            let entries = entries.map(|(key, e)| format!("{key} = {}", shown(key, &e.value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        Kind::List(values) => {
            let values: Vec<_> = values.iter().map(|value| shown("", value)).collect();
            format!("[{}]", values.join(", "))
        }
        Kind::Text(text) | Kind::Variable(text) => quoted(text),
        Kind::Boolean(value) => value.to_string(),
        Kind::Integer(digits, 10) => digits.clone(),
        Kind::Integer(digits, radix) => {
            i64::from_str_radix(digits, *radix).unwrap_or(i64::MAX).to_string()
        }
        Kind::Float(number) | Kind::Date(number) => number.clone(),
    }
}
