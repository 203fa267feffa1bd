//! Options and secrets, checked before anything is sent.

use std::fmt;
use std::time::Duration;

use http::HeaderValue;
use kiungo_mapping::did_you_mean;
use kiungo_provider::{Meaning, Terms};
use secrecy::SecretString;
use serde::Deserialize;
use thiserror::Error;

use crate::map::codes;
use crate::paths::Base;

/// The `[gsma]` table of a mapping file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// The version that the provider speaks; `"1.2.0"` if absent. It decides the amount format and
    /// which fields are withheld (`gsma-mobile-money-api.md` §13).
    #[serde(default)]
    pub version: Version,
    /// The whole prefix of all resources, usually ending in `/mm`, without a trailing slash (§1).
    pub base_url: String,
    /// The way in which we authenticate; `"oauth2"` if absent.
    #[serde(default)]
    pub auth: AuthScheme,
    /// The address at which an access token is obtained; needed by `auth = "oauth2"` only.
    #[serde(default)]
    pub token_url: Option<String>,
    /// The time before its expiry at which a token is renewed, in seconds; 60 if absent. A token
    /// that lives less than twice as long is renewed at half its life.
    #[serde(default = "seconds::<60>")]
    pub token_renew_before_s: u64,
    /// The lifetime of a token that states no `expires_in`, in seconds; 300 if absent.
    #[serde(default = "seconds::<300>")]
    pub token_lifetime_default_s: u64,
    /// The organisation's own account: `creditParty` of collections, `debitParty` of payouts.
    pub account: AccountId,
    /// Other identifiers under which the provider shows the same account in its answers (§15.1).
    #[serde(default)]
    pub account_aliases: Vec<AccountId>,
    /// The resource from which the float is read; `"account"` if absent.
    #[serde(default)]
    pub balance_of: BalanceOf,
    /// The institution that holds the accounts, for providers that route by it (§2.1); both
    /// institution headers are left out if absent.
    #[serde(default)]
    pub institution: Option<Institution>,
    /// The way in which results are to arrive; `"callback"` if absent. The provider decides all the
    /// same (§4), and without a callback address it is always `"polling"`.
    #[serde(default)]
    pub answers: Answers,
    /// True if `X-Content-Hash` and `X-Date` go with every body, and the hash of a callback that
    /// carries one is checked; `true` if absent (§3, basic integrity check).
    #[serde(default = "yes")]
    pub integrity_headers: bool,
    /// The form in which phone numbers are written; `"plus"` if absent (§7.2).
    #[serde(default)]
    pub msisdn_format: MsisdnFormat,
    /// The treatment of the host of an absolute `/responses` link; `"same_host"` if absent.
    #[serde(default)]
    pub links: LinkStyle,
    /// True if the provider offers `/responses` (§4.5); `true` if absent. Without it an operation
    /// can be asked about by its handle only.
    #[serde(default = "yes")]
    pub responses: bool,
    /// True if the provider rejects a second sending of a correlation id for ever (§4.4), so that
    /// an operation it provably does not know may be sent again; `true` if absent.
    #[serde(default = "yes")]
    pub rejects_duplicates: bool,
    /// The longest wait for the answer to a collection, in seconds; 120 if absent, because a
    /// synchronous provider waits for the customer's PIN.
    #[serde(default = "seconds::<120>")]
    pub collect_timeout_s: u64,
    /// The longest wait for the answer to a payout or a reversal, in seconds; 60 if absent.
    #[serde(default = "seconds::<60>")]
    pub pay_out_timeout_s: u64,
    /// The longest wait for the answer to a read or a token request, in seconds; 20 if absent.
    #[serde(default = "seconds::<20>")]
    pub read_timeout_s: u64,
    /// The time that may pass until a query finds an operation, in seconds; 300 if absent.
    #[serde(default = "seconds::<300>")]
    pub indexing_window_s: u64,
    /// Payments that customers start at the wallet.
    #[serde(default)]
    pub payments: Payments,
}

