//! The field dictionary (`mpesa-openapi.md` §5).

use serde_json::{Map, Value};

use super::codes::{self, Code};

/// A request's fields by name.
#[derive(Debug)]
pub(super) struct Fields {
    map: Map<String, Value>,
    strict: bool,
}

/// A field: its name, its pattern, and the code of a refusal.
pub(super) type Rule = (&'static str, fn(&str) -> bool, Code);

pub(super) const AMOUNT: Rule = ("input_Amount", is_amount, codes::AMOUNT);
pub(super) const REVERSAL_AMOUNT: Rule = ("input_ReversalAmount", is_amount, codes::AMOUNT);
pub(super) const MSISDN: Rule = ("input_CustomerMSISDN", is_msisdn, codes::MSISDN);
pub(super) const COUNTRY: Rule = ("input_Country", is_present, codes::INVALID);
pub(super) const CURRENCY: Rule = ("input_Currency", is_currency, codes::CURRENCY);
pub(super) const SHORT_CODE: Rule = ("input_ServiceProviderCode", is_party_code, codes::SHORT_CODE);
pub(super) const PRIMARY: Rule = ("input_PrimaryPartyCode", is_party_code, codes::SHORT_CODE);
pub(super) const RECEIVER: Rule = ("input_ReceiverPartyCode", is_party_code, codes::SHORT_CODE);
pub(super) const REFERENCE: Rule =
    ("input_TransactionReference", |text| is_text(text, 20), codes::REFERENCE);
pub(super) const CONVERSATION_ID: Rule =
    ("input_ThirdPartyConversationID", |text| is_text(text, 40), codes::CONVERSATION_ID);
pub(super) const PURCHASED_ITEMS: Rule =
    ("input_PurchasedItemsDesc", |text| is_text(text, 256), codes::PURCHASED_ITEMS);
pub(super) const PAYMENT_ITEMS: Rule =
    ("input_PaymentItemsDesc", |text| is_text(text, 256), codes::PAYMENT_ITEMS);
pub(super) const TRANSACTION_ID: Rule =
    ("input_TransactionID", |text| is_code(text, 20), codes::TRANSACTION_ID);
pub(super) const QUERY_REFERENCE: Rule =
    ("input_QueryReference", |text| is_code(text, 32), codes::INVALID);
pub(super) const AGREED: Rule = ("input_AgreedTC", |text| matches!(text, "0" | "1"), codes::AGREED);
pub(super) const MANDATE_REFERENCE: Rule =
    ("input_ThirdPartyReference", |text| is_code(text, 32), codes::MANDATE_REFERENCE);
pub(super) const FIRST_PAYMENT: Rule =
    ("input_FirstPaymentDate", |text| is_digits(text, 8), codes::FIRST_PAYMENT);
pub(super) const FREQUENCY: Rule = ("input_Frequency", |text| is_digits(text, 2), codes::FREQUENCY);
pub(super) const FIRST_DAY: Rule =
    ("input_StartRangeOfDays", |text| is_digits(text, 2), codes::FIRST_DAY);
pub(super) const LAST_DAY: Rule =
    ("input_EndRangeOfDays", |text| is_digits(text, 2), codes::LAST_DAY);
pub(super) const EXPIRY: Rule = ("input_ExpiryDate", |text| is_digits(text, 8), codes::EXPIRY);
/// Base64 holds more than the printed pattern allows: 64 characters, stored as they are.
pub(super) const TOKEN: Rule =
    ("input_MsisdnToken", |text| (1..=64).contains(&text.len()), codes::TOKEN);
pub(super) const MANDATE_ID: Rule =
    ("input_MandateID", |text| text.len() <= 12 && all_digits(text), codes::MANDATE_ID);
pub(super) const QUERY_BALANCE: Rule = (
    "input_QueryBalanceAmount",
    |text| text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false"),
    codes::INVALID,
);
pub(super) const BALANCE: Rule = ("input_BalanceAmount", is_amount, codes::BALANCE);
pub(super) const KYC_QUERY: Rule = ("input_KycQueryType", |text| text == "Name", codes::KYC_QUERY);

impl Fields {
    /// From a JSON object.
    pub(super) fn from_json(body: &[u8], strict: bool) -> Result<Self, Code> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => Ok(Self { map, strict }),
            _ => Err(codes::INVALID),
        }
    }

    /// From a query string; two published clients send a JSON body instead (§4), which only the
    /// lenient mode reads.
    pub(super) fn from_query(query: &str, body: &[u8], strict: bool) -> Result<Self, Code> {
        if query.is_empty() && !strict && !body.is_empty() {
            return Self::from_json(body, strict);
        }
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(query).map_err(|_| codes::INVALID)?;
        let map = pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        Ok(Self { map, strict })
    }

    /// Refuses unless all of these are there.
    pub(super) fn demand(&self, rules: &[Rule]) -> Result<(), Code> {
        let absent = |rule: &&Rule| self.map.get(rule.0).is_none_or(Value::is_null);
        if rules.iter().any(|rule| absent(&rule)) { Err(codes::MISSING) } else { Ok(()) }
    }

    /// The field, if it is there and as it should be.
    pub(super) fn get(&self, (name, fits, code): Rule) -> Result<String, Code> {
        let text = match self.map.get(name) {
            None | Some(Value::Null) => return Err(codes::MISSING),
            Some(Value::String(text)) => text.clone(),
            // Some clients send numbers; a strict market takes strings only.
            Some(Value::Number(number)) if !self.strict => number.to_string(),
            Some(_) => return Err(codes::INVALID),
        };
        if fits(&text) { Ok(text) } else { Err(code) }
    }

    /// The same for a field that may be left out.
    pub(super) fn optional(&self, rule: Rule) -> Result<Option<String>, Code> {
        if self.map.contains_key(rule.0) { self.get(rule).map(Some) } else { Ok(None) }
    }

    /// The field as it was sent, unchecked: for magic numbers that break their own pattern.
    pub(super) fn raw(&self, rule: Rule) -> Option<&str> {
        self.map.get(rule.0).and_then(Value::as_str)
    }

    /// The client's id, however malformed: it is echoed even in refusals.
    pub(super) fn third_party(&self) -> String {
        let text = self.map.get(CONVERSATION_ID.0).and_then(Value::as_str);
        text.unwrap_or(super::answer::NOTHING).to_owned()
    }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Exactly this many digits.
fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && all_digits(text)
}

/// `^\d*\.?\d+$`.
fn is_amount(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or(("", text));
    all_digits(whole) && !fraction.is_empty() && all_digits(fraction)
}

/// `^[0-9]{12,14}$`, or 11 digits; the market decides whether 11 are enough.
fn is_msisdn(text: &str) -> bool {
    (11..=14).contains(&text.len()) && all_digits(text)
}

fn is_present(text: &str) -> bool {
    !text.is_empty()
}

/// `^[a-zA-Z]{1,3}$`.
fn is_currency(text: &str) -> bool {
    (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// `^([0-9A-Za-z]{4,12})$`.
fn is_party_code(text: &str) -> bool {
    text.len() >= 4 && is_code(text, 12)
}

/// `^[0-9a-zA-Z]{1,n}$`.
fn is_code(text: &str, length_max: usize) -> bool {
    (1..=length_max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// `^[0-9a-zA-Z \w+]{1,n}$`: `\w` adds the underscore, and `+` is a literal plus.
fn is_text(text: &str, length_max: usize) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'+');
    (1..=length_max).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_takes_what_it_says_and_nothing_else() {
        for (rule, good, bad) in [
            (AMOUNT, &["10", "10.00", ".5", "0"][..], &["", ".", "5.", "-1", "1,0", "1e3"][..]),
            (MSISDN, &["255712345678", "26657000001", "12345678901234"], &["", "+255712345678"]),
            (CURRENCY, &["TZS", "t"], &["", "TZSX", "T1"]),
            (SHORT_CODE, &["0000", "ABCdef123456"], &["000", "0000000000000", "00-00"]),
            (REFERENCE, &["LOAN 1_2+3"], &["", "A-1", "A,1", "123456789012345678901"]),
            (CONVERSATION_ID, &["RP20260301K7Q2M9XW4T"], &["a-b", "é"]),
            (TRANSACTION_ID, &["7KX21QD40B"], &["7KX 21", ""]),
            (QUERY_REFERENCE, &["A", "12345678901234567890123456789012"], &["A_B", ""]),
            (KYC_QUERY, &["Name"], &["name", ""]),
        ] {
            assert!(good.iter().all(|text| rule.1(text)), "{} {good:?}", rule.0);
            assert!(!bad.iter().any(|text| rule.1(text)), "{} {bad:?}", rule.0);
        }
    }
}
