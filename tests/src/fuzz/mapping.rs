//! Mapping files: any text is a mapping, or a list of what is wrong with it and where.

use kiungo::families::FAMILIES;
use kiungo_domain::transfer::Operation;
use kiungo_domain::{Money, Msisdn, Timestamp};
use kiungo_mapping::{Mapping, MappingErrors, Problem};
use kiungo_provider::{Parts, Plan};

use super::adapters::{SECRETS, secrets};
use super::script::Script;

/// The name that the file goes by.
const FILE: &str = "provider.toml";
/// The longest complaint, in characters.
const MESSAGE_CHARS_MAX: usize = 1_000;

/// The text of a mapping file.
pub fn mapping_file(data: &[u8]) {
    // Anything else is turned away when the file is read.
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mapping = match FAMILIES.parse(FILE, text) {
        Ok(mapping) => mapping,
        Err(errors) => return check_errors(&errors, text),
    };
    assert_eq!(mapping.file(), FILE);
    match FAMILIES.plan(&mapping) {
        Ok(plan) => {
            check_places(&plan.missing(), text);
            check_adapter(&*plan);
        }
        Err(errors) => check_errors(&errors, text),
    }
    ask(&mapping);
}

/// Every complaint says where and what.
fn check_errors(errors: &MappingErrors, text: &str) {
    assert!(!errors.problems().is_empty(), "wrong, and nothing is");
    check_places(errors.problems(), text);
}

fn check_places(problems: &[Problem], text: &str) {
    let lines = text.split('\n').count();
    for problem in problems {
        let shown = problem.to_string();
        assert_eq!(problem.file, FILE);
        assert!(shown.starts_with(FILE), "{shown:?} does not name the file");
        assert!(problem.line <= lines, "line {} of {lines}", problem.line);
        assert_eq!(problem.line == 0, problem.column == 0, "half a place");
        assert!(!problem.message.trim().is_empty(), "nothing is said");
        let count = problem.message.chars().count();
        assert!(count <= MESSAGE_CHARS_MAX, "a message of {count} characters");
    }
}

/// An adapter is made of its plan or says what is wrong, without what it must keep to itself.
fn check_adapter(plan: &dyn Plan) {
    let addresses = plan.addresses();
    assert!(!addresses.is_empty(), "it sends nowhere");
    let made = plan.build(Parts {
        secrets: &secrets(plan),
        callback_base: Some("https://kiungo.example/callbacks/fuzz/s3cret/".to_owned()),
        transport: Script::new(Vec::new()).shared(),
    });
    match made {
        Ok(adapter) => assert_eq!(*adapter.capabilities(), plan.capabilities()),
        Err(error) => {
            let refused = error.to_string();
            let told = SECRETS.iter().any(|secret| refused.contains(secret));
            assert!(!told, "a secret in {refused:?}");
        }
    }
}

/// Asks a mapping everything that it is asked while it is used.
fn ask(mapping: &Mapping) {
    let payer = Msisdn::parse("255712345678").ok();
    for typed in
        ["", "LN000417", "ln-417", "SA 12", "255712345678", "00000000000000000000000", "٣", "12/3"]
    {
        let readings = mapping.readings(typed);
        assert!(readings.len() <= 12, "{} readings of {typed:?}", readings.len());
        let accounts = mapping.resolve(typed, payer.as_ref());
        for (index, account) in accounts.iter().enumerate() {
            assert!(!accounts[..index].contains(account), "{account:?} twice for {typed:?}");
        }
    }
    for seconds in [0, 1_772_357_400, 4_102_444_799, -1] {
        let at = Timestamp::from_micros(seconds * 1_000_000);
        if let Err(opens) = mapping.open_at(at) {
            assert!(opens > at, "it opens before it is asked");
        }
    }
    let currency = mapping.money().currency;
    for operation in Operation::ON_WALLETS {
        for minor in [0, 1, 99, 100, 12_550, 1_000_000_000, i64::MAX] {
            let Some(amount) = Money::from_minor(minor, currency) else { continue };
            let taken = mapping.check_amount(operation, amount);
            assert!(!(amount.is_zero() && taken.is_ok()), "nothing is an amount");
            if let Some(fee) = mapping.fee(operation, amount) {
                assert_eq!(fee.currency(), currency, "a fee in another currency");
            }
        }
    }
}
