//! The operator's options for a core, checked before anything is sent.

use std::time::Duration;

use jiff::tz::TimeZone;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::version::{FLOOR, Version};

/// The options by which one Fineract tenant is reached and used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The address of Fineract, up to its context path: `https://HOST:8443/fineract-provider`. A
    /// trailing `/` or `/api/v1` is dropped.
    pub base_url: String,
    /// The tenant, sent with every request. Default `default`.
    #[serde(default = "default_tenant")]
    pub tenant: String,
    /// The way to log in. The secrets stand in [`Secrets`].
    pub auth: Auth,
    /// The tenant's time zone, an IANA name such as `Africa/Dar_es_Salaam`. It decides the value
    /// date, cannot be asked of the core, and so has no default.
    pub time_zone: String,
    /// The core's version, `1.8` to `1.15` and later, or `auto` (the default): ask.
    #[serde(default = "default_version")]
    pub version: String,
    /// The payment type id used where the mapping gives none; savings need one (since 1.8). No
    /// default.
    #[serde(default)]
    pub payment_type: Option<u64>,
    /// The treatment of a booking whose value date is closed. Default `refuse`.
    #[serde(default)]
    pub closed_periods: ClosedPeriods,
    /// Says whether the tenant keeps a business date of its own. Default `auto`: ask.
    #[serde(default)]
    pub business_date: Switch,
    /// Says whether the tenant's commands can wait for a second person: then an inquiry that finds
    /// no posting also looks among the waiting commands. Default `auto`: ask, and look if the core
    /// will not say.
    #[serde(default)]
    pub maker_checker: Switch,
    /// The office whose closures and holidays count under `next_open_day`. Without it, the
    /// closures of all offices count, and no holidays.
    #[serde(default)]
    pub office: Option<u64>,
    /// The meaning of a matching holder, where the mapping asks for one. Default `phone`.
    #[serde(default)]
    pub holder_match: HolderMatch,
    /// True if a check also reads the account's owner, since the core refuses every posting for an
    /// inactive one; costs one more read. Default `true`.
    #[serde(default = "yes")]
    pub check_owner: bool,
    /// True if a repayment is let through to a loan that owes nothing (closed or overpaid): the
    /// core accepts it and the loan becomes overpaid. Default `false`.
    #[serde(default)]
    pub accept_overpayment: bool,
    /// The longest wait for the answer to a command, in milliseconds. Default 60,000: a posting can
    /// run the loan's whole close of business first (`fineract.md` §19).
    #[serde(default = "default_command_timeout_ms")]
    pub command_timeout_ms: u64,
    /// The longest wait for the answer to a read, in milliseconds. Default 15,000.
    #[serde(default = "default_read_timeout_ms")]
    pub read_timeout_ms: u64,
    /// The time for which a command can still be running after its answer was lost, in seconds.
    /// Default 120: twice the time after which we hang up, as the core itself knows no time limit.
    #[serde(default = "default_indexing_window_s")]
    pub indexing_window_s: u64,
    /// The number of pages of 200 postings of one kind on one account that are searched for a
    /// posting whose outcome is unknown, since it may stand on any day. Default 500: an account
    /// with more than 100,000 deposits is no customer's, and each page is a request.
    #[serde(default = "default_history_pages_max")]
    pub history_pages_max: u64,
    /// The time for which business date, closures and holidays are cached, in seconds. Default 60.
    #[serde(default = "default_calendar_refresh_s")]
    pub calendar_refresh_s: u64,
}

/// The way to log in (`fineract.md` §1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// User name and password with every request.
    Basic {
        /// The technical user, whose password should never expire.
        username: String,
    },
    /// A bearer token, fetched with client credentials.
    Oauth2 {
        /// The authorization server's token endpoint.
        token_url: String,
        /// Our client id there. The token's subject must be a user of the core.
        client_id: String,
        /// The scope to ask for, if any.
        #[serde(default)]
        scope: Option<String>,
        /// The way in which the client's secret is sent. Default `basic`.
        #[serde(default)]
        client_auth: ClientAuth,
    },
}

