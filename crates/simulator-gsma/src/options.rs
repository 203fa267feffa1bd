//! The options of this provider.

use std::collections::BTreeMap;

use kiungo_domain::Currency;
use serde::Deserialize;

pub use super::conduct::{Charge, Conduct, PaidBy, Place};
use kiungo_simulator::tls::TlsFiles;

/// The options that a file may hold, for `--help`. A test compares it with what is read.
pub const HELP: &str = "\
Options of the file given by --options (TOML); what each means: crates/simulator-gsma/README.md
  addresses   prefix_1_2, prefix_1_1, notify_base, notify, asks_for_bills, biller_polls,
              biller_poll_ms, label_key
  money       currency, currencies, own_account, float_minor, opening_balance_minor,
              amount_minor_min, amount_minor_max, balance_minor_max, daily_minor_max,
              partial_reversals
  flows       flow, flows, delay_ms, expiry_ms, poll_limit, enforce_poll_limit,
              callback_attempts, callback_retry_ms, asynchronous_duplicates, while_pending, link,
              page_max, service_status, restored_in_ms
  judgement   strict, triggers
  [security]  basic, api_key, oauth, token_path, token_lifetime_s, date_deviation_s_max, tls,
              token_type
  [quirks]    dates_without_offset, pascal_case_errors, lower_case_error_text,
              request_state_callbacks, string_integers, canonical_parties,
              provisional_object_reference, no_correlation_on_callback, capital_statuses,
              invalid_offset, own_receipts
  [conduct]   deduplicates, charges, float_empty_ms, approved_late, approved_twice,
              reversed_later, reversals_told, late_ms, other_amount, other_wallet,
              other_reference, other_receipt, other_in, collections_told, told_with_number,
              told_with_reference";

