//! Callbacks about our own operations: every shape, and how they are acknowledged.

use kiungo_domain::outcome::Reason;
use kiungo_domain::transfer::StepName;
use kiungo_domain::{Finding, Reference};
use kiungo_provider::{CallbackContent, CallbackDecision, CallbackError, Provider, RawCallback};

use crate::world::*;

const RESULT: &str = "results/019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6001";

fn read(callback: &RawCallback) -> Result<CallbackContent, CallbackError> {
    gsma(&Script::new([])).read_callback(callback)
}

fn result(body: &str) -> (Option<Reference>, Finding) {
    match read(&callback("PUT", RESULT, body)).unwrap() {
        CallbackContent::Result { reference, finding } => (reference, finding),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_transaction_is_the_result_of_the_operation_that_its_address_names() {
    let (named, finding) = result(fixture!("collect/completed.json"));
    assert_eq!(named, Some(reference(StepName::First)));
    let Finding::Executed(done) = finding else { panic!("{finding:?}") };
    assert_eq!(done.receipt, receipt("REF-1772357441118"));
    assert_eq!(done.stated.reference, Some(reference(StepName::First)));
}

#[test]
fn an_unfinished_or_unlisted_transaction_is_not_a_result() {
    let with = |word: &str| fixture!("collect/completed.json").replace("completed", word);
    assert!(matches!(result(&with("pending")).1, Finding::InProgress(_)));
    assert!(matches!(result(&with("odd")).1, Finding::Unclear { .. }));
    assert!(matches!(result(&with("failed")).1, Finding::Rejected(_)));
}

#[test]
fn a_failure_names_nothing_and_is_attributed_by_its_address() {
    let (named, finding) = result(fixture!("errors/insufficient-funds.json"));
    assert_eq!(named, Some(reference(StepName::First)));
    let Finding::Rejected(rejection) = finding else { panic!("{finding:?}") };
    assert_eq!(rejection.reason, Reason::InsufficientFunds);
}

#[test]
fn a_failure_that_is_about_another_sending_says_nothing() {
    let limited = r#"{"errorCategory":"businessRule","errorCode":"rateLimitError"}"#;
    for body in [fixture!("errors/duplicate.json"), limited] {
        assert!(matches!(result(body).1, Finding::Unclear { .. }), "{body}");
    }
}

#[test]
fn a_reversal_is_read_at_the_address_of_a_reversal() {
    let path = "results/019a2b3c-4d5e-7f60-8a1b-2c3d4e5f60c1";
    let content = read(&callback("PUT", path, fixture!("reverse/completed.json"))).unwrap();
    let CallbackContent::Result { finding: Finding::Executed(done), .. } = content else {
        panic!()
    };
    assert_eq!(done.receipt, receipt("REF-1772361000200"));
    assert!(matches!(result(fixture!("reverse/completed.json")).1, Finding::Unclear { .. }));
}

#[test]
fn a_request_state_in_place_of_the_resource_is_understood() {
    let (_, finding) = result(fixture!("inquiry/state-failed.json"));
    assert!(matches!(finding, Finding::Rejected(_)), "{finding:?}");
    for body in
        [fixture!("inquiry/state-completed.json"), fixture!("collect/accepted-callback.json")]
    {
        let Finding::InProgress(accepted) = result(body).1 else { panic!("{body}") };
        assert_eq!(accepted.handle.as_deref(), Some(STATE_ID));
    }
}

#[test]
fn an_update_success_is_no_evidence_of_money() {
    assert!(matches!(result(r#"{"result":"success"}"#).1, Finding::Unclear { .. }));
}

#[test]
fn a_correlation_id_must_agree_with_the_address() {
    let with = |id: &str| {
        let mut raw = callback("PUT", RESULT, fixture!("errors/insufficient-funds.json"));
        raw.headers.push(("x-correlationid".to_owned(), id.to_owned()));
        read(&raw)
    };
    assert!(with("019A2B3C-4D5E-7F60-8A1B-2C3D4E5F6001").is_ok());
    for id in ["019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6041", "junk"] {
        assert!(matches!(with(id), Err(CallbackError::Unreadable(_))), "{id}");
    }
}

#[test]
fn a_damaged_body_is_kept_and_not_read() {
    let with = |hash: &str| {
        let mut raw = callback("PUT", RESULT, "{}");
        raw.body = bytes::Bytes::from_static(br#"{"result":"success"}"#);
        raw.headers.push(("x-content-hash".to_owned(), hash.to_owned()));
        read(&raw)
    };
    assert!(matches!(with("0f8e5a3e"), Err(CallbackError::Unreadable(_))));
    assert!(with(RESULT_SUCCESS_SHA256).is_ok());
    assert!(with(&RESULT_SUCCESS_SHA256.to_ascii_uppercase()).is_ok());
}

/// `printf '{"result":"success"}' | sha256sum`
const RESULT_SUCCESS_SHA256: &str =
    "02c045b5a38b1e9a01bf15ab6d48d526dc60a726bf041fe32d153b4ffd71e761";

#[test]
fn what_cannot_be_read_is_said_to_be_unreadable() {
    // A Link has a status too, and is no request state.
    let link = r#"{"sourceAccountIdentifiers":[],"mode":"both","status":"active",
        "linkReference":"REF-1"}"#;
    for body in ["", "{}", "[]", "null", "<html>", r#"{"link":"/x"}"#, "\u{0}", link] {
        let read = read(&callback("PUT", RESULT, body));
        assert!(matches!(read, Err(CallbackError::Unreadable(_))), "{body}: {read:?}");
    }
    for (method, path) in [
        ("PUT", "results/"),
        ("PUT", "results/not-a-reference"),
        ("GET", RESULT),
        ("DELETE", "payments"),
        ("PUT", ""),
        ("PUT", "results/019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6001/more"),
    ] {
        let read = read(&callback(method, path, "{}"));
        assert!(matches!(read, Err(CallbackError::UnknownPath(_))), "{path}: {read:?}");
    }
}

#[test]
fn a_result_is_acknowledged_with_204_and_an_unreadable_one_is_not() {
    let gsma = gsma(&Script::new([]));
    let raw = callback("PUT", RESULT, fixture!("errors/insufficient-funds.json"));
    let reply = gsma.reply(&raw, &CallbackDecision::Accepted);
    assert_eq!((reply.status, reply.body), (204, None));
    let reply = gsma.reply(&raw, &CallbackDecision::Unreadable);
    let body: serde_json::Value = serde_json::from_slice(&reply.body.unwrap().1).unwrap();
    assert_eq!((reply.status, body["errorCode"].as_str()), (400, Some("formatError")));
    assert_eq!(gsma.reply(&callback("PUT", "x", ""), &CallbackDecision::Accepted).status, 404);
}
