//! Inquiries about an operation.

use kiungo_domain::outcome::{Reason, Rejection};
use kiungo_domain::transfer::StepName;
use kiungo_domain::{Finding, Receipt};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{Provider, WalletInquiry};
use kiungo_provider_gsma::LinkStyle;

use crate::world::*;

const STATE: &str = "GET /requeststates/5b0f6b1e-9c1d-4a77-8a53-0d2b7c9e4f10";
const RESPONSES: &str = "GET /responses/019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6001";
const TRANSACTION: &str = "GET /transactions/REF-1772357441118";

async fn ask(handle: Option<&str>, steps: &[Reply]) -> (Finding, Vec<String>) {
    let script = Script::new(steps.iter().cloned());
    let finding = gsma(&script).inquire(&inquiry(handle)).await;
    (finding, lines(&script))
}

fn executed(finding: &Finding) -> &Receipt {
    let Finding::Executed(done) = finding else { panic!("{finding:?}") };
    assert_eq!(done.stated.amount, Some(money("125.50")));
    assert_eq!(done.stated.msisdn, Some(msisdn()));
    &done.receipt
}

fn refused(finding: Finding) -> Rejection {
    let Finding::Rejected(rejection) = finding else { panic!("{finding:?}") };
    rejection
}

fn not_found() -> Reply {
    answer(404, fixture!("errors/not-found.json"))
}

fn completed() -> Reply {
    answer(200, fixture!("collect/completed.json"))
}

fn pending() -> Reply {
    answer(200, fixture!("collect/accepted-polling.json"))
}

#[tokio::test]
async fn a_completed_request_counts_once_its_transaction_is_read() {
    let steps = [answer(200, fixture!("inquiry/state-completed.json")), completed()];
    let (finding, lines) = ask(Some(STATE_ID), &steps).await;
    assert_eq!(executed(&finding), &receipt("REF-1772357441118"));
    assert_eq!(lines, [STATE, TRANSACTION]);
}

#[tokio::test]
async fn the_transaction_and_not_the_request_state_has_the_last_word() {
    let failed = fixture!("collect/completed.json").replace("completed", "failed");
    let steps =
        [answer(200, fixture!("inquiry/state-completed.json")), answer(200, &failed), not_found()];
    let (finding, _) = ask(Some(STATE_ID), &steps).await;
    assert_eq!(refused(finding).code, "failed");
}

#[tokio::test]
async fn a_provisional_reference_of_a_pending_request_is_not_read() {
    let (finding, lines) = ask(Some(STATE_ID), &[pending(), not_found()]).await;
    let Finding::InProgress(accepted) = finding else { panic!("{finding:?}") };
    assert_eq!(accepted.handle.as_deref(), Some(STATE_ID));
    assert_eq!(lines, [STATE, RESPONSES]);
}

#[tokio::test]
async fn a_request_state_stuck_in_pending_is_overruled_by_the_transaction() {
    let steps = [pending(), answer(200, fixture!("inquiry/link-relative.json")), completed()];
    let (finding, lines) = ask(Some(STATE_ID), &steps).await;
    executed(&finding);
    assert_eq!(lines, [STATE, RESPONSES, TRANSACTION]);
}

#[tokio::test]
async fn a_failed_request_is_refused_unless_the_first_sending_was_executed() {
    let failed = || answer(200, fixture!("inquiry/state-failed.json"));
    let (finding, _) = ask(Some(STATE_ID), &[failed(), not_found()]).await;
    assert_eq!(refused(finding).reason, Reason::CustomerDeclined);
    let steps = [failed(), answer(200, fixture!("inquiry/link-relative.json")), completed()];
    let (finding, _) = ask(Some(STATE_ID), &steps).await;
    executed(&finding);
}

#[tokio::test]
async fn a_duplicate_is_looked_up_by_our_own_id() {
    let duplicate = fixture!("inquiry/state-failed.json")
        .replace("authorisation", "businessRule")
        .replace("requestDeclined", "duplicateRequest");
    let steps =
        [answer(200, &duplicate), answer(200, fixture!("inquiry/link-relative.json")), completed()];
    let (finding, _) = ask(Some(STATE_ID), &steps).await;
    executed(&finding);
    let (finding, _) = ask(Some(STATE_ID), &[answer(200, &duplicate), not_found()]).await;
    assert!(matches!(finding, Finding::Unclear { .. }), "{finding:?}");
}

#[tokio::test]
async fn links_are_read_absolute_and_relative() {
    for link in [fixture!("inquiry/link-relative.json"), fixture!("inquiry/link-absolute.json")] {
        let (finding, lines) = ask(None, &[answer(200, link), completed()]).await;
        executed(&finding);
        assert_eq!(lines, [RESPONSES, TRANSACTION]);
    }
}

#[tokio::test]
async fn a_link_to_a_foreign_host_is_not_followed() {
    let (finding, lines) = ask(None, &[answer(200, fixture!("inquiry/link-foreign.json"))]).await;
    assert!(matches!(finding, Finding::Unclear { .. }), "{finding:?}");
    assert_eq!(lines, [RESPONSES]);
}

