//! The options, checked before anything starts.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use jiff::tz::TimeZone;
use kiungo_domain::Money;
use kiungo_domain::numbering::Market;
use kiungo_provider::{Capabilities, Terms};

use crate::bearer::Encrypter;
use crate::config::{Answers, Environment, Notification, Options, OptionsError};
use crate::market::MarketDetails;
use crate::session::Timing;

/// Options that have been checked.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The part of the URL before the operation, with a trailing slash.
    pub(crate) url: String,
    pub(crate) origin: HeaderValue,
    pub(crate) market: MarketDetails,
    /// The phone numbers of its wallets.
    pub(crate) numbers: Market,
    pub(crate) time_zone: TimeZone,
    pub(crate) short_codes: Vec<String>,
    /// Notices above it are for a person.
    pub(crate) notification_amount_max: Option<Money>,
    pub(crate) options: Options,
}

impl Settings {
    pub(crate) fn check(options: Options, terms: &Terms) -> Result<Self, OptionsError> {
        let (market, currency) = (market(&options)?, terms.currency);
        let numbers = terms.numbers.clone();
        if options.environment == Environment::OpenApi && numbers.has_test_numbers() {
            return Err(key(
                "environment",
                "is production, where `test_numbers` in [numbers] are no wallets: take them out",
            ));
        }
        if market.currency != currency.code() {
            return Err(OptionsError::Currency { provider: currency, market: market.currency });
        }
        check_short_code("service_provider_code", &options.service_provider_code)?;
        for code in &options.notification_short_codes {
            check_short_code("notification_short_codes", code)?;
        }
        check_durations(&options)?;
        if options.query_answers == Answers::Asynchronous
            && options.notification != Notification::None
        {
            return Err(key(
                "notification",
                "cannot be used with query_answers = \"asynchronous\": what confirms a notified \
                 payment is a query that is answered at once",
            ));
        }
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
        let notification_amount_max = options
            .notification_amount_max
            .as_deref()
            .map(|text| Money::parse(text, currency))
            .transpose()
            .map_err(|error| key("notification_amount_max", format!("is no amount: {error}")))?;
        let url = url(&options, &market)?;
        Ok(Self {
            url,
            origin,
            market,
            numbers,
            time_zone,
            short_codes,
            notification_amount_max,
            options,
        })
    }

    pub(crate) fn timing(&self) -> Timing {
        Timing {
            activation_delay: self.options.activation_delay,
            lifetime: self.options.session_lifetime,
            overlap: self.options.sessions_overlap,
            activation_max: self.options.activation_max.max(self.options.activation_delay),
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
            // The query states neither amount nor payer (`mpesa-openapi.md` §6).
            confirms_amounts: false,
            signs_callbacks: false,
            validates_payments: options.notification == Notification::C2bConfirmation
                && options.validates_payments,
            indexing_window: options.indexing_window,
            collect_timeout: options.collect_timeout + session,
            // Before money leaves in a new session, a question proves that it works.
            pay_out_timeout: options.pay_out_timeout + session + options.query_timeout,
        }
    }
}

/// Reads the public key of the options.
pub(crate) fn encrypter(public_key: &str) -> Result<Encrypter, OptionsError> {
    let base64: String = public_key
        .split("-----")
        .filter(|part| !part.starts_with("BEGIN ") && !part.starts_with("END "))
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
    if options.activation_max > LONGEST {
        return Err(key("activation_max", "is at most a day"));
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

const LONGEST: Duration = Duration::from_hours(24);
