//! Requests and answers exactly as on the wire (`gsma-mobile-money-api.md` §10): strings stay
//! strings, every field of an answer may be missing, and unknown fields are ignored.
#![allow(clippy::struct_field_names, reason = "the fields are named as on the wire")]

use kiungo_transport::content::text;
use kiungo_transport::json::{self, Literal, if_readable};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// A value that should be a string and is sometimes a number (§7.2): its text, digit by digit as
/// it stands on the wire, so that no number becomes a binary fraction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Literal")]
pub(crate) struct Text(String);

impl Text {
    /// The text; an empty one counts as absent.
    pub(crate) fn given(text: Option<&Self>) -> Option<&str> {
        text.map(|text| text.0.trim()).filter(|text| !text.is_empty())
    }

    /// The text exactly as it came, blanks included.
    pub(crate) fn raw(&self) -> &str {
        &self.0
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl TryFrom<Literal> for Text {
    type Error = &'static str;

    fn try_from(literal: Literal) -> Result<Self, Self::Error> {
        match literal {
            Literal::String(text) | Literal::Number(text) => Ok(Self(text)),
            _ => Err("a string was expected"),
        }
    }
}

/// Reads a list that only informs: of its entries those are passed over that cannot be read.
fn entries_if_readable<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let entries: Option<Vec<Box<RawValue>>> = if_readable(deserializer)?;
    let read = |entry: Box<RawValue>| serde_json::from_str(entry.get()).ok();
    Ok(entries.map(|entries| entries.into_iter().filter_map(read).collect()))
}

/// One entry of a party, of custom data, or of an error's parameters. Keys may repeat (§7.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyValue {
    pub(crate) key: String,
    #[serde(default)]
    value: Option<Text>,
}

impl KeyValue {
    pub(crate) fn new(key: &str, value: &str) -> Self {
        Self { key: key.to_owned(), value: Some(value.into()) }
    }

    pub(crate) fn is(&self, key: &str) -> bool {
        self.key.trim().eq_ignore_ascii_case(key)
    }

    pub(crate) fn value(&self) -> &str {
        Text::given(self.value.as_ref()).unwrap_or_default()
    }
}

/// The body of `POST /transactions/type/…` (§10.1): only fields that both versions know, but for
/// `customData`, which is 1.2.0's.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransactionOrder {
    pub(crate) requesting_organisation_transaction_reference: String,
    pub(crate) debit_party: [KeyValue; 1],
    pub(crate) credit_party: [KeyValue; 1],
    pub(crate) amount: String,
    pub(crate) currency: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) description_text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) custom_data: Option<[KeyValue; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<[KeyValue; 1]>,
}

/// The body of `POST /transactions/{ref}/reversals` (§10.2); without an amount it is a full one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReversalOrder {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) requesting_organisation_transaction_reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_date: Option<String>,
}

/// A Transaction or a Reversal as answered (§10.1, §10.2). The legacy twins of dates are fields of
/// their own, because a provider may send both.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Transaction {
    pub(crate) transaction_reference: Option<Text>,
    pub(crate) requesting_organisation_transaction_reference: Option<Text>,
    pub(crate) original_transaction_reference: Option<Text>,
    pub(crate) debit_party: Option<Vec<KeyValue>>,
    pub(crate) credit_party: Option<Vec<KeyValue>>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<Text>,
    pub(crate) transaction_status: Option<Text>,
    pub(crate) amount: Option<Text>,
    pub(crate) currency: Option<Text>,
    #[serde(deserialize_with = "if_readable")]
    pub(crate) description_text: Option<Text>,
    pub(crate) fees: Option<Vec<Fee>>,
    #[serde(deserialize_with = "if_readable")]
    pub(crate) creation_date: Option<Text>,
    #[serde(deserialize_with = "if_readable")]
    pub(crate) date_created: Option<Text>,
    #[serde(deserialize_with = "entries_if_readable")]
    pub(crate) custom_data: Option<Vec<KeyValue>>,
    #[serde(deserialize_with = "entries_if_readable")]
    pub(crate) metadata: Option<Vec<KeyValue>>,
}

/// A fee beside the amount (§10.12).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Fee {
    pub(crate) fee_amount: Option<Text>,
    pub(crate) fee_currency: Option<Text>,
}

/// The state of an asynchronous request (§4.1). The failure stands under one of two names (§14).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RequestState {
    pub(crate) server_correlation_id: Option<Text>,
    pub(crate) status: Option<Text>,
    pub(crate) object_reference: Option<Text>,
    pub(crate) error: Option<ErrorObject>,
    pub(crate) error_reference: Option<ErrorObject>,
}