/// The way in which a client proves itself at the token endpoint (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// In the `Authorization` header.
    #[default]
    Basic,
    /// In the form, beside the grant.
    Body,
}

/// The treatment of a booking whose value date is closed: before a closure of the general ledger,
/// or, for loans, on a holiday or a non-working day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedPeriods {
    /// Book on the day itself and let the core refuse it.
    #[default]
    Refuse,
    /// Book on the first open day from then on; if that lies ahead, wait for it.
    NextOpenDay,
}

/// Says whether a switch of the tenant's configuration is on (`fineract.md` §18).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// Read the tenant's configuration.
    #[default]
    Auto,
    /// The switch is on.
    On,
    /// The switch is off.
    Off,
}

impl Switch {
    /// The state of the switch, given what was read; `None` if it is not known.
    pub(crate) const fn known(self, read: Option<bool>) -> Option<bool> {
        match self {
            Self::Auto => read,
            Self::On => Some(true),
            Self::Off => Some(false),
        }
    }
}

/// The meaning of a matching holder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderMatch {
    /// The owner's phone number in the core is the wallet's; an owner without one does not match.
    #[default]
    Phone,
    /// The same, but an owner whose number the core does not know passes.
    PhoneIfKnown,
}

/// The secrets, which must not be in a configuration file or a log.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Secrets {
    /// The password, for [`Auth::Basic`].
    pub password: Option<SecretString>,
    /// The client's secret, for [`Auth::Oauth2`].
    pub client_secret: Option<SecretString>,
}

/// The error in the options; names the key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OptionsError {
    /// `base_url` is not an absolute http or https address without a query.
    #[error(
        "base_url: `{0}` is not an address such as https://core.example:8443/fineract-provider"
    )]
    BaseUrl(String),
    /// `auth.token_url` is not an absolute http or https address.
    #[error("auth.token_url: `{0}` is not an http or https address")]
    TokenUrl(String),
    /// `tenant` cannot be sent as a header.
    #[error("tenant: `{0}` is empty or holds characters that a header cannot carry")]
    Tenant(String),
    /// `time_zone` is not an IANA name.
    #[error("time_zone: `{0}` is not an IANA time zone such as Africa/Dar_es_Salaam")]
    TimeZone(String),
    /// `version` is neither `auto` nor a supported version.
    #[error("version: `{0}` is neither `auto` nor a version from 1.8 on, such as 1.10")]
    Version(String),
    /// A secret that the login needs is missing or empty.
    #[error("{0}: the login needs this secret")]
    Secret(&'static str),
    /// A name of the login is empty, or holds what it cannot.
    #[error("{0}: this name is empty or cannot be sent")]
    Login(&'static str),
    /// A time of zero.
    #[error("{0}: must be more than zero")]
    Zero(&'static str),
}

/// The options, checked and ready for use.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) base_url: String,
    pub(crate) tenant: http::HeaderValue,
    pub(crate) zone: TimeZone,
    /// The version if given by hand.
    pub(crate) version: Option<Version>,
    pub(crate) command_timeout: Duration,
    pub(crate) read_timeout: Duration,
    pub(crate) options: Options,
}

impl Settings {
    pub(crate) fn new(options: Options) -> Result<Self, OptionsError> {
        let base_url = options.base_url.trim_end_matches('/');
        let base_url = base_url.strip_suffix("/api/v1").unwrap_or(base_url).to_owned();
        if !is_address(&base_url) || base_url.contains('?') {
            return Err(OptionsError::BaseUrl(options.base_url));
        }
        let Some(tenant) = header(&options.tenant) else {
            return Err(OptionsError::Tenant(options.tenant));
        };
        let Ok(zone) = TimeZone::get(&options.time_zone) else {
            return Err(OptionsError::TimeZone(options.time_zone));
        };
        let version = match (options.version.as_str(), Version::parse(&options.version)) {
            ("auto", _) => None,
            (_, Some(version)) if version >= FLOOR => Some(version),
            _ => return Err(OptionsError::Version(options.version)),
        };
        for (key, value) in [
            ("command_timeout_ms", options.command_timeout_ms),
            ("read_timeout_ms", options.read_timeout_ms),
            ("indexing_window_s", options.indexing_window_s),
            ("history_pages_max", options.history_pages_max),
        ] {
            if value == 0 {
                return Err(OptionsError::Zero(key));
            }
        }
        Ok(Self {
            base_url,
            tenant,
            zone,
            version,
            command_timeout: Duration::from_millis(options.command_timeout_ms),
            read_timeout: Duration::from_millis(options.read_timeout_ms),
            options,
        })
    }
}

pub(crate) fn is_address(text: &str) -> bool {
    text.parse::<http::Uri>()
        .is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some())
}

