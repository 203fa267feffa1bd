//! The `[mpesa]` table of a mapping file; [`crate::settings`] checks it.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use kiungo_domain::Currency;
use secrecy::SecretString;
use serde::Deserialize;
use thiserror::Error;

use crate::market::Market;

/// The options by which one M-Pesa market is reached. Durations are written as `"30s"`, `"200ms"`,
/// `"1h"`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Scheme and host of the API; `https://openapi.m-pesa.com` if absent.
    #[serde(default = "defaults::base_url")]
    pub base_url: String,
    /// `sandbox` (if absent) or `openapi`, which is production.
    #[serde(default)]
    pub environment: Environment,
    /// The market: `ghana`, `tanzania`, `lesotho`, `dr-congo`, `mozambique`. It decides all details
    /// of [`crate::MarketDetails`], which the keys below override one by one.
    pub market: Market,
    /// The organisation's short code, 4 to 12 letters and digits; `000000` in the sandbox.
    pub service_provider_code: String,
    /// The environment's public key as the portal shows it: base64 of a DER
    /// `SubjectPublicKeyInfo`, with or without PEM lines around it. Not a secret.
    #[serde(default)]
    pub public_key: String,
    /// The domain or IP address registered for the application; `*` (if absent) if unrestricted.
    #[serde(default = "defaults::origin")]
    pub origin: String,

    /// The time for which a new session is refused until it is live; 30 s if absent
    /// (`mpesa-openapi.md` §3).
    #[serde(default = "defaults::activation_delay", with = "friendly")]
    pub activation_delay: Duration,
    /// The age up to which a session is kept that is refused before it ever worked; 3 min if
    /// absent. The activation takes "up to 30 seconds" by the documentation, and longer on a slow
    /// day: a session that is given up too early is followed by one that is younger still.
    #[serde(default = "defaults::activation_max", with = "friendly")]
    pub activation_max: Duration,
    /// The lifetime of a session: must match what the portal says for the application, because no
    /// answer states it.
    #[serde(default = "defaults::session_lifetime", with = "friendly")]
    pub session_lifetime: Duration,
    /// True if a session stays valid when the next one is created; `true` if absent. Where it does
    /// not, there is a gap of the activation delay at each renewal.
    #[serde(default = "defaults::yes")]
    pub sessions_overlap: bool,

    /// The longest time that `getSession` may take; 30 s if absent.
    #[serde(default = "defaults::short", with = "friendly")]
    pub session_timeout: Duration,
    /// The longest time that a query may take; 30 s if absent.
    #[serde(default = "defaults::short", with = "friendly")]
    pub query_timeout: Duration,
    /// The longest time that a collection may take; 120 s if absent, because the customer is typing
    /// a PIN. A shorter wait turns successes into unknowns.
    #[serde(default = "defaults::collect", with = "friendly")]
    pub collect_timeout: Duration,
    /// The longest time that a payout or reversal may take; 90 s if absent.
    #[serde(default = "defaults::pay_out", with = "friendly")]
    pub pay_out_timeout: Duration,
    /// The time for which a query may not find a payment that was made; 10 min if absent
    /// (`mpesa-openapi.md` §6).
    #[serde(default = "defaults::indexing_window", with = "friendly")]
    pub indexing_window: Duration,

    /// Says whether the application is set up to answer at once or by callback; `synchronous` if
    /// absent. Both are understood in any case: an unexpected one is only logged.
    #[serde(default)]
    pub answers: Answers,
    /// Says whether the application's queries are answered at once or by callback; `synchronous` if
    /// absent.
    #[serde(default)]
    pub query_answers: Answers,
    /// The outcome of a payout or reversal that is answered with 401 or 403 and no code; `unknown`
    /// if absent.
    #[serde(default)]
    pub payout_turned_away: TurnedAway,
    /// The form of notifications about payments that customers start; `none` if absent.
    #[serde(default)]
    pub notification: Notification,
    /// True if the operator asks before it takes such a payment; `false` if absent.
    #[serde(default)]
    pub validates_payments: bool,
    /// The short codes that notifications may name; the service provider code if empty.
    #[serde(default)]
    pub notification_short_codes: Vec<String>,
    /// The amount (as `"500000"`) above which a notified payment is kept for a person instead of
    /// booked; no such bound if absent. The query that confirms a receipt states no amount.
    #[serde(default)]
    pub notification_amount_max: Option<String>,

    /// Overrides the market's part of the path.
    #[serde(default)]
    pub context: Option<String>,
    /// Overrides `input_Country`.
    #[serde(default)]
    pub country: Option<String>,
    /// Overrides `input_Currency`: DR Congo works in `USD` or `CDF`.
    #[serde(default)]
    pub currency: Option<String>,
    /// Overrides whether a holder's name can be asked for.
    #[serde(default)]
    pub holder_name: Option<bool>,
    /// Overrides the time zone of printed local times.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// The two environments behind one host: API key and public key differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// The portal's sandbox.
    #[default]
    Sandbox,
    /// Production.
    OpenApi,
}

