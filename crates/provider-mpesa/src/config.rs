//! The `[mpesa]` table of a mapping file, and what is checked before anything starts.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use jiff::tz::TimeZone;
use kiungo_domain::Currency;
use kiungo_provider::Capabilities;
use secrecy::SecretString;
use serde::Deserialize;
use thiserror::Error;

use crate::bearer::Encrypter;
use crate::market::{Market, MarketDetails, sandbox_has_number};
use crate::session::Timing;

/// How one M-Pesa market is reached. Durations are written as `"30s"`, `"200ms"`, `"1h"`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Scheme and host of the API; `https://openapi.m-pesa.com` if absent.
    #[serde(default = "defaults::base_url")]
    pub base_url: String,
    /// `sandbox` (if absent) or `openapi`, which is production.
    #[serde(default)]
    pub environment: Environment,
    /// Which market: `ghana`, `tanzania`, `lesotho`, `dr-congo`, `mozambique`. It decides all
    /// details of [`MarketDetails`], which the keys below override one by one.
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

    /// How long a new session is refused until it is live; 30 s if absent
    /// (`mpesa-openapi.md` §3.1).
    #[serde(default = "defaults::activation_delay", with = "friendly")]
    pub activation_delay: Duration,
    /// How long a session lives: must match what the portal says for the application, because no
    /// answer states it. 1 h if absent.
    #[serde(default = "defaults::session_lifetime", with = "friendly")]
    pub session_lifetime: Duration,
    /// Whether a session stays valid when the next one is created; `true` if absent. Where it does
    /// not, there is a gap of the activation delay at each renewal.
    #[serde(default = "defaults::yes")]
    pub sessions_overlap: bool,

    /// How long `getSession` may take; 30 s if absent.
    #[serde(default = "defaults::short", with = "friendly")]
    pub session_timeout: Duration,
    /// How long a query may take; 30 s if absent.
    #[serde(default = "defaults::short", with = "friendly")]
    pub query_timeout: Duration,
    /// How long a collection may take; 120 s if absent, because the customer is typing a PIN. A
    /// shorter wait turns successes into unknowns.
    #[serde(default = "defaults::collect", with = "friendly")]
    pub collect_timeout: Duration,
    /// How long a payout or reversal may take; 90 s if absent.
    #[serde(default = "defaults::pay_out", with = "friendly")]
    pub pay_out_timeout: Duration,
    /// How long a query may not find a payment that was made; 10 min if absent
    /// (`mpesa-openapi.md` §6.6).
    #[serde(default = "defaults::indexing_window", with = "friendly")]
    pub indexing_window: Duration,

    /// Whether the application is set up to answer at once or by callback; `synchronous` if absent.
    /// Both are understood in any case: an unexpected one is only logged.
    #[serde(default)]
    pub answers: Answers,
    /// In which form payments that customers start are notified; `none` if absent.
    #[serde(default)]
    pub notification: Notification,
    /// Whether the operator asks before it takes such a payment; `false` if absent.
    #[serde(default)]
    pub validates_payments: bool,
    /// The short codes that notifications may name; the service provider code if empty.
    #[serde(default)]
    pub notification_short_codes: Vec<String>,

    /// Overrides the market's part of the path.
    #[serde(default)]
    pub context: Option<String>,
    /// Overrides `input_Country`.
    #[serde(default)]
    pub country: Option<String>,
    /// Overrides `input_Currency`: DR Congo works in `USD` or `CDF`.
    #[serde(default)]
    pub currency: Option<String>,
    /// Overrides the country code of the market's numbers.
    #[serde(default)]
    pub dial_code: Option<String>,
    /// Overrides how many digits a number may have.
    #[serde(default)]
    pub msisdn_digits: Option<Vec<usize>>,
    /// Overrides whether a holder's name can be asked for.
    #[serde(default)]
    pub holder_name: Option<bool>,
    /// Overrides the time zone of printed local times.
    #[serde(default)]
    pub time_zone: Option<String>,
}

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;

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
    const fn segment(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::OpenApi => "openapi",
        }
    }
}