/// Payments that customers start at the wallet: the `[gsma.payments]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Payments {
    /// True if the provider asks before it takes a payment, by reading the account's bills (§12);
    /// `false` if absent.
    pub validates: bool,
    /// True if `GET /transactions/{receipt}` finds such a payment; `true` if absent.
    pub confirms: bool,
    /// The places of the payer's account reference in a Transaction, in order of preference; custom
    /// data, then the credit party, then the description if absent.
    pub account_reference: Vec<ReferencePlace>,
    /// The key of the account reference in `customData` and `metadata`; `"accountreference"` if
    /// absent. Our own orders carry their label under it too.
    pub account_reference_key: String,
    /// The addresses at which the provider may be called back about payments that it told as
    /// requests: the beginnings of `X-Callback-URL` (§4.2). The host of `base_url` if absent; if
    /// empty, nowhere: the provider is then left to poll.
    pub callback_urls: Option<Vec<String>>,
}

impl Default for Payments {
    fn default() -> Self {
        Self {
            validates: false,
            confirms: true,
            account_reference: vec![
                ReferencePlace::CustomData,
                ReferencePlace::CreditParty,
                ReferencePlace::Description,
            ],
            account_reference_key: "accountreference".to_owned(),
            callback_urls: None,
        }
    }
}

/// A place of the account reference in a Transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferencePlace {
    /// The entry of `customData` or `metadata` under the configured key.
    CustomData,
    /// An identifier in `creditParty` that is not one of the organisation's own.
    CreditParty,
    /// The whole `descriptionText`.
    Description,
}

/// A version of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Version {
    /// 1.1.2: amounts without trailing zeros, no 1.2.0 fields.
    #[serde(rename = "1.1.2")]
    V1_1_2,
    /// 1.2.0.
    #[default]
    #[serde(rename = "1.2.0")]
    V1_2_0,
}

/// The way in which we authenticate (§3). An API key and a client id go beside it where they are
/// given; a client certificate belongs to the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthScheme {
    /// No `Authorization` header: an API key or a client certificate has to do.
    None,
    /// HTTP Basic with every request.
    Basic,
    /// OAuth 2.0 client credentials.
    #[default]
    Oauth2,
}

/// An account identifier, for example `{ type = "accountid", id = "4400" }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountId {
    /// The identifier's key, as in §8 (`accountid`, `msisdn`, `walletid`, `organisationid`, …).
    #[serde(rename = "type")]
    pub kind: String,
    /// Its value.
    pub id: String,
}

/// The resource from which the float is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BalanceOf {
    /// `/accounts/{type}/{id}/balance` of the organisation's account.
    #[default]
    Account,
    /// `/accounts/balance`: the caller's own account.
    Caller,
}

/// The institution that holds the accounts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Institution {
    /// `lei`, `swiftbic` or `organisationid`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its identifier.
    pub id: String,
}

/// The way in which results are to arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answers {
    /// Ask for a callback to a URL of its own per request.
    #[default]
    Callback,
    /// Ask for none, and poll.
    Polling,
}

/// The form of phone numbers in bodies and paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MsisdnFormat {
    /// `+26657000001`.
    #[default]
    Plus,
    /// `26657000001`.
    Digits,
}

/// The treatment of the host of an absolute `/responses` link. Credentials never go to another host
/// than the configured one, whatever is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkStyle {
    /// A link to another scheme, host or port is refused.
    #[default]
    SameHost,
    /// The host is ignored: `transactions/{id}`, `errors/{id}` or `requeststates/{id}` is taken
    /// from the end of the link and read under `base_url`, for providers behind a gateway that
    /// print their internal name.
    PathOnly,
}