/// All of it, with defaults; times are milliseconds, money is minor units.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools)] // They are switches, independent of each other.
pub struct Options {
    /// The prefix under which 1.2.0 is served; `None`: nowhere.
    pub prefix_1_2: Option<String>,
    /// The prefix under which 1.1.2 is served; `None`: nowhere.
    pub prefix_1_1: Option<String>,
    /// The currency of the books, of balances and of payments started at the wallet.
    pub currency: Currency,
    /// Further currencies that transactions may be in. Every party has a purse of its own in each;
    /// in the books it is `party/CODE`.
    pub currencies: Vec<Currency>,
    /// The organisation's own account.
    pub own_account: Identifier,
    /// The balance of the organisation at the start.
    pub float_minor: i64,
    /// The balance of a customer who is seen for the first time; `None`: unknown numbers do not
    /// exist.
    pub opening_balance_minor: Option<i64>,
    /// The flow that creations follow (`gsma-mobile-money-api.md` §4).
    pub flow: Flow,
    /// The same by operation (`collect`, `pay_out`, `reverse`, `transfer`), where it differs.
    pub flows: BTreeMap<String, Flow>,
    /// The time that carrying an order out takes: the customer and his PIN.
    pub delay_ms: u64,
    /// An order that is not carried out within this time fails.
    pub expiry_ms: u64,
    /// The number of times that a request state may be read.
    pub poll_limit: u32,
    /// True if the limit is enforced; else it is only stated.
    pub enforce_poll_limit: bool,
    /// The callers that are admitted.
    pub security: Security,
    /// The key in `customData` or `metadata` under which clients send what the statement shows as
    /// account; without it the description is taken.
    pub label_key: String,
    /// The address at which payments started at the wallet are notified, with a trailing slash.
    pub notify_base: Option<String>,
    /// In which form.
    pub notify: NotifyForm,
    /// True if the account's bills are read before a payment is taken (§12): `GET
    /// {notify_base}accounts/consumerno/{reference}/bills`. A 4xx answer turns the payment away.
    pub asks_for_bills: bool,
    /// The number of times that a callback is tried until it is answered by 2xx.
    pub callback_attempts: u32,
    /// The wait before the second attempt; it doubles each time.
    pub callback_retry_ms: u64,
    /// The smallest amount of a transaction.
    pub amount_minor_min: i64,
    /// The largest amount of a transaction.
    pub amount_minor_max: i64,
    /// The most a customer may have.
    pub balance_minor_max: i64,
    /// The most that a customer may move within a day (UTC).
    pub daily_minor_max: i64,
    /// True if a part of a transaction can be reversed.
    pub partial_reversals: bool,
    /// True if a second use of a correlation id is refused by callback instead of at once (§4.4).
    pub asynchronous_duplicates: bool,
    /// The answer of `/responses` while the request is pending; if absent, a link with `triggers`,
    /// and else 404.
    pub while_pending: Option<WhilePending>,
    /// The most records of one page, whatever `limit` asks for: an answer has to fit into memory.
    pub page_max: usize,
    /// The number of times that a biller is asked about a payment that it took with 202.
    pub biller_polls: u32,
    /// The wait between two such questions.
    pub biller_poll_ms: u64,
    /// The form of the link of `/responses`.
    pub link: LinkForm,
    /// True if unknown enumeration values, unknown identifier keys, missing correlation ids, and on
    /// 1.1.2 the properties that 1.2.0 brought, are refused; if a date may not have a time; and if
    /// a `oneTimeCode` must have been given out (`PUT /_sim/codes`).
    pub strict: bool,
    /// True if the accounts that published suites name exist, and the compliance platform's amounts
    /// act as switches (§15). They collide with real amounts.
    pub triggers: bool,
    /// The status that `/heartbeat` states: `available`, `degraded` or `unavailable`.
    pub service_status: String,
    /// The time after which it says that all will be well again, where it is not.
    pub restored_in_ms: u64,
    /// The deviations of real providers (§19).
    pub quirks: Quirks,
    /// The conduct that no request asks for.
    pub conduct: Conduct,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            prefix_1_2: Some("/v1.2/mm".into()),
            prefix_1_1: Some("/v1.1/mm".into()),
            currency: shillings(),
            currencies: Vec::new(),
            own_account: Identifier { key: "accountid".into(), value: "4400".into() },
            float_minor: 1_000_000_000_000,
            opening_balance_minor: Some(1_000_000_000),
            flow: Flow::Requested,
            flows: BTreeMap::new(),
            delay_ms: 100,
            expiry_ms: 600_000,
            poll_limit: 100,
            enforce_poll_limit: false,
            security: Security::default(),
            label_key: "accountreference".into(),
            notify_base: None,
            notify: NotifyForm::Put,
            asks_for_bills: false,
            callback_attempts: 3,
            callback_retry_ms: 1_000,
            amount_minor_min: 1,
            amount_minor_max: i64::MAX,
            balance_minor_max: i64::MAX,
            daily_minor_max: i64::MAX,
            partial_reversals: false,
            asynchronous_duplicates: false,
            while_pending: None,
            page_max: 1_000,
            biller_polls: 20,
            biller_poll_ms: 5_000,
            link: LinkForm::Relative,
            strict: true,
            triggers: false,
            service_status: "available".into(),
            restored_in_ms: 3_600_000,
            quirks: Quirks::default(),
            conduct: Conduct::default(),
        }
    }
}

impl Options {
    /// True if transactions may be in this currency.
    pub(super) fn takes(&self, currency: Currency) -> bool {
        currency == self.currency || self.currencies.contains(&currency)
    }

    /// The answer of `/responses` while the request is pending.
    pub(super) fn while_pending(&self) -> WhilePending {
        let usual = if self.triggers { WhilePending::Link } else { WhilePending::NotFound };
        self.while_pending.unwrap_or(usual)
    }
}

#[allow(clippy::expect_used)] // ISO 4217 lists it.
fn shillings() -> Currency {
    Currency::from_code("TZS").expect("TZS is in ISO 4217")
}

/// An account identifier: a key of §8 and its value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identifier {
    /// For example `accountid`.
    pub key: String,
    /// For example `4400`.
    pub value: String,
}

/// The flow by which a creation is answered (§4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// By callback where the client named a URL, else by polling, as the hosted simulator does.
    Requested,
    /// 201 with the object, or its error.
    Synchronous,
    /// 202, then a callback; where the client named no URL there is none.
    Callback,
    /// 202, then the client polls, even if it named a URL.
    Polling,
}