/// When an application gets its results (`mpesa-openapi.md` §6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answers {
    /// With the answer to the request.
    #[default]
    Synchronous,
    /// By callback.
    Asynchronous,
}

/// In which form payments that customers start at the wallet are notified.
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

/// What must not be printed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// The application's API key, from the portal.
    pub api_key: SecretString,
}

/// The options cannot be used: which key, and what to do.
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
        /// What the mapping says.
        provider: Currency,
        /// What the market or its override says.
        market: String,
    },
    /// Any other key.
    #[error("`{key}` {what}")]
    Key {
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        what: String,
    },
}

/// Options that have been checked.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Everything of the URL before the operation, with a trailing slash.
    pub(crate) url: String,
    pub(crate) origin: HeaderValue,
    pub(crate) market: MarketDetails,
    pub(crate) time_zone: TimeZone,
    pub(crate) short_codes: Vec<String>,
    pub(crate) options: Options,
}

impl Settings {
    pub(crate) fn check(options: Options, currency: Currency) -> Result<Self, OptionsError> {
        let market = market(&options)?;
        if market.currency != currency.code() {
            return Err(OptionsError::Currency { provider: currency, market: market.currency });
        }
        check_short_code("service_provider_code", &options.service_provider_code)?;
        for code in &options.notification_short_codes {
            check_short_code("notification_short_codes", code)?;
        }
        check_durations(&options)?;
        let origin = HeaderValue::from_str(&options.origin)
            .ok()
            .filter(|origin| !origin.is_empty())
            .ok_or_else(|| key("origin", "is not the value of a header; `*` if unrestricted"))?;
        let time_zone = TimeZone::get(&market.time_zone)
            .map_err(|error| key("time_zone", format!("is not known: {error}")))?;
        let short_codes = if options.notification_short_codes.is_empty() {
            vec![options.service_provider_code.clone()]
        } else {
            options.notification_short_codes.clone()
        };
        let url = url(&options, &market)?;
        Ok(Self { url, origin, market, time_zone, short_codes, options })
    }

    /// Whether a wallet can be sent to; if not, why.
    pub(crate) fn refuses_number(&self, digits: &str) -> Option<String> {
        let fits = match self.options.environment {
            Environment::Sandbox => sandbox_has_number(digits),
            Environment::OpenApi => self.market.has_number(digits),
        };
        (!fits).then(|| {
            format!(
                "a number of this market starts with {} and has {:?} digits",
                self.market.dial_code, self.market.msisdn_digits
            )
        })
    }

    pub(crate) fn timing(&self) -> Timing {
        Timing {
            activation_delay: self.options.activation_delay,
            lifetime: self.options.session_lifetime,
            overlap: self.options.sessions_overlap,
        }
    }

    /// A call may first have to wait for a session: the limits say so, or a caller would give up a
    /// payment that is about to be sent.
    pub(crate) fn capabilities(&self) -> Capabilities {
        let options = &self.options;
        let session = options.session_timeout + options.activation_delay;
        Capabilities {
            // A repeated id is answered with INS-10, but for how long is not documented
            // (`mpesa-openapi.md` §9): nothing to build a second sending on.
            resend_is_idempotent: false,
            inquires_by_reference: true,
            confirms_payments: true,
            signs_callbacks: false,
            validates_payments: options.notification == Notification::C2bConfirmation
                && options.validates_payments,
            indexing_window: options.indexing_window,
            collect_timeout: options.collect_timeout + session,
            pay_out_timeout: options.pay_out_timeout + session,
        }
    }
}

/// Reads the public key of the options.
pub(crate) fn encrypter(public_key: &str) -> Result<Encrypter, OptionsError> {
    let base64: String = public_key
        .lines()
        .filter(|line| !line.trim_start().starts_with("-----"))
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace())
        .collect();
    if base64.is_empty() {
        return Err(OptionsError::NoPublicKey);
    }
    Encrypter::from_spki(&STANDARD.decode(base64)?).map_err(OptionsError::PublicKey)
}

