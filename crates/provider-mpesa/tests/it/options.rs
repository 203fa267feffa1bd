//! The checks before anything starts, and the texts of their errors.

use kiungo_domain::Currency;
use kiungo_provider_mpesa::{Environment, Mpesa, Options, OptionsError, Secrets};
use kiungo_transport::{Network, NetworkOptions};
use std::sync::Arc;

use crate::support::{API_KEY, Mapping, fixture, mapping, public_key, terms};

fn start(mapping: Mapping, api_key: &str) -> Result<Mpesa, OptionsError> {
    let terms = terms(&mapping);
    let network = Arc::new(Network::new(&NetworkOptions::default()).unwrap());
    Mpesa::new(mapping.mpesa, Secrets { api_key: api_key.into() }, terms, network)
}

fn refused(change: impl FnOnce(&mut Options)) -> String {
    let mut mapping = mapping("tz");
    change(&mut mapping.mpesa);
    start(mapping, API_KEY).expect_err("these options are wrong").to_string()
}

#[test]
fn a_wrong_option_is_named() {
    let zero = std::time::Duration::ZERO;
    for (error, key) in [
        (refused(|o| o.public_key.clear()), "public_key"),
        (refused(|o| o.public_key = "no base64!".to_owned()), "public_key"),
        (refused(|o| o.public_key = "AAAA".to_owned()), "public_key"),
        (refused(|o| o.base_url = "ftp://host".to_owned()), "base_url"),
        (refused(|o| o.base_url = "openapi.m-pesa.com".to_owned()), "base_url"),
        (refused(|o| o.origin = "a\nb".to_owned()), "origin"),
        (refused(|o| o.service_provider_code = "12".to_owned()), "service_provider_code"),
        (refused(|o| o.service_provider_code = "12-45".to_owned()), "service_provider_code"),
        (refused(|o| o.context = Some("a/b".to_owned())), "context"),
        (refused(|o| o.time_zone = Some("Africa/Nowhere".to_owned())), "time_zone"),
        (refused(|o| o.query_timeout = zero), "query_timeout"),
        (refused(|o| o.session_lifetime = o.activation_delay), "session_lifetime"),
        (refused(|o| o.environment = Environment::OpenApi), "environment"),
        (refused(|o| o.currency = Some("KES".to_owned())), "currency"),
        (
            refused(|o| o.notification_amount_max = Some("1e6".to_owned())),
            "notification_amount_max",
        ),
    ] {
        assert!(error.contains(&format!("`{key}`")), "{key}: {error}");
    }
}

#[test]
fn a_key_that_is_too_small_is_refused_and_the_error_says_so() {
    let error = refused(|o| o.public_key = fixture("session/public-key-of-1024-bits.txt"));
    assert!(error.contains("2048") && error.contains("TooSmall"), "{error}");
}

#[test]
fn a_public_key_may_stand_between_pem_lines() {
    let mut tanzania = mapping("tz");
    let lines: Vec<String> = public_key()
        .as_bytes()
        .chunks(64)
        .map(|l| String::from_utf8(l.to_vec()).unwrap())
        .collect();
    // Some label it as PKCS#1, and some put it on one line.
    for (label, separator) in [("PUBLIC KEY", "\n"), ("RSA PUBLIC KEY", "\n"), ("PUBLIC KEY", "")] {
        tanzania.mpesa.public_key = [
            &format!("-----BEGIN {label}-----"),
            &*lines.join(separator),
            &format!("-----END {label}-----"),
        ]
        .join(separator);
        assert!(start(tanzania.clone(), API_KEY).is_ok(), "{}", tanzania.mpesa.public_key);
    }
}

#[test]
fn a_bad_public_key_is_reported_with_the_remedy() {
    for (key, expected) in [
        (String::new(), "copy it from the portal"),
        (
            "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----".to_owned(),
            "copy it from the portal",
        ),
        ("MIIC...".to_owned(), "not base64"),
        // Cut off while copying; and the API key in its place.
        (public_key().chars().take(200).collect(), "DER SubjectPublicKeyInfo"),
        ("YW4tYXBpLWtleS1vZi10aGUtc2FuZGJv".to_owned(), "DER SubjectPublicKeyInfo"),
    ] {
        let error = refused(|o| o.public_key.clone_from(&key));
        assert!(error.contains("`public_key`") && error.contains(expected), "{key}: {error}");
    }
}

#[test]
fn an_api_key_must_fit_into_one_block() {
    assert!(matches!(start(mapping("tz"), ""), Err(OptionsError::ApiKey)));
    assert!(matches!(start(mapping("tz"), &"k".repeat(246)), Err(OptionsError::ApiKey)));
    assert!(start(mapping("tz"), &"k".repeat(245)).is_ok());
}

#[test]
fn unknown_keys_are_an_error_and_the_key_is_never_printed() {
    let unknown =
        "market = \"tanzania\"\nservice_provider_code = \"000000\"\nsession_life = \"1h\"";
    let error = toml::from_str::<Options>(unknown).unwrap_err().to_string();
    assert!(error.contains("session_life"), "{error}");
    let secrets: Secrets = toml::from_str("api_key = \"do-not-print\"").unwrap();
    assert!(!format!("{secrets:?}").contains("do-not-print"));
}

#[test]
fn dr_congo_can_work_in_its_own_francs() {
    let mut congo = mapping("cd");
    congo.mpesa.currency = Some("CDF".to_owned());
    let mut terms = terms(&congo);
    terms.currency = Currency::from_code("CDF").unwrap();
    let network = Arc::new(Network::new(&NetworkOptions::default()).unwrap());
    let secrets = Secrets { api_key: API_KEY.into() };
    assert!(Mpesa::new(congo.mpesa, secrets, terms, network).is_ok());
}
