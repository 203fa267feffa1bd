//! Every decision of `fineract.md` §4.4, and answers that contradict the question.

use kiungo_core_banking::{Booking, Core as _};
use kiungo_domain::outcome::{Awaiting, Reason, Rejection, Retry};
use kiungo_domain::{Money, Outcome};
use serde_json::json;

use super::orders;
use super::script::{
    Reply, cached, core, envelope, error_body, lost, no_booking, ok, reply, unreachable,
};

const DEPOSIT: &str = include_str!("../../fixtures/deposit.json");
const DISBURSE: &str = include_str!("../../fixtures/disburse.json");
const REPAYMENT: &str = include_str!("../../fixtures/repayment.json");
const LOAN_ROW: &str = include_str!("../../fixtures/loan_transaction.json");

async fn on(version: &str, booking: Booking, answer: Reply) -> Outcome {
    let (core, script) = core(json!({"version": version}), vec![answer]);
    let outcome = core.post(&orders::order(booking)).await;
    assert!(script.is_used_up());
    outcome
}

async fn deposit(answer: Reply) -> Outcome {
    on("1.10", Booking::Deposit, answer).await
}

fn retry(outcome: &Outcome) -> Option<(Reason, Retry)> {
    match outcome {
        Outcome::Rejected(Rejection { reason, retry, .. }) => Some((*reason, *retry)),
        _ => None,
    }
}

#[tokio::test]
async fn done_now_and_done_earlier_are_both_done() {
    for answer in [ok(DEPOSIT), cached(200, DEPOSIT)] {
        let Outcome::Executed(confirmation) = deposit(answer).await else { panic!("completed") };
        assert_eq!(confirmation.receipt.as_str(), "567");
        let order = orders::order(Booking::Deposit);
        assert_eq!(confirmation.stated.account, Some(order.account));
        assert_eq!(confirmation.stated.reference, Some(order.reference));
        assert_eq!(confirmation.stated.msisdn, order.msisdn);
    }
}

#[tokio::test]
async fn waiting_for_approval_is_pending_whatever_else_the_body_says() {
    let sample = include_str!("../../fixtures/maker_checker.json");
    let full = r#"{"commandId":991,"savingsId":34,"resourceId":34,"rollbackTransaction":true}"#;
    for body in [sample, full] {
        let Outcome::Pending(acceptance) = deposit(ok(body)).await else { panic!("{body}") };
        assert_eq!(acceptance.awaiting, Awaiting::Approval);
        assert_eq!(acceptance.handle.as_deref(), Some("991"));
    }
}

#[tokio::test]
async fn another_operations_answer_is_never_ours() {
    for (booking, body) in [
        (Booking::Deposit, DEPOSIT.replace("\"savingsId\":34", "\"savingsId\":35")),
        (Booking::Deposit, DEPOSIT.replace("\"savingsId\":34,", "")),
        (Booking::Deposit, DEPOSIT.replace("\"resourceId\":567,", "")),
        (Booking::Deposit, DEPOSIT.replace("001241", "001242")),
        (Booking::Deposit, DEPOSIT.replace("MM7Q2K9", "MM7Q2K8")),
        (Booking::Deposit, DEPOSIT.replace("567", "\"567\"")),
        (Booking::Repay, REPAYMENT.replace("\"loanId\":3", "\"loanId\":4")),
        (Booking::Repay, REPAYMENT.replace("000000001241\"}", "000000001242\"}")),
        (Booking::Repay, REPAYMENT.replace("\"1000.00\"", "\"1000.001\"")),
        (Booking::Disburse, DISBURSE.replace("\"resourceId\":3", "\"resourceId\":4")),
        (Booking::Disburse, DISBURSE.replace("001201", "001202")),
        (Booking::Deposit, "{}".to_owned()),
        (Booking::Deposit, "<html>busy</html>".to_owned()),
        (Booking::Deposit, String::new()),
    ] {
        let outcome = on("1.10", booking, ok(body.clone())).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{body} {outcome:?}");
    }
}

#[tokio::test]
async fn another_echoed_amount_is_stated_for_comparison() {
    let body = REPAYMENT.replace("\"1000.00\"", "\"900.00\"");
    let Outcome::Executed(confirmation) = on("1.10", Booking::Repay, ok(body)).await else {
        panic!("completed")
    };
    assert_eq!(confirmation.stated.amount.map(Money::minor), Some(90_000));
}

#[tokio::test]
async fn a_disbursement_without_its_transaction_is_looked_up() {
    let body = DISBURSE.replace("\"subResourceId\":10,", "");
    let row = LOAN_ROW.replace("\"type\":{\"id\":2", "\"type\":{\"id\":1").replace("1241", "1201");
    let (core, script) = core(json!({}), vec![ok(body), ok(row)]);
    let outcome = core.post(&orders::order(Booking::Disburse)).await;
    assert!(matches!(outcome, Outcome::Executed(c) if c.receipt.as_str() == "12"));
    assert_eq!(
        script.paths()[1],
        "GET /fineract-provider/api/v1/loans/3/transactions/external-id/01900000-0000-7000-8000-000000001201"
    );
}

