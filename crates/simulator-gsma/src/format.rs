//! The forms of amounts, times and parties (`gsma-mobile-money-api.md` §7).

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use kiungo_domain::Timestamp;
use kiungo_simulator::ledger::FLOAT;
use serde_json::{Value, json};

use super::options::{Identifier, Quirks};
use super::version::Version;

/// The 20 identifier keys of §8.
const KEYS: [&str; 20] = [
    "accountcategory",
    "accountid",
    "accountrank",
    "bankaccountno",
    "bankaccounttitle",
    "bankname",
    "consumerno",
    "emailaddress",
    "iban",
    "identityalias",
    "linkref",
    "mandatereference",
    "msisdn",
    "organisationid",
    "serviceprovider",
    "sortcode",
    "storeid",
    "swiftbic",
    "username",
    "walletid",
];

/// A JSON answer on one line.
pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// `businessRule` → `BusinessRule`.
pub(super) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn stamp(at: Timestamp, form: &str) -> String {
    jiff::Timestamp::from_microsecond(at.as_micros())
        .map(|at| at.strftime(form).to_string())
        .unwrap_or_default()
}

/// A moment with milliseconds, UTC.
pub(super) fn moment(at: Timestamp) -> String {
    stamp(at, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

/// A date-time of a resource: to the second, UTC.
pub(super) fn date_time(at: Timestamp, quirks: &Quirks) -> String {
    stamp(at, if quirks.dates_without_offset { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%SZ" })
}

/// Reads a date-time; without offset it is UTC.
pub(super) fn read_date_time(text: &str) -> Option<Timestamp> {
    let at = text
        .parse::<jiff::Timestamp>()
        .or_else(|_| format!("{text}Z").parse::<jiff::Timestamp>())
        .ok()?;
    Some(Timestamp::from_micros(at.as_microsecond()))
}

/// Reads a date as HTTP has it, which some documents want in `X-Date` (§2.1).
pub(super) fn read_http_date(text: &str) -> Option<Timestamp> {
    let at = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from_micros(at.timestamp().as_microsecond()))
}

/// The pattern that amounts of this version follow (§7.1).
pub(super) const fn amount_pattern(version: Version) -> &'static str {
    match version {
        Version::V1_2 => "^([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[0-9])?$",
        Version::V1_1 => "^([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[1-9])?$",
    }
}

/// True if `text` follows that pattern.
pub(super) fn is_amount(text: &str, version: Version) -> bool {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let whole_fits = whole == "0"
        || ((1..=18).contains(&whole.len()) && !whole.starts_with('0') && digits(whole));
    let fraction_fits = fraction.is_none_or(|fraction| {
        (1..=4).contains(&fraction.len())
            && digits(fraction)
            && (version == Version::V1_2 || !fraction.ends_with('0'))
    });
    whole_fits && fraction_fits
}

/// A UUID as §2.1 wants correlation ids: hyphenated, either case.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// True if `key` identifies an account; the case is not looked at (§14).
pub(super) fn is_key(key: &str) -> bool {
    KEYS.contains(&key.to_ascii_lowercase().as_str())
}

/// The ledger's party for one identifier; `None` for a malformed phone number.
pub(super) fn party(key: &str, value: &str, own: &Identifier) -> Option<String> {
    if key.eq_ignore_ascii_case(&own.key) && value == own.value {
        return Some(FLOAT.to_owned());
    }
    if key.eq_ignore_ascii_case("msisdn") {
        let bare: String = value.chars().filter(|letter| *letter != ' ').collect();
        let digits = bare.strip_prefix('+').unwrap_or(&bare);
        let fits = (6..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        return fits.then(|| digits.to_owned());
    }
    Some(format!("{}:{value}", key.to_ascii_lowercase()))
}

/// The party that `open_wallet` and `pay` name: a number, or `key:value`.
pub(super) fn party_of_text(text: &str) -> String {
    if text.contains(':') {
        return text.to_owned();
    }
    text.chars().filter(|letter| !matches!(letter, '+' | ' ')).collect()
}

/// Undoes percent-encoding; a raw `+` stays a plus (§7.3).
pub(super) fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let pair = [rest.next()?, rest.next()?];
        let hex = std::str::from_utf8(&pair).ok()?;
        bytes.push(u8::from_str_radix(hex, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// One `{key, value}` pair.
pub(super) fn pair(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_follow_the_pattern_of_their_version() {
        for text in ["5", "0", "5.5", "0.5", "5.5555", "999999999999999999.9999"] {
            assert!(is_amount(text, Version::V1_1) && is_amount(text, Version::V1_2), "{text}");
        }
        for text in ["5.0", "5.00", "5.50", "0.00"] {
            assert!(!is_amount(text, Version::V1_1) && is_amount(text, Version::V1_2), "{text}");
        }
        for text in [
            "",
            "5.",
            ".5",
            "00.5",
            "00.00",
            "0000001.32",
            "-5.5",
            "5.55555",
            "1e3",
            "1,000",
            "1000000000000000000",
            " 5",
            "5 ",
            "٣",
        ] {
            assert!(!is_amount(text, Version::V1_1) && !is_amount(text, Version::V1_2), "{text}");
        }
    }

    #[test]
    fn a_raw_plus_in_a_path_is_a_plus() {
        assert_eq!(decode("+255%20700").as_deref(), Some("+255 700"));
        assert_eq!(decode("%2B255").as_deref(), Some("+255"));
        assert_eq!(decode("%2"), None);
        assert_eq!(decode("%zz"), None);
    }

    #[test]
    fn phone_numbers_are_one_party_however_written() {
        let own = Identifier { key: "accountid".into(), value: "4400".into() };
        for text in ["+255700000001", "255700000001", "+255 700 000 001"] {
            assert_eq!(party("msisdn", text, &own).as_deref(), Some("255700000001"));
        }
        assert_eq!(party("MSISDN", "12345", &own), None);
        assert_eq!(party("accountid", "4400", &own).as_deref(), Some(FLOAT));
        assert_eq!(party("walletid", "1", &own).as_deref(), Some("walletid:1"));
    }

    #[test]
    fn date_times_are_read_with_and_without_offset() {
        let at = read_date_time("2026-03-01T09:30:00Z");
        assert!(at.is_some());
        assert_eq!(at, read_date_time("2026-03-01T09:30:00"));
        assert_eq!(at, read_date_time("2026-03-01T12:30:00+03:00"));
        assert_eq!(read_date_time("yesterday"), None);
        assert_eq!(at, read_http_date("Sun, 01 Mar 2026 09:30:00 GMT"));
        assert_eq!(read_http_date("yesterday"), None);
    }
}