fn header(text: &str) -> Option<http::HeaderValue> {
    (!text.trim().is_empty()).then(|| http::HeaderValue::from_str(text).ok()).flatten()
}

fn default_tenant() -> String {
    "default".to_owned()
}

fn default_version() -> String {
    "auto".to_owned()
}

fn yes() -> bool {
    true
}

fn default_command_timeout_ms() -> u64 {
    60_000
}

fn default_read_timeout_ms() -> u64 {
    15_000
}

fn default_indexing_window_s() -> u64 {
    120
}

fn default_history_pages_max() -> u64 {
    500
}

fn default_calendar_refresh_s() -> u64 {
    60
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn options(changed: serde_json::Value) -> Result<Settings, String> {
        let mut whole = json!({
            "base_url": "https://core.example:8443/fineract-provider/api/v1/",
            "auth": {"type": "basic", "username": "kiungo"},
            "time_zone": "Africa/Dar_es_Salaam",
        });
        let (Some(whole_map), serde_json::Value::Object(changed)) =
            (whole.as_object_mut(), changed)
        else {
            panic!("objects")
        };
        whole_map.extend(changed);
        let options: Options = serde_json::from_value(whole).map_err(|e| e.to_string())?;
        Settings::new(options).map_err(|e| e.to_string())
    }

    #[test]
    fn the_least_configuration_has_documented_defaults() {
        let settings = options(json!({})).expect("good options");
        assert_eq!(settings.base_url, "https://core.example:8443/fineract-provider");
        assert_eq!(settings.tenant, "default");
        assert_eq!(settings.version, None);
        assert_eq!(settings.options.closed_periods, ClosedPeriods::Refuse);
        assert!(settings.options.check_owner && !settings.options.accept_overpayment);
        assert_eq!(settings.command_timeout.as_millis(), 60_000);
    }

    #[test]
    fn a_wrong_option_is_named() {
        for (changed, key) in [
            (json!({"base_url": "core.example"}), "base_url"),
            (json!({"base_url": "ftp://core.example"}), "base_url"),
            (json!({"base_url": "https://core.example/x?y=1"}), "base_url"),
            (json!({"tenant": " "}), "tenant"),
            (json!({"tenant": "a\nb"}), "tenant"),
            (json!({"time_zone": "Africa/Nowhere"}), "time_zone"),
            (json!({"version": "1.7"}), "version"),
            (json!({"version": "newest"}), "version"),
            (json!({"command_timeout_ms": 0}), "command_timeout_ms"),
            (json!({"colour": "blue"}), "colour"),
            (json!({"auth": {"type": "basic", "username": "k", "password": "p"}}), "password"),
            (json!({"closed_periods": "ignore"}), "ignore"),
        ] {
            let error = options(changed).expect_err(key);
            assert!(error.contains(key), "{error}");
        }
    }

    #[test]
    fn secrets_do_not_print() {
        let secrets: Secrets = serde_json::from_value(json!({"password": "hunter2"})).unwrap();
        assert!(!format!("{secrets:?}").contains("hunter2"));
    }
}