#[tokio::test]
async fn no_answer_is_unknown_and_no_request_is_not_sent() {
    assert!(matches!(deposit(lost()).await, Outcome::Unknown { .. }));
    assert!(matches!(deposit(unreachable()).await, Outcome::NotSent { .. }));
}

#[tokio::test]
async fn an_unlisted_code_is_unknown() {
    let container = r#"{"timestamp":"2026-09-01T07:15:30Z","status":500,
        "error":"Internal Server Error","path":"/fineract-provider/api/v1/savingsaccounts/34"}"#;
    let two = r#"{"userMessageGlobalisationCode":"validation.msg.validation.errors.exist","errors":[
        {"userMessageGlobalisationCode":"validation.msg.savingsaccount.transaction.note.cannot.be.blank"},
        {"userMessageGlobalisationCode":"error.msg.never.heard.of"}]}"#;
    for answer in [
        reply(425, r#"{"transactionAmount":"1000.00"}"#),
        cached(425, error_body(403, "error.msg.not.authorized")),
        reply(500, container),
        envelope(500, "error.msg.savingsaccount.transaction.account.is.not.active"),
        reply(503, "<html>restarting</html>"),
        reply(502, ""),
        reply(400, "<html>bad request</html>"),
        reply(400, two),
        reply(400, r#"{"userMessageGlobalisationCode":"validation.msg.validation.errors.exist"}"#),
        reply(403, "forbidden by the gateway"),
        reply(404, "<html>no such page</html>"),
        reply(429, "slow down"),
        reply(302, ""),
        reply(201, DEPOSIT),
        reply(202, DEPOSIT),
        envelope(403, "error.msg.never.heard.of"),
        // A listed code under another status is not that code.
        envelope(400, "error.msg.not.authorized"),
    ] {
        let shown = format!("{answer:?}");
        let outcome = deposit(answer).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{shown}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_listed_refusal_is_final_frozen_or_not() {
    let code = "error.msg.savingsaccount.transaction.account.is.not.active";
    let frozen = cached(400, error_body(400, code));
    for answer in [envelope(400, code), frozen] {
        let outcome = deposit(answer).await;
        assert_eq!(retry(&outcome), Some((Reason::AccountState, Retry::Never)));
        let Outcome::Rejected(rejection) = outcome else { panic!("rejected") };
        assert_eq!((rejection.code.as_str(), rejection.message.as_str()), (code, "what happened"));
    }
}

#[tokio::test]
async fn the_two_kinds_of_busy_differ_in_the_key() {
    let conflict = "error.msg.platform.service.optimistic lock.conflict";
    let outcome = deposit(envelope(409, conflict)).await;
    assert_eq!(retry(&outcome), Some((Reason::Busy, Retry::NewReference)));
    for (status, code) in
        [(409, "error.msg.loan.locked"), (503, "error.msg.sheduler.job.currently.running")]
    {
        let outcome = deposit(envelope(status, code)).await;
        assert!(matches!(outcome, Outcome::NotSent { answered: true, .. }), "{code}");
        // Stored after all: the key would bring the same refusal for ever.
        let frozen = deposit(cached(status, error_body(status, code))).await;
        assert_eq!(retry(&frozen), Some((Reason::Busy, Retry::NewReference)), "{code}");
    }
    let bare = r#"{"userMessageGlobalisationCode":"error.msg.invalid.request.body","args":[]}"#;
    assert!(matches!(deposit(reply(409, bare)).await, Outcome::NotSent { answered: true, .. }));
    assert!(matches!(deposit(unreachable()).await, Outcome::NotSent { answered: false, .. }));
}

#[tokio::test]
async fn a_database_error_may_be_a_collision() {
    let refusal = "error.msg.data.integrity.issue";
    for (version, booking, collides) in [
        ("1.8", Booking::Deposit, false),
        ("1.9", Booking::Deposit, true),
        ("1.10", Booking::Repay, true),
        ("1.12", Booking::Deposit, false),
        ("1.14", Booking::Repay, false),
        ("1.15", Booking::Deposit, true),
        ("1.15", Booking::Repay, false),
        ("auto", Booking::Repay, true),
    ] {
        let outcome = on(version, booking, envelope(403, refusal)).await;
        // A collision of keys is never stored, one of external ids is.
        let stored = cached(403, error_body(403, refusal));
        let by_external_id = version == "1.15" && booking == Booking::Deposit;
        // A booking that may have failed is looked up.
        let lookup = by_external_id.then(lost);
        let replies = std::iter::once(stored).chain(lookup).collect();
        let (core, script) = core(json!({"version": version}), replies);
        let again = core.post(&orders::order(booking)).await;
        assert!(script.is_used_up());
        assert_eq!(matches!(again, Outcome::Unknown { .. }), by_external_id, "{again:?}");
        if collides {
            assert!(matches!(outcome, Outcome::Unknown { .. }), "{version} {booking:?}");
        } else {
            assert_eq!(
                retry(&outcome),
                Some((Reason::Busy, Retry::NewReference)),
                "{version} {booking:?}"
            );
        }
    }
}

#[tokio::test]
async fn turned_away_at_the_door_waits_for_repair() {
    let tenant = r#"{"timestamp":"2026-09-01T07:15:30Z","status":400,"error":"Bad Request",
        "path":"/fineract-provider/api/v1/savingsaccounts/34"}"#;
    for answer in [reply(400, tenant), reply(401, ""), reply(401, tenant.replace("400", "401"))] {
        let outcome = deposit(answer).await;
        assert_eq!(retry(&outcome), Some((Reason::Configuration, Retry::AfterRepair)));
    }
}

/// A refusal that the key keeps comes back after the repair as well: only another key leads on. The
/// first time nothing tells yet that it is kept.
#[tokio::test]
async fn a_stored_refusal_that_wants_a_repair_gets_another_reference() {
    let future = || error_body(400, "error.msg.savingsaccount.transaction.in.the.future");
    let outcome = deposit(reply(400, future())).await;
    assert_eq!(retry(&outcome), Some((Reason::DateNotAllowed, Retry::AfterRepair)));
    let outcome = deposit(cached(400, future())).await;
    assert_eq!(retry(&outcome), Some((Reason::DateNotAllowed, Retry::NewReference)));
}

#[tokio::test]
async fn a_refused_day_gets_another_try_only_if_the_calendar_has_changed() {
    let closed = "error.msg.glJournalEntry.invalid.accounting.closed";
    let days = || ok(r#"{"recurrence":"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU"}"#);
    let options = json!({"closed_periods": "next_open_day"});
    let mut order = orders::order(Booking::Deposit);
    order.value_at = kiungo_domain::Timestamp::from_micros(order.at.as_micros() - 86_400_000_000);
    for (closures, expected) in
        [(r#"[{"closingDate":"2026-08-31"}]"#, Retry::NewReference), ("[]", Retry::Never)]
    {
        let replies = vec![ok("[]"), days(), envelope(403, closed), ok(closures), days()];
        let (core, script) = core(options.clone(), replies);
        let outcome = core.post(&order).await;
        assert_eq!(retry(&outcome), Some((Reason::DateNotAllowed, expected)));
        assert!(script.is_used_up());
    }
}

/// `fineract.md` §4.4: a cached 500 means that the handler rolled back; a lookup confirms it, and the
/// key is spent. A 425 comes from the same memory and means nothing of the kind.
#[tokio::test]
async fn a_replayed_failure_is_definite_once_nothing_is_found() {
    const ROWS: &str = include_str!("../../fixtures/savings_transactions.json");
    let again = || cached(500, r#"{"Exception":"null"}"#);
    let after = async |answer: Reply, lookups: Vec<Reply>| {
        let replies = std::iter::once(answer).chain(lookups).collect();
        let (core, script) = core(json!({}), replies);
        let outcome = core.post(&orders::order(Booking::Deposit)).await;
        (outcome, script.is_used_up())
    };
    let (outcome, _) = after(again(), no_booking()).await;
    assert_eq!(retry(&outcome), Some((Reason::Busy, Retry::NewReference)));
    let (outcome, _) = after(again(), vec![ok(ROWS)]).await;
    assert!(matches!(outcome, Outcome::Executed(c) if c.receipt.as_str() == "567"));
    let state = "error.msg.loan.disbursal.account.is.not.approve.not.disbursed.state";
    let refused = cached(400, error_body(400, state));
    let (outcome, _) = after(refused, no_booking()).await;
    assert_eq!(retry(&outcome), Some((Reason::Other, Retry::Never)), "no key changes that");
    let (outcome, _) = after(again(), vec![lost()]).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    let first_time = reply(500, r#"{"status":500,"error":"Internal Server Error"}"#);
    let running = cached(425, "{}");
    for answer in [first_time, running] {
        let (outcome, looked_up) = after(answer, no_booking()).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }) && !looked_up, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_replayed_failure_of_an_undo_is_definite_once_the_booking_still_stands() {
    let row = json!({"id": 567, "transactionType": {"id": 2}, "accountId": 34, "amount": 1000.0,
        "reversed": false});
    let refused = cached(500, r#"{"Exception":"null"}"#);
    let replies = vec![ok(row.to_string()), refused, ok(row.to_string()), ok("[]")];
    let (core, script) = core(json!({}), replies);
    let outcome = core.undo(&orders::undo(Booking::Withdraw)).await;
    assert_eq!(retry(&outcome), Some((Reason::Busy, Retry::NewReference)));
    assert!(script.is_used_up());
}