fn key(key: &'static str, what: impl Into<String>) -> OptionsError {
    OptionsError::Key { key, what: what.into() }
}

fn market(options: &Options) -> Result<MarketDetails, OptionsError> {
    let known = options.market.details();
    let market = MarketDetails {
        context: options.context.clone().unwrap_or(known.context),
        country: options.country.clone().unwrap_or(known.country),
        currency: options.currency.clone().unwrap_or(known.currency),
        dial_code: options.dial_code.clone().unwrap_or(known.dial_code),
        msisdn_digits: options.msisdn_digits.clone().unwrap_or(known.msisdn_digits),
        holder_name: options.holder_name.unwrap_or(known.holder_name),
        time_zone: options.time_zone.clone().unwrap_or(known.time_zone),
    };
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
    if !plain(&market.context) {
        return Err(key("context", "is one part of a path: letters and digits"));
    }
    if !plain(&market.country) {
        return Err(key("country", "is letters, for example TZN"));
    }
    if !market.dial_code.bytes().all(|b| b.is_ascii_digit()) {
        return Err(key("dial_code", "is digits, for example 255"));
    }
    if market.msisdn_digits.is_empty() || market.msisdn_digits.iter().any(|n| !(6..=15).contains(n))
    {
        return Err(key("msisdn_digits", "is a list of lengths between 6 and 15"));
    }
    Ok(market)
}

fn url(options: &Options, market: &MarketDetails) -> Result<String, OptionsError> {
    let base = options.base_url.trim_end_matches('/');
    let uri: http::Uri =
        base.parse().map_err(|error| key("base_url", format!("is not a URL: {error}")))?;
    let web = matches!(uri.scheme_str(), Some("http" | "https"));
    if !web || uri.host().is_none_or(str::is_empty) || uri.query().is_some() {
        return Err(key("base_url", "is http or https, a host, and no query"));
    }
    Ok(format!("{base}/{}/ipg/v2/{}/", options.environment.segment(), market.context))
}

/// `mpesa-openapi.md` §5: `^([0-9A-Za-z]{4,12})$`.
fn check_short_code(name: &'static str, code: &str) -> Result<(), OptionsError> {
    let fits =
        (4..=12).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits { Ok(()) } else { Err(key(name, "is 4 to 12 letters and digits")) }
}

fn check_durations(options: &Options) -> Result<(), OptionsError> {
    for (name, value) in [
        ("session_timeout", options.session_timeout),
        ("query_timeout", options.query_timeout),
        ("collect_timeout", options.collect_timeout),
        ("pay_out_timeout", options.pay_out_timeout),
    ] {
        if value.is_zero() || value > LONGEST {
            return Err(key(name, "is more than nothing and at most a day"));
        }
    }
    if options.activation_delay > LONGEST || options.indexing_window > LONGEST * 30 {
        return Err(key("activation_delay", "and `indexing_window` are at most a day and a month"));
    }
    if options.session_lifetime <= options.activation_delay * 2 {
        return Err(key(
            "session_lifetime",
            "must be more than twice the activation delay, or no session is of use",
        ));
    }
    if options.session_lifetime > LONGEST * 365 {
        return Err(key("session_lifetime", "is at most a year"));
    }
    Ok(())
}

const LONGEST: Duration = Duration::from_secs(24 * 3600);

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

    pub(super) const fn session_lifetime() -> Duration {
        Duration::from_secs(3600)
    }

    pub(super) const fn short() -> Duration {
        Duration::from_secs(30)
    }

    pub(super) const fn collect() -> Duration {
        Duration::from_secs(120)
    }

    pub(super) const fn pay_out() -> Duration {
        Duration::from_secs(90)
    }

    pub(super) const fn indexing_window() -> Duration {
        Duration::from_secs(600)
    }
}
