//! The family as the program meets it: what it finds in a mapping, and what it asks for.

use std::sync::Arc;

use kiungo_provider::{BuildError, Families, Parts, Plan, Secrets};
use kiungo_provider_mpesa::MpesaFamily;
use kiungo_transport::{Network, NetworkOptions};

use crate::support::{API_KEY, public_key, shipped};

const FAMILIES: Families = Families(&[&MpesaFamily]);

/// The plan for Tanzania's mapping with a piece of text changed, or the complaint and the line of the
/// new text.
fn plan(from: &str, to: &str) -> Result<Box<dyn Plan>, (String, usize)> {
    let text = shipped("tz").whole();
    assert!(text.contains(from), "{from}");
    let text = text.replacen(from, to, 1);
    let mapping = FAMILIES.parse("tz.toml", &text).unwrap_or_else(|errors| panic!("\n{errors}"));
    let line = text.lines().position(|line| line.contains(to)).unwrap() + 1;
    FAMILIES.plan(&mapping).map_err(|errors| (errors.to_string(), line))
}

fn refused(from: &str, to: &str) -> String {
    let (error, line) = plan(from, to).err().expect("it is refused");
    let place = format!("tz.toml:{line}:");
    let rest = error.strip_prefix(&place).unwrap_or_else(|| panic!("{error} is not at {place}"));
    rest.split_once(' ').unwrap().1.to_owned()
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    assert_eq!(
        refused("market = \"tanzania\"", "market = \"tansania\""),
        "mpesa.market: `tansania` is not one of \"ghana\", \"tanzania\", \"lesotho\", \"dr-congo\", \
         \"mozambique\"; did you mean `tanzania`?"
    );
    assert_eq!(
        refused("service_provider_code = \"000000\"", "service_provider_code = \"12\""),
        "mpesa.service_provider_code: is 4 to 12 letters and digits"
    );
    assert_eq!(
        refused("origin = \"*\"", "public_key = \"MIIC...\""),
        "mpesa.public_key: is not base64: Invalid symbol 46, offset 4."
    );
    let key = refused("session_lifetime = \"1h\"", "session_life = \"1h\"");
    assert!(key.starts_with("mpesa.session_life: is not a key here"), "{key}");
    let resend = refused("when_absent = \"reject\"", "when_absent = \"resend\"");
    assert!(resend.starts_with("inquiry.when_absent: \"resend\" could pay twice"), "{resend}");
}

#[test]
fn a_file_without_a_public_key_can_be_planned_but_not_built() {
    let plan = plan("[mpesa]", "[mpesa]").unwrap_or_else(|(error, _)| panic!("{error}"));
    let missing: Vec<_> = plan.missing().iter().map(ToString::to_string).collect();
    let text = shipped("tz").whole();
    let line = text.lines().position(|line| line == "[mpesa]").unwrap() + 1;
    let said = format!(
        "tz.toml:{line}:1: mpesa.public_key: is missing: copy it from the portal, it belongs to the \
         environment"
    );
    assert_eq!(missing, [said]);
    let secrets = Secrets::default().with("api_key", API_KEY);
    let built = plan.build(Parts { secrets: &secrets, callback_base: None, transport: network() });
    assert!(matches!(built, Err(BuildError::Mapping(_))));
}

#[test]
fn the_api_key_is_needed_and_must_fit() {
    let key = format!("[mpesa]\npublic_key = \"{}\"", public_key());
    let text = shipped("tz").whole().replacen("[mpesa]", &key, 1);
    let mapping = FAMILIES.parse("tz.toml", &text).unwrap();
    let plan = FAMILIES.plan(&mapping).unwrap_or_else(|errors| panic!("\n{errors}"));
    assert!(plan.missing().is_empty());
    let build = |secrets: Secrets| {
        plan.build(Parts { secrets: &secrets, callback_base: None, transport: network() })
    };
    let [secret]: [_; 1] = plan.secrets().try_into().unwrap();
    assert_eq!((secret.name.as_str(), secret.needed_by.is_some()), ("api_key", true));
    let adapter = build(Secrets::default().with("api_key", API_KEY)).ok().unwrap();
    assert_eq!(*adapter.capabilities(), plan.capabilities());
    for (secrets, said) in [
        (Secrets::default(), "the secret `api_key` is missing"),
        (Secrets::default().with("api_key", ""), "the secret `api_key` is missing"),
        (
            Secrets::default().with("api_key", "k".repeat(246)),
            "the secret `api_key` is longer than the public key can encrypt",
        ),
    ] {
        assert_eq!(build(secrets).err().unwrap().to_string(), said);
    }
}

#[test]
fn times_of_a_session_that_cannot_be_right_are_named() {
    let doubts = |from: &str, to: &str| -> Vec<&str> {
        let plan = plan(from, to).unwrap_or_else(|(error, _)| panic!("{error}"));
        plan.doubts().into_iter().map(|doubt| doubt.name).collect()
    };
    assert_eq!(doubts("[mpesa]", "[mpesa]"), [""; 0]);
    let activation = doubts("activation_max = \"3m\"", "activation_max = \"10s\"");
    assert_eq!(activation, ["mpesa_activation"]);
    let lifetime = doubts("session_lifetime = \"1h\"", "session_lifetime = \"2m\"");
    assert_eq!(lifetime, ["mpesa_session_lifetime"]);
}

fn network() -> Arc<Network> {
    Arc::new(Network::new(&NetworkOptions::default()).unwrap())
}
