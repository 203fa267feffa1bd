//! Options, secrets and tables that cannot work are refused before anything is sent.

use kiungo_provider::{CodeLine, Meaning};
use kiungo_provider_gsma::{
    AccountId, AuthScheme, Gsma, Institution, Options, OptionsError, Secrets,
};

use crate::world::*;

fn error(change: impl FnOnce(&mut Mapping)) -> OptionsError {
    let mut mapping = Mapping::newer();
    change(&mut mapping);
    let terms = mapping.terms();
    Gsma::new(mapping.gsma, secrets(), terms, Script::new([])).unwrap_err()
}

#[test]
fn unusable_options_are_named() {
    for url in ["", "mm.example/mm", "ftp://mm.example", "https://u:p@mm.example", "https://x/?a=b"]
    {
        let error = error(|mapping| url.clone_into(&mut mapping.gsma.base_url));
        assert!(matches!(error, OptionsError::Url { key: "base_url" }), "{url}: {error}");
        assert!(!error.to_string().contains("u:p"), "{error}");
    }
    let missing = error(|mapping| {
        mapping.gsma.auth = AuthScheme::Oauth2;
        mapping.gsma.token_url = None;
    });
    assert!(matches!(missing, OptionsError::Missing { key: "token_url", .. }));
    let empty = AccountId { kind: String::new(), id: "1".to_owned() };
    let account = error(|mapping| mapping.gsma.account = empty);
    assert!(matches!(account, OptionsError::Unusable { key: "account", .. }));
    let odd = Institution { kind: "bank".to_owned(), id: "1".to_owned() };
    let institution = error(|mapping| mapping.gsma.institution = Some(odd));
    assert!(matches!(institution, OptionsError::Unusable { key: "institution", .. }));
    let wait = error(|mapping| mapping.gsma.read_timeout_s = 0);
    assert!(matches!(wait, OptionsError::Unusable { key: "read_timeout_s", .. }));
}

#[test]
fn a_table_that_would_lose_or_double_money_is_refused() {
    let line = |means| CodeLine { means, reason: None, retry: None, text: None };
    for (code, means) in [
        ("BusinessRule/Duplicate Request", Meaning::Rejected),
        ("validation/duplicateRequest", Meaning::NotSent),
        ("businessRule/genericError2", Meaning::Completed),
        ("Business Rule/insufficientFunds", Meaning::Rejected),
    ] {
        let error = error(|mapping| {
            mapping.codes.all.insert(code.to_owned(), line(means));
        });
        assert!(matches!(error, OptionsError::Code { table: "all", .. }), "{code}: {error}");
    }
}

#[test]
fn missing_and_unsendable_secrets_are_named_and_never_printed() {
    let build = |secrets: Secrets| {
        let mapping = Mapping::newer();
        let terms = mapping.terms();
        Gsma::new(mapping.gsma, secrets, terms, Script::new([])).unwrap_err().to_string()
    };
    let without = Secrets { password: None, ..secrets() };
    assert_eq!(build(without), "gsma.password: needed by auth = \"basic\"");
    let broken = build(Secrets { api_key: Some("hush\nhush".into()), ..secrets() });
    assert!(broken.contains("api_key") && !broken.contains("hush"), "{broken}");
    assert!(!format!("{:?}", secrets()).contains("hush"));
    let gsma = Mapping::newer().adapter(Script::new([]));
    assert!(!format!("{gsma:?}").contains("pass word"));
}

#[test]
fn the_defaults_are_those_that_the_sandbox_file_writes_out() {
    let least = r#"base_url = "https://x/mm"
account = { type = "accountid", id = "4400" }"#;
    let least: Options = toml::from_str(least).unwrap();
    let written = Mapping::written(&shipped("gsma-sandbox")).gsma;
    let mut expected = written.clone();
    expected.base_url = least.base_url.clone();
    expected.token_url = None;
    expected.payments.validates = false;
    assert_eq!(least, expected);
}

#[test]
fn an_unknown_key_is_an_error() {
    let text = r#"base_url = "https://x"
account = { type = "accountid", id = "1" }
retries = 3"#;
    let error = toml::from_str::<Options>(text).unwrap_err().to_string();
    assert!(error.contains("retries"), "{error}");
}