impl Environment {
    /// The first segment of every path.
    pub(crate) const fn segment(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::OpenApi => "openapi",
        }
    }
}

/// The time at which an application gets its results (`mpesa-openapi.md` §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answers {
    /// With the answer to the request.
    #[default]
    Synchronous,
    /// By callback.
    Asynchronous,
}

/// The outcome for money that was to leave when the session was refused (`mpesa-openapi.md` §8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnedAway {
    /// The outcome is unknown, and is asked about.
    #[default]
    Unknown,
    /// The operation was rejected before it was routed if the gateway also refuses a mere question
    /// in the same session right afterwards; otherwise the outcome is unknown.
    NotSent,
}

/// The form of notifications about payments that customers start at the wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Notification {
    /// Not at all: the OpenAPI documents no form.
    #[default]
    None,
    /// In the form of the same platform family's C2B registration
    /// (`daraja-mpesa-kenya.md` §4.3).
    C2bConfirmation,
}

/// The secrets, which must not be printed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// The application's API key, from the portal.
    pub api_key: SecretString,
}

/// The options cannot be used: the key, and the remedy.
#[derive(Debug, Error)]
pub enum OptionsError {
    /// The public key is not there.
    #[error("`public_key` is missing: copy it from the portal, it belongs to the environment")]
    NoPublicKey,
    /// The public key is not base64.
    #[error("`public_key` is not base64: {0}")]
    PublicKeyText(#[from] base64::DecodeError),
    /// The public key cannot be used.
    #[error(
        "`public_key` is not a usable RSA key ({0}): it must be a DER SubjectPublicKeyInfo of 2048 \
         to 8192 bits (the portal's have 4096); smaller keys are refused as unsafe"
    )]
    PublicKey(String),
    /// The API key does not fit into one RSA block, or is empty.
    #[error("the API key is empty, or longer than the public key can encrypt")]
    ApiKey,
    /// The provider's currency and the market's differ.
    #[error("the provider's currency is {provider}, but the market's is {market}: set `currency`")]
    Currency {
        /// The currency of the mapping.
        provider: Currency,
        /// The currency of the market, or of its override.
        market: String,
    },
    /// Any other key.
    #[error("`{key}` {what}")]
    Key {
        /// The key.
        key: &'static str,
        /// The fault.
        what: String,
    },
}

impl OptionsError {
    /// The key that the fault is about.
    pub(crate) const fn key(&self) -> &'static str {
        match self {
            Self::NoPublicKey | Self::PublicKeyText(_) | Self::PublicKey(_) => "public_key",
            Self::ApiKey => "api_key",
            Self::Currency { .. } => "currency",
            Self::Key { key, .. } => key,
        }
    }
}

mod defaults {
    use std::time::Duration;

    pub(super) fn base_url() -> String {
        "https://openapi.m-pesa.com".to_owned()
    }

    pub(super) fn origin() -> String {
        "*".to_owned()
    }

    pub(super) const fn yes() -> bool {
        true
    }

    pub(super) const fn activation_delay() -> Duration {
        Duration::from_secs(30)
    }

    pub(super) const fn activation_max() -> Duration {
        Duration::from_mins(3)
    }

    pub(super) const fn session_lifetime() -> Duration {
        Duration::from_hours(1)
    }

    pub(super) const fn short() -> Duration {
        Duration::from_secs(30)
    }

    pub(super) const fn collect() -> Duration {
        Duration::from_mins(2)
    }

    pub(super) const fn pay_out() -> Duration {
        Duration::from_secs(90)
    }

    pub(super) const fn indexing_window() -> Duration {
        Duration::from_mins(10)
    }
}
