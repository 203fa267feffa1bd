//! Faults: what each does to the books, to the answer, and to the key.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use kiungo_simulator::faults::{Fault, Plan};
use kiungo_simulator_fineract::Version;
use serde_json::json;

use super::{World, posting};

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_told_from_a_lost_request_only_by_the_books() {
    for (fault, booked) in [(Fault::ResetBefore, 0), (Fault::ResetAfter, 1)] {
        let world = World::of(Version::V1_12);
        world.suffer("deposit", fault);
        assert!(world.deposit("k", "10.00").await.reset);
        assert_eq!(world.operations().len(), booked, "{fault:?}");
        world.recover();
        let again = world.deposit("k", "10.00").await;
        assert_eq!((again.status, again.cached), (200, booked == 1));
        assert_eq!(world.operations(), ["deposit"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_or_a_page_after_the_work_hides_a_booking() {
    for (fault, status, kind) in
        [(Fault::ErrorAfter, 500, "application/json"), (Fault::HtmlAfter, 502, "text/html")]
    {
        let world = World::of(Version::V1_12);
        world.suffer("repay", fault);
        let reply = world.repay("k", "10.00").await;
        assert_eq!((reply.status, reply.content_type.as_str()), (status, kind));
        assert_eq!(world.operations(), ["repay"]);
        world.recover();
        assert!(world.repay("k", "10.00").await.cached);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_before_the_work_is_a_page_a_scheduler_or_a_frozen_500() {
    let (mut pages, mut schedulers, mut frozen) = (0, 0, 0);
    for amount in 1..=30 {
        let world = World::of(Version::V1_12);
        world.suffer("deposit", Fault::ErrorBefore);
        let amount = format!("{amount}.00");
        let reply = world.deposit("k", &amount).await;
        assert_eq!(world.operations().len(), 0);
        world.recover();
        let again = world.deposit("k", &amount).await;
        if reply.content_type == "text/html" {
            pages += 1;
            assert_eq!((reply.status, again.status, again.cached), (503, 200, false));
        } else if reply.status == 503 {
            schedulers += 1;
            assert_eq!(reply.code(), "error.msg.sheduler.job.currently.running");
            assert_eq!((again.status, again.cached), (200, false));
        } else {
            frozen += 1;
            assert_eq!((reply.status, again.status, again.cached), (500, 500, true));
            assert_eq!(world.deposit("new", &amount).await.status, 200);
        }
    }
    assert!(pages > 0 && schedulers > 0 && frozen > 0, "{pages} {schedulers} {frozen}");
}

#[tokio::test(start_paused = true)]
async fn slow_is_done_at_once_and_late_work_is_done_though_the_client_has_gone() {
    for (fault, booked) in [(Fault::Slow, 1), (Fault::LateWork, 0)] {
        let world = World::of(Version::V1_12);
        world.suffer("withdraw", fault);
        let impatient =
            tokio::time::timeout(Duration::from_millis(500), world.withdraw("k", "10.00")).await;
        assert!(impatient.is_err());
        assert_eq!(world.operations().len(), booked, "{fault:?}");
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(world.operations(), ["withdraw"]);
        world.recover();
        assert!(world.withdraw("k", "10.00").await.cached);
    }
}

#[tokio::test(start_paused = true)]
async fn a_locked_loan_is_not_stored_and_a_locked_savings_account_is_frozen() {
    let world = World::of(Version::V1_12);
    world.suffer("repay", Fault::Locked);
    let reply = world.repay("k", "10.00").await;
    assert_eq!((reply.status, reply.content_type.as_str()), (409, ""));
    assert_eq!(reply.json()["userMessageGlobalisationCode"], "error.msg.loan.locked");
    world.suffer("deposit", Fault::Locked);
    let reply = world.deposit("k", "10.00").await;
    let code = "error.msg.platform.service.optimistic lock.conflict";
    assert_eq!(
        (reply.status, reply.json()["userMessageGlobalisationCode"].as_str()),
        (409, Some(code))
    );
    world.recover();
    assert_eq!(world.repay("k", "10.00").await.status, 200, "same key");
    let again = world.deposit("k", "10.00").await;
    assert_eq!((again.status, again.cached), (409, true));
    assert_eq!(world.deposit("new", "10.00").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn contention_shows_as_a_conflict_or_as_a_database_error_and_books_nothing() {
    let (mut conflicts, mut errors) = (0, 0);
    for amount in 1..=40 {
        let world = World::of(Version::V1_14);
        world.suffer("withdraw", Fault::Locked);
        let reply = world.withdraw("k", &format!("{amount}.00")).await;
        match reply.status {
            409 => conflicts += 1,
            403 => {
                assert_eq!(reply.code(), "error.msg.data.integrity.issue");
                errors += 1;
            }
            other => panic!("{other}"),
        }
        assert_eq!(world.operations().len(), 0);
    }
    assert!(conflicts > errors && errors > 0, "{conflicts} {errors}");
}

#[tokio::test(start_paused = true)]
async fn refusals_are_in_the_cores_own_words_and_change_nothing() {
    let world = World::of(Version::V1_12);
    let savings_closed = "error.msg.savingsaccount.transaction.account.is.not.active";
    let closed_books = "error.msg.glJournalEntry.invalid.accounting.closed";
    for (operation, fault, code) in [
        ("deposit", Fault::AccountClosed, savings_closed),
        ("withdraw", Fault::AccountClosed, savings_closed),
        ("repay", Fault::AccountClosed, "error.msg.loan.must.be.active.fully.paid.or.overpaid"),
        (
            "disburse",
            Fault::AccountClosed,
            "error.msg.loan.disbursal.account.is.not.approve.not.disbursed.state",
        ),
        ("deposit", Fault::DateRefused, closed_books),
        ("withdraw", Fault::DateRefused, closed_books),
        ("repay", Fault::DateRefused, closed_books),
        ("disburse", Fault::DateRefused, closed_books),
    ] {
        world.suffer(operation, fault);
        let reply = match operation {
            "deposit" => world.deposit("", "1.00").await,
            "withdraw" => world.withdraw("", "1.00").await,
            "repay" => world.repay("", "1.00").await,
            _ => world.disburse("", "").await,
        };
        assert_eq!(reply.code(), code, "{operation} {fault:?}");
    }
    assert_eq!(world.operations().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_undo_can_be_refused_for_good() {
    let world = World::of(Version::V1_12);
    let deposit = world.deposit("", "1.00").await.number("resourceId");
    let repayment = world.repay("", "1.00").await.number("resourceId");
    world.disburse("", "mm-1").await;
    world.suffer("undo", Fault::UndoRefused);
    let path = format!("v1/savingsaccounts/1/transactions/{deposit}?command=undo");
    assert_eq!(world.post(&path, "", json!({})).await.status, 400);
    let body = json!({"locale": "en", "dateFormat": "yyyy-MM-dd", "transactionDate": "2026-09-01", "transactionAmount": 0});
    let path = format!("v1/loans/2/transactions/{repayment}?command=undo");
    let reply = world.post(&path, "", body).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (503, "error.msg.loan.transaction.update.not.allowed")
    );
    let reply = world.post("v1/loans/1?command=undodisbursal", "", json!({})).await;
    assert_eq!(reply.status, 403);
    assert_eq!(world.operations(), ["deposit", "repay", "disburse"]);
}

#[tokio::test(start_paused = true)]
async fn reads_fail_too() {
    let world = World::of(Version::V1_12);
    world.suffer("read", Fault::ResetBefore);
    assert!(world.get("v1/savingsaccounts/1").await.reset);
    world.suffer("read", Fault::HtmlAfter);
    assert_eq!(world.get("v1/loans/1").await.status, 502);
    world.suffer("read", Fault::ErrorBefore);
    assert!(world.get("v1/loans/1").await.status >= 500);
}

#[tokio::test(start_paused = true)]
async fn a_fault_depends_on_the_account_and_the_amount_and_never_on_the_key() {
    let outcomes = async |prefix: &str| {
        let world = World::of(Version::V1_12);
        let rates =
            BTreeMap::from([("deposit".to_owned(), BTreeMap::from([(Fault::ResetBefore, 5_000)]))]);
        world.simulator.faults().set(Plan { rates, ..Plan::none(42) });
        let mut resets = Vec::new();
        for amount in 1..=40 {
            let written = if prefix == "a" { format!("{amount}") } else { format!("{amount}.00") };
            resets.push(world.deposit(&format!("{prefix}{amount}"), &written).await.reset);
        }
        resets
    };
    let first = outcomes("a").await;
    assert_eq!(first, outcomes("b").await);
    assert!(first.contains(&true) && first.contains(&false));
}

#[tokio::test(start_paused = true)]
async fn faults_and_books_are_reached_over_http() {
    let world = World::of(Version::V1_12);
    let plan = json!({"seed": 7, "rates": {"deposit": {"stuck_after": 10_000}}});
    let request = Request::put("/_sim/faults")
        .header("content-type", "application/json")
        .body(Body::from(plan.to_string()))
        .unwrap();
    assert_eq!(world.call(request).await.status, 200);
    let request = Request::get("/_sim/faults").body(Body::empty()).unwrap();
    assert_eq!(world.call(request).await.json()["rates"]["deposit"]["stuck_after"], 10_000);
    let path = "v1/savingsaccounts/1/transactions?command=deposit";
    assert!(world.post(path, "k", posting("1.00")).await.reset);
    let request = Request::get("/_sim/books").body(Body::empty()).unwrap();
    let books = world.call(request).await.json();
    assert_eq!(books["balances"]["savings:1"], 500_100);
    assert_eq!(books["movements"][0]["reference"], "k");
    let request = Request::get("/_sim/books?tenant=nowhere").body(Body::empty()).unwrap();
    assert_eq!(world.call(request).await.status, 404);
}
