//! The options of this market.

use std::collections::{BTreeMap, BTreeSet};

use kiungo_domain::Currency;
use serde::Deserialize;

pub use super::conduct::Conduct;

/// All of it, with defaults; times are milliseconds, money is minor units.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools)] // They are switches, independent of each other.
pub struct Options {
    /// The first segment of every path: `sandbox` or `openapi`.
    pub environment: String,
    /// The market, by its context in the path.
    pub market: Market,
    /// The currency, where it is another than the market's: some in DR Congo work in `CDF`.
    pub currency: Option<Currency>,
    /// The organisation's short code. With `000000` and `triggers`, magic numbers act
    /// (`mpesa-openapi.md` §10).
    pub short_code: String,
    /// The application's API key.
    pub api_key: String,
    /// The size of the RSA key: 4096 as the real one, or 2048 where speed matters.
    pub key_bits: u16,
    /// The private RSA key, DER PKCS#8 in base64, so that the market has the same public key after
    /// a restart; a new one of `key_bits` in each process if absent. See [`super::new_private_key`].
    pub private_key: Option<String>,
    /// The value of `Origin` that is demanded; `None`: any, or none.
    pub origin: Option<String>,
    /// The time for which a new session is not live yet; the documentation speaks of up to 30 s.
    pub session_activation_ms: u64,
    /// The lifetime of a session.
    pub session_lifetime_ms: u64,
    /// True if a new session leaves the former ones alive.
    pub sessions_overlap: bool,
    /// Products that are switched off, by the first part of their path: `c2bPayment`.
    pub disabled: BTreeSet<String>,
    /// True if names of beneficiaries are told; `None`: as documented, in Ghana only
    /// (`mpesa-openapi.md` §1).
    pub beneficiary_names: Option<bool>,
    /// First hour of use, and the hour from which on there is none, in local time.
    pub hours: Option<(u8, u8)>,
    /// Local time, in minutes east of UTC.
    pub utc_offset_minutes: i32,
    /// The amounts that may be moved by each product: they are counted apart, as the portal sets
    /// them per API.
    pub limits: Limits,
    /// The limits of one product (`c2bPayment`), instead of `limits`.
    pub limits_of: BTreeMap<String, Limits>,
    /// True if a transaction above the limit of a single one closes the session for that product,
    /// as the other limits of the organisation do. The documentation leaves it open.
    pub single_value_closes: bool,
    /// True if numbers instead of strings, query parameters in the body of a `GET`, and `POST` for
    /// reversals are refused: published clients do all three (`mpesa-openapi.md` §13).
    pub strict: bool,
    /// True if the four direct debit products are enabled; otherwise they answer INS-997.
    pub direct_debits: bool,
    /// The form of `output_SufficientBalance`: published clients disagree.
    pub sufficient_balance: BooleanForm,
    /// True if amounts have no decimals, whatever the currency has.
    pub whole_amounts: bool,
    /// True if results come by callback (`mpesa-openapi.md` §6).
    pub asynchronous: bool,
    /// True if queries are answered by callback too, in asynchronous mode.
    pub asynchronous_queries: bool,
    /// The time that carrying an operation out takes: the customer and his PIN.
    pub delay_ms: u64,
    /// The address to which results are sent.
    pub response_url: Option<String>,
    /// The code of success in callbacks: `INS-0`, or `0` as in some markets
    /// (`mpesa-openapi.md` §7).
    pub success_code: String,
    /// The number of times that a callback is tried until it is answered by 2xx.
    pub callback_attempts: u32,
    /// The wait before the second attempt; it doubles each time.
    pub callback_retry_ms: u64,
    /// The balance of the organisation at the start.
    pub float_minor: i64,
    /// The balance of a customer who is seen for the first time; `None`: unknown numbers do not
    /// exist.
    pub opening_balance_minor: Option<i64>,
    /// True if the sandbox's magic numbers act, for the short code `000000`.
    pub triggers: bool,
    /// "Service unavailable" is HTTP 503; otherwise it is INS-1 (`mpesa-openapi.md` §10
    /// leaves both open).
    pub unavailable_as_503: bool,
    /// Payments started at the wallet.
    pub paybill: Paybill,
    /// The conduct that no request asks for.
    pub conduct: Conduct,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            environment: "sandbox".into(),
            market: Market::VodacomTzn,
            currency: None,
            short_code: "000000".into(),
            api_key: "demo0000demo0000demo0000demo0000".into(),
            key_bits: 4_096,
            private_key: None,
            origin: None,
            session_activation_ms: 0,
            session_lifetime_ms: 3_600_000,
            sessions_overlap: true,
            disabled: BTreeSet::new(),
            beneficiary_names: None,
            hours: None,
            utc_offset_minutes: 180,
            limits: Limits::default(),
            limits_of: BTreeMap::new(),
            single_value_closes: true,
            strict: true,
            direct_debits: false,
            sufficient_balance: BooleanForm::Text,
            whole_amounts: false,
            asynchronous: false,
            asynchronous_queries: false,
            delay_ms: 0,
            response_url: None,
            success_code: "INS-0".into(),
            callback_attempts: 3,
            callback_retry_ms: 1_000,
            float_minor: 1_000_000_000_000,
            opening_balance_minor: Some(1_000_000_000),
            triggers: false,
            unavailable_as_503: true,
            paybill: Paybill::default(),
            conduct: Conduct::default(),
        }
    }
}