/// The Error object (§6.1). Its text stands under one of two names, or both (§14).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ErrorObject {
    pub(crate) error_category: Option<Text>,
    pub(crate) error_code: Option<Text>,
    pub(crate) error_description: Option<Text>,
    #[serde(rename = "errordescription")]
    pub(crate) errordescription: Option<Text>,
    /// The fields at fault, or the provider's own words, in whatever form.
    error_parameters: serde_json::Value,
}

impl ErrorObject {
    /// The parameters beside the code: pairs of a field's name and the rule that it violates. A
    /// pair that is none is passed over, because it must not hide the code.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.error_parameters.as_array().into_iter().flatten();
        pairs.filter_map(|pair| Some((pair.get("key")?.as_str()?, pair.get("value")?.as_str()?)))
    }
}

/// `GET /responses/{clientCorrelationId}` (§4.5).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Link {
    pub(crate) link: Option<Text>,
}

/// The answer of a token endpoint (§3).
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Token {
    pub(crate) access_token: Option<String>,
    expires_in: Option<Text>,
}

impl Token {
    /// The lifetime of the token, in seconds, as it stands on the wire.
    pub(crate) fn expires_in(&self) -> Option<&str> {
        Text::given(self.expires_in.as_ref())
    }
}

/// `GET /heartbeat` (§6.4).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Heartbeat {
    pub(crate) service_status: Option<Text>,
    pub(crate) planned_restoration_time: Option<Text>,
}

/// `GET …/balance` (§10.5).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Balance {
    pub(crate) current_balance: Option<Text>,
    pub(crate) available_balance: Option<Text>,
    pub(crate) currency: Option<Text>,
}

/// `GET …/status` (§10.5).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AccountStatus {
    pub(crate) account_status: Option<Text>,
}

/// `GET …/accountname` (§10.5).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AccountName {
    pub(crate) name: Option<Name>,
}

/// A person's name (§10.11).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Name {
    pub(crate) first_name: Option<Text>,
    pub(crate) middle_name: Option<Text>,
    pub(crate) last_name: Option<Text>,
    pub(crate) full_name: Option<Text>,
    pub(crate) native_name: Option<Text>,
}

/// A payment of a bill at us, the biller (§10.6).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct BillPayment {
    pub(crate) amount_paid: Option<Text>,
    pub(crate) paid_amount: Option<Text>,
    pub(crate) currency: Option<Text>,
    pub(crate) requesting_organisation_transaction_reference: Option<Text>,
    #[serde(deserialize_with = "if_readable")]
    pub(crate) request_date: Option<Text>,
    #[serde(deserialize_with = "entries_if_readable")]
    pub(crate) custom_data: Option<Vec<KeyValue>>,
    #[serde(deserialize_with = "entries_if_readable")]
    pub(crate) metadata: Option<Vec<KeyValue>>,
}

/// A body, told by its shape and not by where it came from (§4.2).
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Error(ErrorObject),
    Transaction(Box<Transaction>),
    RequestState(Box<RequestState>),
    Link(String),
    /// `{"result":"success"}`: an update was applied.
    Updated,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Shape {
    error_category: Option<IgnoredAny>,
    error_code: Option<IgnoredAny>,
    transaction_reference: Option<IgnoredAny>,
    transaction_status: Option<IgnoredAny>,
    server_correlation_id: Option<IgnoredAny>,
    status: Option<IgnoredAny>,
    link_reference: Option<IgnoredAny>,
    source_account_identifiers: Option<IgnoredAny>,
    mandate_reference: Option<IgnoredAny>,
    link: Option<IgnoredAny>,
    result: Option<Text>,
}

impl Shape {
    /// A `status` alone makes a request state only of what is no other resource that has one: a Link
    /// (§10.8) has it too.
    const fn is_request_state(&self) -> bool {
        self.server_correlation_id.is_some()
            || (self.status.is_some()
                && self.link_reference.is_none()
                && self.source_account_identifiers.is_none()
                && self.mandate_reference.is_none())
    }
}

/// Reads a body of any known shape; `None` if it has none, or its fields are not of their types.
pub(crate) fn read_body(bytes: &[u8]) -> Option<Body> {
    let shape: Shape = read_object(bytes)?;
    if shape.error_category.is_some() || shape.error_code.is_some() {
        read_object(bytes).map(Body::Error)
    } else if shape.transaction_reference.is_some() || shape.transaction_status.is_some() {
        read_object(bytes).map(|transaction| Body::Transaction(Box::new(transaction)))
    } else if shape.is_request_state() {
        read_object(bytes).map(|state| Body::RequestState(Box::new(state)))
    } else if shape.link.is_some() {
        let link: Link = read_object(bytes)?;
        Text::given(link.link.as_ref()).map(|link| Body::Link(link.to_owned()))
    } else {
        let result = Text::given(shape.result.as_ref())?;
        result.eq_ignore_ascii_case("success").then_some(Body::Updated)
    }
}