#[tokio::test]
async fn path_only_reads_an_internal_link_at_our_own_host() {
    let mut mapping = Mapping::newer();
    mapping.gsma.links = LinkStyle::PathOnly;
    let script = Script::new([answer(200, fixture!("inquiry/link-foreign.json")), completed()]);
    let finding = mapping.adapter(script.clone()).inquire(&inquiry(None)).await;
    executed(&finding);
    assert_eq!(lines(&script), [RESPONSES, TRANSACTION]);
}

#[tokio::test]
async fn a_link_to_an_error_is_the_recorded_failure() {
    let steps = [
        answer(200, fixture!("inquiry/link-error.json")),
        answer(200, fixture!("errors/insufficient-funds.json")),
    ];
    let (finding, lines) = ask(None, &steps).await;
    assert_eq!(refused(finding).reason, Reason::InsufficientFunds);
    assert_eq!(lines, [RESPONSES, "GET /errors/45678"]);
}

#[tokio::test]
async fn only_an_error_object_about_our_own_id_means_absent() {
    let (finding, _) = ask(None, &[not_found()]).await;
    assert_eq!(finding, Finding::Absent);
    let (finding, _) = ask(Some(STATE_ID), &[not_found(), not_found()]).await;
    assert_eq!(finding, Finding::Absent);
    let link = answer(200, fixture!("inquiry/link-relative.json"));
    for steps in [
        vec![answer(404, fixture!("errors/gateway.html"))],
        vec![answer(404, r#"{"errorCategory":"validation","errorCode":"genericError"}"#)],
        vec![answer(400, fixture!("errors/not-found.json"))],
        vec![link, not_found()],
    ] {
        let (finding, _) = ask(None, &steps).await;
        assert!(matches!(finding, Finding::Unclear { .. }), "{steps:?}: {finding:?}");
    }
    // Accepted once, then not readable: that is no evidence of absence.
    let (finding, _) = ask(Some(STATE_ID), &[answer(503, ""), not_found()]).await;
    assert!(matches!(finding, Finding::Unclear { .. }), "{finding:?}");
}

#[tokio::test]
async fn a_failed_question_says_nothing() {
    for step in [
        unreachable(),
        lost(),
        answer(500, fixture!("errors/not-found.json")),
        answer(200, fixture!("errors/gateway.html")),
        answer(200, "{}"),
        answer(401, fixture!("errors/gateway-401.json")),
        answer(200, r#"{"link":"https://[broken"}"#),
    ] {
        let (finding, _) = ask(None, std::slice::from_ref(&step)).await;
        assert!(matches!(finding, Finding::Unclear { .. }), "{step:?}: {finding:?}");
    }
}

#[tokio::test]
async fn a_reversed_transaction_is_said_to_be_reversed() {
    let reversed = fixture!("collect/completed.json").replace("completed", "Reversed");
    let steps = [answer(200, fixture!("inquiry/link-relative.json")), answer(200, &reversed)];
    let (finding, _) = ask(None, &steps).await;
    let Finding::Reversed(done) = finding else { panic!("{finding:?}") };
    assert_eq!(done.receipt, receipt("REF-1772357441118"));
}

#[tokio::test]
async fn a_transaction_handle_is_read_directly() {
    let (finding, lines) = ask(Some("transactions/REF-1772357441118"), &[completed()]).await;
    executed(&finding);
    assert_eq!(lines, [TRANSACTION]);
}

#[tokio::test]
async fn a_reversal_is_not_confirmed_by_its_original() {
    let question = WalletInquiry {
        reference: reference(StepName::UndoFirst),
        operation: WalletOperation::Reverse,
        original: Some(receipt("REF-1772357441118")),
        ..inquiry(None)
    };
    for (body, confirms) in
        [(fixture!("reverse/completed.json"), true), (fixture!("collect/completed.json"), false)]
    {
        let steps = [answer(200, fixture!("inquiry/link-relative.json")), answer(200, body)];
        let finding = gsma(&Script::new(steps)).inquire(&question).await;
        assert_eq!(matches!(finding, Finding::Executed(_)), confirms, "{finding:?}");
        assert_eq!(matches!(finding, Finding::Unclear { .. }), !confirms, "{finding:?}");
    }
}

#[tokio::test]
async fn without_responses_only_a_handle_can_be_asked_with() {
    let mapping = || {
        let mut mapping = Mapping::newer();
        mapping.gsma.responses = false;
        mapping
    };
    let script = Script::new([]);
    let finding = mapping().adapter(script.clone()).inquire(&inquiry(None)).await;
    assert!(matches!(finding, Finding::Unclear { .. }), "{finding:?}");
    let script = Script::new([pending()]);
    let gsma = mapping().adapter(script.clone());
    assert!(!gsma.capabilities().inquires_by_reference);
    let finding = gsma.inquire(&inquiry(Some(STATE_ID))).await;
    assert!(matches!(finding, Finding::InProgress(_)), "{finding:?}");
}

#[tokio::test]
async fn a_hostile_object_reference_stays_one_path_segment() {
    let state = fixture!("inquiry/state-completed.json")
        .replace("REF-1772357441118", "../accounts/balance?x=1");
    let steps = [answer(200, &state), answer(404, ""), not_found()];
    let (_, lines) = ask(Some(STATE_ID), &steps).await;
    assert_eq!(lines[1], "GET /transactions/..%2Faccounts%2Fbalance%3Fx%3D1");
}