impl Options {
    /// The currency of every amount.
    pub fn currency(&self) -> Currency {
        self.currency.unwrap_or_else(|| self.market.currency())
    }

    /// True if the application may use this product.
    pub(super) fn offers(&self, product: &str) -> bool {
        let enabled = match product {
            "queryBeneficiaryName" => {
                self.beneficiary_names.unwrap_or(self.market == Market::VodafoneGha)
            }
            "directDebitCreation"
            | "directDebitPayment"
            | "queryDirectDebit"
            | "directDebitCancel" => self.direct_debits,
            _ => true,
        };
        enabled && !self.disabled.contains(product)
    }

    /// The limits of this product.
    pub(super) fn limits(&self, product: &str) -> &Limits {
        self.limits_of.get(product).unwrap_or(&self.limits)
    }
}

/// The form of a boolean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BooleanForm {
    /// `"True"`, `"False"`.
    Text,
    /// `true`, `false`.
    Boolean,
}

/// Limits; `None`: none (`mpesa-openapi.md` §2).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// One transaction; INS-995.
    pub single_minor_max: Option<i64>,
    /// All transactions of a product in a session; INS-994.
    pub session_minor_max: Option<i64>,
    /// Transactions of a product in a session; INS-993.
    pub session_count_max: Option<u32>,
    /// All of a customer's transactions in a day; INS-990.
    pub customer_minor_max: Option<i64>,
    /// A customer's transactions in a day; INS-991.
    pub customer_count_max: Option<u32>,
}

/// The settings by which payments started at the wallet are notified (`daraja-mpesa-kenya.md` §4).
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Paybill {
    /// The address, with a trailing slash: `validation` and `confirmation` are appended.
    pub notify_base: Option<String>,
    /// True if the client is asked first.
    pub validation: bool,
    /// The fate of a payment when the client does not answer in time.
    pub unanswered: Unanswered,
    /// The time that the client has to answer.
    pub validation_ms_max: u64,
    /// The form of the payer's number.
    pub msisdn: MsisdnForm,
}

impl Default for Paybill {
    fn default() -> Self {
        Self {
            notify_base: None,
            validation: true,
            unanswered: Unanswered::Completed,
            validation_ms_max: 8_000,
            msisdn: MsisdnForm::Masked,
        }
    }
}

/// The default action (`daraja-mpesa-kenya.md` §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unanswered {
    /// The payment is accepted.
    Completed,
    /// The payment is cancelled.
    Cancelled,
}

/// The form of a number in a notification (`daraja-mpesa-kenya.md` §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MsisdnForm {
    /// `2547 ***** 126`.
    Masked,
    /// SHA-256 of the number, hexadecimal.
    Hashed,
    /// The number.
    Plain,
}

/// The markets of `mpesa-openapi.md` §1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Market {
    /// Ghana.
    #[serde(rename = "vodafoneGHA")]
    VodafoneGha,
    /// Tanzania.
    #[serde(rename = "vodacomTZN")]
    VodacomTzn,
    /// Lesotho.
    #[serde(rename = "vodacomLES")]
    VodacomLes,
    /// DR Congo.
    #[serde(rename = "vodacomDRC")]
    VodacomDrc,
    /// Mozambique.
    #[serde(rename = "vodacomMOZ")]
    VodacomMoz,
}

impl Market {
    /// The market's name in paths.
    pub const fn context(self) -> &'static str {
        match self {
            Self::VodafoneGha => "vodafoneGHA",
            Self::VodacomTzn => "vodacomTZN",
            Self::VodacomLes => "vodacomLES",
            Self::VodacomDrc => "vodacomDRC",
            Self::VodacomMoz => "vodacomMOZ",
        }
    }

    /// `input_Country`; not ISO 3166.
    pub const fn country(self) -> &'static str {
        match self {
            Self::VodafoneGha => "GHA",
            Self::VodacomTzn => "TZN",
            Self::VodacomLes => "LES",
            Self::VodacomDrc => "DRC",
            Self::VodacomMoz => "MOZ",
        }
    }

    /// The market's currency.
    #[allow(clippy::expect_used, clippy::missing_panics_doc)] // ISO 4217 lists all five.
    pub fn currency(self) -> Currency {
        let code = match self {
            Self::VodafoneGha => "GHS",
            Self::VodacomTzn => "TZS",
            Self::VodacomLes => "LSL",
            Self::VodacomDrc => "USD",
            Self::VodacomMoz => "MZN",
        };
        Currency::from_code(code).expect("a currency of ISO 4217")
    }

    /// The fewest digits of a phone number; numbers of Lesotho have 11.
    pub(super) const fn msisdn_digits_min(self) -> usize {
        if matches!(self, Self::VodacomLes) { 11 } else { 12 }
    }
}
