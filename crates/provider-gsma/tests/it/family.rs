//! The family as the program meets it: what it finds in a mapping, and what it asks for.

use kiungo_provider::{BuildError, Families, Parts, Plan, Secrets};
use kiungo_provider_gsma::GsmaFamily;

use crate::world::{Script, shipped};

const FAMILIES: Families = Families(&[&GsmaFamily]);
fn text(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(shipped("gsma-sandbox"), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

fn plan(changes: &[(&str, &str)]) -> Box<dyn Plan> {
    let mapping = FAMILIES.parse("bank.toml", &text(changes)).unwrap();
    FAMILIES.plan(&mapping).unwrap_or_else(|errors| panic!("\n{errors}"))
}

/// The complaint about a changed file: one line for each, whose place is checked to be the line
/// with the text.
fn refused(changes: &[(&str, &str)], at: &str) -> String {
    let text = text(changes);
    let mapping = FAMILIES.parse("bank.toml", &text).unwrap();
    let error = FAMILIES.plan(&mapping).err().expect("it is refused").to_string();
    let line = text.lines().position(|line| line.contains(at)).unwrap() + 1;
    let place = format!("bank.toml:{line}:");
    let rest = error.strip_prefix(&place).unwrap_or_else(|| panic!("{error} is not at {place}"));
    rest.split_once(' ').unwrap().1.to_owned()
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let account = "type = \"accountid\"";
    assert_eq!(
        refused(&[(account, "type = \"acountid\"")], "acountid"),
        "gsma.account.type: `acountid` is no key of accounts in this API; did you mean `accountid`?"
    );
    assert_eq!(
        refused(&[("auth = \"oauth2\"", "auth = \"oauth\"")], "auth = \"oauth\""),
        "gsma.auth: `oauth` is not one of \"none\", \"basic\", \"oauth2\"; did you mean `oauth2`?"
    );
    let url = "not an absolute http or https URL without user and query";
    let file = shipped("gsma-sandbox");
    let base_url = file.lines().find(|line| line.starts_with("base_url")).unwrap();
    assert_eq!(
        refused(&[(base_url, "base_url = \"ftp://x\"")], "ftp://x"),
        format!("gsma.base_url: {url}")
    );
    let duplicate = "\"businessRule/duplicateRequest\" = { means = \"unknown\"";
    let line = file.lines().find(|line| line.starts_with(duplicate)).expect("a duplicate");
    let refusal = "\"businessRule/duplicateRequest\" = { means = \"pending\" }";
    assert_eq!(
        refused(&[(line, refusal)], refusal),
        "codes.all.businessRule/duplicateRequest: a duplicate request means unknown, so that it is \
         asked about"
    );
}

#[test]
fn nothing_is_sent_again_without_a_promise() {
    let file = shipped("gsma-sandbox");
    let promise = file.lines().find(|line| line.starts_with("rejects_duplicates")).unwrap();
    let none = (promise, "rejects_duplicates = false");
    let error = refused(&[none], "when_absent = \"resend\"");
    assert!(error.starts_with("inquiry.when_absent: \"resend\" could pay twice"), "{error}");
    assert!(error.contains("inquiry.when_payout_absent: "), "both: {error}");
    let cases = [
        none,
        ("when_absent = \"resend\"", "when_absent = \"case\""),
        ("when_payout_absent = \"resend\"", "when_payout_absent = \"reject\""),
    ];
    assert!(!plan(&cases).capabilities().resend_is_idempotent);
    assert!(plan(&[]).capabilities().resend_is_idempotent);
}

#[test]
fn a_child_cannot_change_a_promise_that_its_parent_states() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("whole.toml"), shipped("gsma-sandbox")).unwrap();
    let said = |child: &str| {
        let file = folder.path().join("bank.toml");
        std::fs::write(&file, format!("extends = \"whole\"\n{child}")).unwrap();
        let mapping = FAMILIES.load(&file).unwrap_or_else(|errors| panic!("\n{errors}"));
        FAMILIES.plan(&mapping).err().map(|errors| errors.to_string()).unwrap_or_default()
    };
    assert_eq!(said("[gsma]\ncollect_timeout_s = 90\n"), "");
    for (child, key) in [
        ("[gsma]\nrejects_duplicates = false", "gsma.rejects_duplicates"),
        ("[gsma]\nindexing_window_s = 1", "gsma.indexing_window_s"),
        ("unset = [\"gsma.rejects_duplicates\"]", "gsma.rejects_duplicates"),
        ("unset = [\"gsma.payments\"]", "gsma.payments.confirms"),
    ] {
        let error = said(child);
        let sealed = format!("{key}: is a promise of the provider, which ");
        assert!(error.contains("bank.toml:") && error.contains(&sealed), "{child}: {error}");
    }
}

#[test]
fn secrets_and_addresses_depend_on_the_login() {
    let needed = |plan: &dyn Plan| -> Vec<String> {
        let needed = plan.secrets().into_iter().filter(|secret| secret.needed_by.is_some());
        needed.map(|secret| secret.name).collect()
    };
    let addresses = |plan: &dyn Plan| -> Vec<String> {
        plan.addresses().into_iter().map(|address| address.key).collect()
    };
    let oauth2 = plan(&[]);
    assert_eq!(needed(&*oauth2), ["client_id", "client_secret"]);
    assert_eq!(addresses(&*oauth2), ["gsma.base_url", "gsma.token_url"]);
    assert!(oauth2.missing().is_empty());
    let basic = plan(&[("auth = \"oauth2\"", "auth = \"basic\"")]);
    assert_eq!(needed(&*basic), ["user", "password"]);
    assert_eq!(needed(&*plan(&[("auth = \"oauth2\"", "auth = \"none\"")])), [""; 0]);
    assert!(basic.secrets().iter().any(|secret| secret.name == "api_key"));
}

#[test]
fn an_adapter_is_built_of_a_plan_and_its_secrets() {
    let plan = plan(&[]);
    let build = |secrets: &Secrets| {
        plan.build(Parts { secrets, callback_base: None, transport: Script::new([]) })
    };
    let half = Secrets::default().with("client_id", "us");
    let Err(BuildError::Secret { name, why }) = build(&half) else { panic!("half a login") };
    assert_eq!((name.as_str(), why.as_str()), ("client_secret", "is needed by auth = \"oauth2\""));
    let all = half.with("client_secret", "hush");
    assert_eq!(*build(&all).ok().unwrap().capabilities(), plan.capabilities());
    let broken = build(&all.with("api_key", "hush\nhush")).err().unwrap().to_string();
    assert!(broken.contains("api_key") && !broken.contains("hush"), "{broken}");
}