/// Reads a JSON object.
pub(crate) fn read_object<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    json::read_object(bytes).ok()
}

/// Reads a list; a single object counts as a list of one (§14).
pub(crate) fn read_list<T: DeserializeOwned>(bytes: &[u8]) -> Option<Vec<T>> {
    let text = text(bytes);
    if text.trim_start().starts_with('[') {
        serde_json::from_str(&text).ok()
    } else {
        read_object(bytes).map(|single| vec![single])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_told_by_its_shape() {
        let shape = |text: &str| read_body(text.as_bytes());
        assert!(matches!(shape(r#"{"errorCode":"x"}"#), Some(Body::Error(_))));
        assert!(matches!(shape(r#"{"transactionStatus":"x"}"#), Some(Body::Transaction(_))));
        assert!(matches!(shape(r#"{"status":"pending"}"#), Some(Body::RequestState(_))));
        assert!(matches!(shape(r#"{"link":"/transactions/1"}"#), Some(Body::Link(_))));
        assert!(matches!(shape(r#"{"result":"success"}"#), Some(Body::Updated)));
        for text in ["", "{}", "[]", "null", "<html>", r#"{"result":"no"}"#, r#"{"status":{}}"#] {
            assert!(shape(text).is_none(), "{text}");
        }
        for link in [
            r#"{"status":"active","linkReference":"REF-1"}"#,
            r#"{"status":"active","mode":"both","sourceAccountIdentifiers":[]}"#,
        ] {
            assert!(shape(link).is_none(), "a Link is no request state: {link}");
        }
    }

    #[test]
    fn a_mark_utf_16_and_a_name_in_latin_1_do_not_make_a_transaction_unreadable() {
        let json = r#"{"transactionReference":"R1","descriptionText":"NAME"}"#;
        let units = || json.encode_utf16();
        let latin: Vec<u8> = json.replace("NAME", "\u{e9}").chars().map(|c| c as u8).collect();
        for body in [
            ["\u{feff}", json].concat().into_bytes(),
            units().flat_map(u16::to_le_bytes).collect(),
            [0xfe, 0xff].into_iter().chain(units().flat_map(u16::to_be_bytes)).collect(),
            latin,
        ] {
            let Some(Body::Transaction(transaction)) = read_body(&body) else {
                panic!("{body:x?}")
            };
            assert_eq!(Text::given(transaction.transaction_reference.as_ref()), Some("R1"));
        }
    }

    #[test]
    fn a_number_keeps_its_digits() {
        let balance: Balance =
            read_object(br#"{"availableBalance":90071992547409930.10}"#).unwrap();
        assert_eq!(Text::given(balance.available_balance.as_ref()), Some("90071992547409930.10"));
    }

    #[test]
    fn an_identifier_without_a_value_does_not_make_a_transaction_unreadable() {
        let body =
            br#"{"transactionStatus":"completed","debitParty":[{"key":"linkref","value":null},
            {"key":"accountid"},{"key":"msisdn","value":"26657000001"}]}"#;
        let Some(Body::Transaction(transaction)) = read_body(body) else { panic!() };
        let party = transaction.debit_party.unwrap();
        assert_eq!(party.iter().map(KeyValue::value).collect::<Vec<_>>(), ["", "", "26657000001"]);
    }

    #[test]
    fn informative_members_do_not_make_a_transaction_unreadable() {
        let body = br#"{"transactionStatus":"completed","descriptionText":{},"creationDate":[1],
            "dateCreated":true,"customData":"x","metadata":[7,{"key":"a","value":"b"},{"value":1}]}"#;
        let Some(Body::Transaction(transaction)) = read_body(body) else { panic!() };
        let notes = transaction.metadata.unwrap();
        assert_eq!(notes.iter().map(KeyValue::value).collect::<Vec<_>>(), ["b"]);
        assert!(transaction.custom_data.is_none() && transaction.creation_date.is_none());
    }

    #[test]
    fn error_parameters_in_any_form_do_not_hide_the_code() {
        for (parameters, read) in [
            (r#"[{"key":"amount","value":"x"},{"key":1},7]"#, vec![("amount", "x")]),
            (r#"{"key":"amount"}"#, vec![]),
            ("null", vec![]),
        ] {
            let body = format!(r#"{{"errorCode":"x","errorParameters":{parameters}}}"#);
            let Some(Body::Error(error)) = read_body(body.as_bytes()) else { panic!("{body}") };
            assert_eq!(error.parameters().collect::<Vec<_>>(), read);
        }
    }

    #[test]
    fn both_spellings_of_an_error_text_may_come_together() {
        let body = br#"{"errorCode":"x","errorDescription":"a","errordescription":"b"}"#;
        assert!(matches!(read_body(body), Some(Body::Error(_))));
    }
}
