//! Every row of the code table of `gsma-mobile-money-api.md` §6.3, through both mapping files.

use kiungo_domain::outcome::Reason;
use kiungo_domain::{Finding, Outcome};
use kiungo_provider::Provider;

use crate::world::*;

/// The outcome that a code must come to as the answer to a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comes {
    Refused(Reason),
    NotSent,
    Unknown,
}
use Comes::{NotSent, Refused, Unknown};
use Reason::{
    AccountNotFound, AccountState, AmountNotAllowed, Configuration, CustomerDeclined,
    InsufficientFunds, LimitExceeded, Other,
};

const TABLE: [(&str, &str, Comes); 39] = [
    ("businessRule", "genericError", Refused(Other)),
    ("validation", "genericError", Refused(Configuration)),
    ("internal", "genericError", Unknown),
    ("serviceUnavailable", "genericError", Unknown),
    ("businessRule", "dailyVolumeLimitExceeded", Refused(LimitExceeded)),
    ("businessRule", "dailyValueLimitExceeded", Refused(LimitExceeded)),
    ("businessRule", "weeklyVolumeLimitExceeded", Refused(LimitExceeded)),
    ("businessRule", "weeklyValueLimitExceeded", Refused(LimitExceeded)),
    ("businessRule", "monthlyVolumeLimitExceeded", Refused(LimitExceeded)),
    ("businessRule", "monthlyValueLimitExceeded", Refused(LimitExceeded)),
    ("businessRule", "accountMaxTotalValueExceeded", Refused(LimitExceeded)),
    ("businessRule", "accountMaxTotalVolumeExceeded", Refused(LimitExceeded)),
    ("businessRule", "lessThanTransactionMinValue", Refused(AmountNotAllowed)),
    ("businessRule", "greaterThanTransactionMaxValue", Refused(AmountNotAllowed)),
    ("businessRule", "maxBalanceExceeded", Refused(LimitExceeded)),
    ("businessRule", "samePartiesError", Refused(Configuration)),
    ("businessRule", "duplicateRequest", Unknown),
    ("businessRule", "insufficientFunds", Refused(InsufficientFunds)),
    ("businessRule", "incorrectState", Refused(AccountState)),
    ("businessRule", "underPaymentNotAllowed", Refused(AmountNotAllowed)),
    ("businessRule", "overPaymentNotAllowed", Refused(AmountNotAllowed)),
    ("businessRule", "rateLimitError", NotSent),
    ("businessRule", "transactionTypeError", Refused(Configuration)),
    ("businessRule", "noMandateAuthority", Refused(Configuration)),
    ("businessRule", "linkViolation", Refused(Configuration)),
    ("businessRule", "countryofOriginNotPermitted", Refused(Other)),
    ("businessRule", "nationalityNotPermitted", Refused(Other)),
    ("businessRule", "idDocumentNotSupported", Refused(Other)),
    ("businessRule", "issuingCountryNotSupported", Refused(Other)),
    ("businessRule", "quoteHasExpired", Refused(Other)),
    ("identification", "identifierError", Refused(AccountNotFound)),
    ("validation", "lengthError", Refused(Configuration)),
    ("validation", "formatError", Refused(Configuration)),
    ("validation", "negativeValue", Refused(AmountNotAllowed)),
    ("validation", "currencyNotSupported", Refused(AmountNotAllowed)),
    ("validation", "mandatoryValueNotSupplied", Refused(Configuration)),
    ("validation", "invalidOffset", Refused(Configuration)),
    ("authorisation", "requestDeclined", Refused(CustomerDeclined)),
    ("authorisation", "clientAuthorisationError", NotSent),
];
const PERMISSIONS: [&str; 2] =
    ["requestingPartyAuthorisationError", "servicingPartyAuthorisationError"];

fn status(category: &str) -> u16 {
    match category {
        "authorisation" => 401,
        "identification" => 404,
        _ => 400,
    }
}

fn comes(outcome: &Outcome) -> Comes {
    match outcome {
        Outcome::Rejected(rejection) => Refused(rejection.reason),
        Outcome::NotSent { .. } => NotSent,
        _ => Unknown,
    }
}

#[tokio::test]
async fn every_listed_code_comes_to_what_the_table_says_in_every_spelling() {
    let permissions = PERMISSIONS.map(|code| ("authorisation", code, Refused(Configuration)));
    for (category, code, expected) in TABLE.into_iter().chain(permissions) {
        for mapping in [Mapping::newer, Mapping::older] {
            let pascal = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
            for (category, code) in
                [(category.to_owned(), code.to_owned()), (pascal(category), pascal(code))]
            {
                let body = format!(r#"{{"errorCategory":"{category}","errorCode":"{code}"}}"#);
                let script = Script::new([answer(status(&category.to_ascii_lowercase()), &body)]);
                let outcome = mapping().adapter(script).collect(&collection()).await;
                assert_eq!(comes(&outcome), expected, "{category}/{code}: {outcome:?}");
            }
        }
    }
}

#[test]
fn every_listed_code_has_a_text_and_every_rejection_a_reason() {
    for mapping in [Mapping::newer(), Mapping::older()] {
        let tables = mapping.codes;
        assert_eq!(tables.all.len(), TABLE.len() + PERMISSIONS.len() + 2);
        for (code, line) in tables.lines() {
            assert!(line.text.is_some(), "{code}");
            let rejected = line.means == kiungo_provider::Meaning::Rejected;
            assert!(!rejected || line.reason.is_some(), "{code}");
        }
    }
}

#[tokio::test]
async fn an_empty_float_can_be_tried_again_and_an_unclear_reversal_is_asked_about() {
    let script = Script::new([answer(400, fixture!("errors/insufficient-funds.json"))]);
    let Outcome::Rejected(rejection) = gsma(&script).pay_out(&payout()).await else { panic!() };
    assert_eq!(rejection.retry, kiungo_domain::outcome::Retry::NewReference);
    let body = r#"{"errorCategory":"businessRule","errorCode":"incorrectState"}"#;
    let script = Script::new([answer(400, body)]);
    let gsma = gsma(&script);
    let outcome = gsma.reverse().unwrap().reverse(&reversal()).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_recorded_rate_limit_uses_its_reference_up() {
    let steps = [
        answer(200, fixture!("inquiry/link-error.json")),
        answer(200, r#"{"errorCategory":"businessRule","errorCode":"rateLimitError"}"#),
    ];
    let finding = gsma(&Script::new(steps)).inquire(&inquiry(None)).await;
    let Finding::Rejected(rejection) = finding else { panic!("{finding:?}") };
    assert_eq!(rejection.reason, Reason::Busy);
    assert_eq!(rejection.retry, kiungo_domain::outcome::Retry::NewReference);
}