/// The form in which a payment started at the wallet is notified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyForm {
    /// `PUT {notify_base}payments` with the Transaction.
    Put,
    /// `POST {notify_base}payments` with the Transaction.
    Post,
    /// The client is the biller (§12): `POST {notify_base}accounts/{key}/{reference}/bills/payments`
    /// with a `BillPayment`. A 4xx answer gives the customer his money back; after a 202 the biller
    /// is asked, and `failed` does the same.
    Biller,
}

/// The answer of `/responses` while the request is pending; the API leaves it open (§4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhilePending {
    /// 404.
    NotFound,
    /// A link to a transaction that is not final.
    Link,
}

/// The form of a link (§4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkForm {
    /// From the `mm` root: `/transactions/REF-1`.
    Relative,
    /// The full URL.
    Absolute,
    /// The full URL by a name that only the provider's own network knows, as behind a gateway.
    Internal,
}

/// The callers that are admitted (§3). With neither `basic` nor `oauth` everybody may.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Security {
    /// User and password for Basic.
    pub basic: Option<Credentials>,
    /// The value of `X-API-Key`, demanded in addition.
    pub api_key: Option<String>,
    /// Consumer key and secret for the token endpoint.
    pub oauth: Option<Credentials>,
    /// The path at which tokens are given.
    pub token_path: String,
    /// The lifetime of a token, in seconds.
    pub token_lifetime_s: u64,
    /// The largest difference of `X-Date` from our own clock, in seconds (§3, basic integrity
    /// check); not looked at if absent.
    pub date_deviation_s_max: Option<u64>,
    /// Certificates for TLS, and the authority of the clients' ones for mutual TLS; without them
    /// plain HTTP is spoken.
    pub tls: Option<TlsFiles>,
    /// True if the token answer says `token_type`; the hosted simulator's did not.
    pub token_type: bool,
}

impl Default for Security {
    fn default() -> Self {
        Self {
            basic: None,
            api_key: None,
            oauth: None,
            token_path: "/v1/oauth/accesstoken".into(),
            token_lifetime_s: 3_600,
            date_deviation_s_max: None,
            tls: None,
            token_type: true,
        }
    }
}

/// A name and its secret.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// User name or consumer key.
    pub name: String,
    /// Password or consumer secret.
    pub secret: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({}, …)", self.name)
    }
}

/// Deviations of real providers, each a switch (§19).
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools)] // They are switches, independent of each other.
pub struct Quirks {
    /// Date-times without offset.
    pub dates_without_offset: bool,
    /// Error categories and codes with a capital letter.
    pub pascal_case_errors: bool,
    /// `errordescription`, as the OAS spells it, instead of `errorDescription`.
    pub lower_case_error_text: bool,
    /// The callback is a `RequestState` instead of the object.
    pub request_state_callbacks: bool,
    /// Integers as strings.
    pub string_integers: bool,
    /// Parties come back with all their identifiers, not with what was sent.
    pub canonical_parties: bool,
    /// A 202 already carries an `objectReference`, which is not the final one.
    pub provisional_object_reference: bool,
    /// The callback does not repeat `X-CorrelationID`.
    pub no_correlation_on_callback: bool,
    /// `transactionStatus` with a capital letter.
    pub capital_statuses: bool,
    /// An offset past the end is an error, not an empty page (§5).
    pub invalid_offset: bool,
    /// `transactionReceipt` is given, and differs from the reference.
    pub own_receipts: bool,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            dates_without_offset: false,
            pascal_case_errors: false,
            lower_case_error_text: false,
            request_state_callbacks: false,
            string_integers: false,
            canonical_parties: false,
            provisional_object_reference: true,
            no_correlation_on_callback: false,
            capital_statuses: false,
            invalid_offset: false,
            own_receipts: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names that an unknown one is told to be none of.
    fn names<T: for<'de> Deserialize<'de>>() -> Vec<String> {
        let error = serde_json::from_str::<T>(r#"{"no such option": 1}"#).err().unwrap();
        let error = error.to_string();
        error.split('`').skip(3).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn the_help_names_every_option() {
        let words: Vec<&str> = HELP.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let all = [names::<Options>(), names::<Security>(), names::<Quirks>(), names::<Conduct>()];
        for name in all.concat() {
            assert!(words.contains(&name.as_str()), "{name}");
        }
    }
}