/// The credentials; which are needed depends on [`Options::auth`].
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Secrets {
    /// The user of `auth = "basic"`.
    pub user: Option<SecretString>,
    /// The password of `auth = "basic"`.
    pub password: Option<SecretString>,
    /// The consumer key of `auth = "oauth2"`. With any other scheme it is sent as `X-Client-Id`.
    pub client_id: Option<SecretString>,
    /// The consumer secret of `auth = "oauth2"`.
    pub client_secret: Option<SecretString>,
    /// The value of `X-API-Key`, sent with every request if given.
    pub api_key: Option<SecretString>,
    /// The value of `X-Client-Id`, where it is not the consumer key.
    pub x_client_id: Option<SecretString>,
}

impl Secrets {
    /// The name of each.
    pub(crate) const NAMES: [&str; 6] =
        ["user", "password", "client_id", "client_secret", "api_key", "x_client_id"];

    /// Takes those of the given secrets that this API uses.
    pub(crate) fn of(given: &kiungo_provider::Secrets) -> Self {
        Self {
            user: given.get("user"),
            password: given.get("password"),
            client_id: given.get("client_id"),
            client_secret: given.get("client_secret"),
            api_key: given.get("api_key"),
            x_client_id: given.get("x_client_id"),
        }
    }
}

/// Options, secrets or tables that cannot work; the message names the key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OptionsError {
    /// Not an absolute `http` or `https` URL without query.
    Url {
        /// The key. Its value is not repeated: it may hold a password.
        key: &'static str,
    },
    /// A key that the chosen scheme needs.
    Missing {
        /// The key.
        key: &'static str,
        /// The option that needs it.
        by: &'static str,
    },
    /// A secret that the chosen scheme needs.
    NoSecret {
        /// Its name.
        name: &'static str,
        /// The option that needs it.
        by: &'static str,
    },
    /// A value that cannot be used.
    Unusable {
        /// The key.
        key: &'static str,
        /// The fault.
        why: String,
    },
    /// A secret that cannot be a header's value.
    Secret(&'static str),
    /// A code table that would lose or double money.
    Code {
        /// The table.
        table: &'static str,
        /// The code.
        code: String,
        /// The fault.
        why: &'static str,
    },
}

impl OptionsError {
    /// The keys that lead to the fault, from the root of the mapping file.
    pub(crate) fn path(&self) -> Vec<String> {
        let key = match self {
            Self::Url { key } | Self::Missing { key, .. } | Self::Unusable { key, .. } => key,
            Self::NoSecret { name, .. } | Self::Secret(name) => name,
            Self::Code { table, code, .. } => {
                return vec!["codes".to_owned(), (*table).to_owned(), code.clone()];
            }
        };
        std::iter::once("gsma").chain(key.split('.')).map(str::to_owned).collect()
    }

    /// The fault, without the key.
    pub(crate) fn fault(&self) -> String {
        match self {
            Self::Url { .. } => "not an absolute http or https URL without user and query".into(),
            Self::Missing { by, .. } | Self::NoSecret { by, .. } => format!("needed by {by}"),
            Self::Unusable { why, .. } => why.clone(),
            Self::Secret(_) => "the secret has characters that cannot be sent in a header".into(),
            Self::Code { why, .. } => (*why).to_owned(),
        }
    }
}

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path().join("."), self.fault())
    }
}

/// The keys of accounts (§8).
const ACCOUNT_KEYS: [&str; 20] = [
    "accountcategory",
    "bankaccountno",
    "accountrank",
    "identityalias",
    "iban",
    "accountid",
    "msisdn",
    "swiftbic",
    "sortcode",
    "organisationid",
    "username",
    "walletid",
    "linkref",
    "consumerno",
    "serviceprovider",
    "storeid",
    "bankname",
    "bankaccounttitle",
    "emailaddress",
    "mandatereference",
];

impl Options {
    /// Checks what serde cannot.
    pub(crate) fn check(&self) -> Result<(), OptionsError> {
        Base::new(&self.base_url).ok_or(OptionsError::Url { key: "base_url" })?;
        if self.auth == AuthScheme::Oauth2 {
            let missing = OptionsError::Missing { key: "token_url", by: "auth = \"oauth2\"" };
            let url = self.token_url.as_ref().ok_or(missing)?;
            Base::new(url).ok_or(OptionsError::Url { key: "token_url" })?;
        }
        for account in std::iter::once(&self.account).chain(&self.account_aliases) {
            let fits = |text: &str| (1..=256).contains(&text.chars().count());
            if !fits(&account.kind) || !fits(&account.id) {
                let why = "an identifier has a type and an id of 1 to 256 characters".to_owned();
                return Err(OptionsError::Unusable { key: "account", why });
            }
        }
        if !ACCOUNT_KEYS.contains(&self.account.kind.as_str()) {
            let (kind, hint) = (&self.account.kind, did_you_mean(&self.account.kind, ACCOUNT_KEYS));
            let why = format!("`{kind}` is no key of accounts in this API{hint}");
            return Err(OptionsError::Unusable { key: "account.type", why });
        }
        if let Some(institution) = &self.institution {
            let known = ["lei", "swiftbic", "organisationid"].contains(&institution.kind.as_str());
            if !known || HeaderValue::from_str(&institution.id).is_err() {
                let why = "type is lei, swiftbic or organisationid, and id is printable ASCII";
                return Err(OptionsError::Unusable { key: "institution", why: why.to_owned() });
            }
        }
        self.callers()?;
        let waits = [
            ("collect_timeout_s", self.collect_timeout_s),
            ("pay_out_timeout_s", self.pay_out_timeout_s),
            ("read_timeout_s", self.read_timeout_s),
            ("token_lifetime_default_s", self.token_lifetime_default_s),
        ];
        match waits.into_iter().find(|(_, wait)| !(1..=3600).contains(wait)) {
            Some((key, wait)) => {
                Err(OptionsError::Unusable { key, why: format!("{wait} is not 1 to 3600") })
            }
            None => Ok(()),
        }
    }

    /// The addresses at which the provider may be called back.
    pub(crate) fn callers(&self) -> Result<Vec<Base>, OptionsError> {
        let Some(urls) = &self.payments.callback_urls else {
            return Ok(Base::new(&self.base_url).map(|base| base.origin()).into_iter().collect());
        };
        let wrong = OptionsError::Url { key: "payments.callback_urls" };
        urls.iter().map(|url| Base::new(url).ok_or_else(|| wrong.clone())).collect()
    }

    pub(crate) const fn collect_timeout(&self) -> Duration {
        Duration::from_secs(self.collect_timeout_s)
    }

    pub(crate) const fn pay_out_timeout(&self) -> Duration {
        Duration::from_secs(self.pay_out_timeout_s)
    }

    pub(crate) const fn read_timeout(&self) -> Duration {
        Duration::from_secs(self.read_timeout_s)
    }
}

/// Brings the code tables into the form that [`codes::normal`] gives to a code, and refuses tables
/// that would lose or double money.
pub(crate) fn normalise(mut terms: Terms) -> Result<Terms, OptionsError> {
    for (table, lines) in terms.codes.tables_mut() {
        for (code, line) in std::mem::take(lines) {
            let refuse = |why| OptionsError::Code { table, code: code.clone(), why };
            let normal = codes::normal(&code);
            if codes::is_duplicate(&normal) && line.means != Meaning::Unknown {
                // Evidence about the first sending, which may well have been executed (§18, 1).
                return Err(refuse("a duplicate request means unknown, so that it is asked about"));
            }
            if line.means == Meaning::Completed {
                return Err(refuse("an error has no receipt and cannot mean completed"));
            }
            if lines.insert(normal, line).is_some() {
                return Err(refuse("listed twice, in different spellings"));
            }
        }
    }
    Ok(terms)
}

const fn seconds<const N: u64>() -> u64 {
    N
}

const fn yes() -> bool {
    true
}
