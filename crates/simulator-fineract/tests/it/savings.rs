//! Savings: postings, holds, undoing.

use jiff::civil::date;
use kiungo_simulator_fineract::{Options, SavingsSpec, Version};
use serde_json::json;

use super::{Reply, World, posting, with};

impl World {
    async fn on(&self, account: u64, command: &str, body: serde_json::Value) -> Reply {
        self.post(&format!("v1/savingsaccounts/{account}/transactions?command={command}"), "", body)
            .await
    }

    async fn of_row(&self, row: u64, command: &str) -> Reply {
        let path = format!("v1/savingsaccounts/1/transactions/{row}?command={command}");
        self.post(&path, "", json!({})).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_deposit_answers_in_the_cores_order_and_echoes_only_payment_details() {
    let world = World::of(Version::V1_12);
    let reply = world.deposit("k", "1000.00").await;
    let expected = r#"{"officeId":1,"clientId":1,"savingsId":1,"resourceId":2,"changes":{"accountNumber":"255700000001","routingCode":"TZ-MNO-A","receiptNumber":"MM7Q2K9","paymentTypeId":3}}"#;
    assert_eq!(reply.text, expected);
}

#[tokio::test(start_paused = true)]
async fn an_account_refuses_what_its_state_forbids() {
    let world = World::of(Version::V1_12);
    let spec = || SavingsSpec::active("TZS", 10_000);
    let closed = world.open(SavingsSpec { status: 600, ..spec() });
    let blocked = world.open(SavingsSpec { sub_status: 400, ..spec() });
    let no_credit = world.open(SavingsSpec { sub_status: 500, ..spec() });
    let no_debit = world.open(SavingsSpec { sub_status: 600, ..spec() });
    let locked = world.open(SavingsSpec { locked_in_until: Some(date(2027, 1, 1)), ..spec() });
    for (account, command, status, code) in [
        (999, "deposit", 404, "error.msg.saving.account.id.invalid"),
        (closed, "deposit", 400, "error.msg.savingsaccount.transaction.account.is.not.active"),
        (blocked, "deposit", 403, "error.msg.saving.account.blocked.transaction.not.allowed"),
        (blocked, "withdrawal", 403, "error.msg.saving.account.blocked.transaction.not.allowed"),
        (no_credit, "deposit", 403, "error.msg.savings.account.credit.transaction.not.allowed"),
        (no_credit, "withdrawal", 200, ""),
        (no_debit, "withdrawal", 403, "error.msg.savings.account.debit.transaction.not.allowed"),
        (no_debit, "deposit", 200, ""),
        (
            locked,
            "withdrawal",
            400,
            "error.msg.savingsaccount.transaction.withdrawals.blocked.during.lockin.period",
        ),
        (locked, "deposit", 200, ""),
    ] {
        let reply = world.on(account, command, posting("1.00")).await;
        assert_eq!(reply.status, status, "{account} {command}: {}", reply.text);
        if status != 200 {
            assert_eq!(reply.code(), code);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lock_in_is_shown_as_a_period_and_not_as_its_end() {
    let world = World::of(Version::V1_12);
    let locked = SavingsSpec {
        activated_on: Some(date(2026, 1, 1)),
        locked_in_until: Some(date(2026, 12, 31)),
        ..SavingsSpec::active("TZS", 10_000)
    };
    let locked = world.open(locked);
    let account = world.get(&format!("v1/savingsaccounts/{locked}")).await.json();
    assert_eq!(account["lockinPeriodFrequency"], 364);
    assert_eq!(account["lockinPeriodFrequencyType"]["id"], 0);
    let account = world.get("v1/savingsaccounts/1").await.json();
    assert!(account["lockinPeriodFrequency"].is_null());
}

#[tokio::test(start_paused = true)]
async fn dates_before_activation_and_after_today_are_refused() {
    let world =
        World::new(Options { gl_closed_until: Some(date(2026, 8, 30)), ..Options::default() });
    for (day, status, code) in [
        ("2026-09-02", 400, "error.msg.savingsaccount.transaction.in.the.future"),
        ("2020-01-01", 400, "error.msg.savingsaccount.transaction.before.activation.date"),
        ("2026-08-30", 403, "error.msg.glJournalEntry.invalid.accounting.closed"),
    ] {
        let reply = world.on(1, "deposit", with(posting("1.00"), "transactionDate", day)).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code));
    }
    let reply =
        world.on(1, "deposit", with(posting("1.00"), "transactionDate", "2026-08-31")).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_business_date_may_be_behind_the_calendar() {
    let world = World::new(Options { business_date_lag_days: Some(1), ..Options::default() });
    let reply = world.deposit("", "1.00").await;
    assert_eq!(reply.code(), "error.msg.savingsaccount.transaction.in.the.future");
    let today = world.get("v1/businessdate/BUSINESS_DATE").await.json();
    assert_eq!(today["date"], json!([2026, 8, 31]));
}

#[tokio::test(start_paused = true)]
async fn a_withdrawal_leaves_the_minimum_and_may_use_the_overdraft() {
    let world = World::of(Version::V1_12);
    let kept =
        world.open(SavingsSpec { minimum_minor: 4_000, ..SavingsSpec::active("TZS", 10_000) });
    assert_eq!(world.on(kept, "withdrawal", posting("60.01")).await.status, 403);
    assert_eq!(world.on(kept, "withdrawal", posting("60.00")).await.status, 200);
    let drawn = SavingsSpec { overdraft_limit_minor: Some(5_000), ..SavingsSpec::active("TZS", 0) };
    let drawn = world.open(drawn);
    assert_eq!(world.on(drawn, "withdrawal", posting("50.01")).await.status, 403);
    assert_eq!(world.on(drawn, "withdrawal", posting("50.00")).await.status, 200);
    let account = world.get(&format!("v1/savingsaccounts/{drawn}")).await;
    assert!(account.text.contains("\"accountBalance\":-50.000000"), "{}", account.text);
}

#[tokio::test(start_paused = true)]
async fn a_back_dated_withdrawal_may_not_overdraw_a_later_day() {
    let world = World::of(Version::V1_12);
    world.on(1, "deposit", with(posting("100.00"), "transactionDate", "2026-08-10")).await;
    world.withdraw("", "5050.00").await;
    let early = with(posting("60.00"), "transactionDate", "2026-08-11");
    assert_eq!(world.on(1, "withdrawal", early).await.status, 403, "the later balance is 50.00");
    let early = with(posting("50.00"), "transactionDate", "2026-08-11");
    assert_eq!(world.on(1, "withdrawal", early).await.status, 200);
    let history = world.get("v1/savingsaccounts/1?associations=transactions").await.json();
    let balances: Vec<String> = history["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["runningBalance"].to_string())
        .collect();
    assert_eq!(balances, ["0.0", "5050.0", "5100.0", "5000.0"], "newest first, recomputed");
}

#[tokio::test(start_paused = true)]
async fn a_withdrawal_fee_is_a_row_of_its_own_that_undo_takes_along() {
    let world = World::of(Version::V1_12);
    let spec = SavingsSpec { withdrawal_fee_minor: 500, ..SavingsSpec::active("TZS", 10_000) };
    let account = world.open(spec);
    assert_eq!(world.on(account, "withdrawal", posting("96.00")).await.status, 403, "fee counted");
    let row = world.on(account, "withdrawal", posting("90.00")).await.number("resourceId");
    assert_eq!(world.balance(&format!("savings:{account}")), 500);
    let path = format!("v1/savingsaccounts/{account}/transactions/{row}?command=undo");
    assert_eq!(world.post(&path, "u", json!({})).await.status, 200);
    assert_eq!(world.balance(&format!("savings:{account}")), 10_000);
    assert_eq!(world.operations(), ["withdraw", "fee", "undo", "undo"]);
}

#[tokio::test(start_paused = true)]
async fn an_undo_answers_with_the_account_and_can_be_repeated() {
    let world = World::of(Version::V1_12);
    let row = world.deposit("", "10.00").await.number("resourceId");
    let first = world.of_row(row, "undo").await;
    assert_eq!(first.text, r#"{"officeId":1,"clientId":1,"savingsId":1,"resourceId":1}"#);
    let again = world.of_row(row, "undo").await;
    assert_eq!((again.status, again.text), (200, first.text), "no proof of a first time");
    assert_eq!(world.operations(), ["deposit", "undo"]);
    let movement = world.simulator.books().movements[1].clone();
    assert_eq!((movement.takes_back, movement.amount_minor), (row.to_string(), 1_000));
    let view = world.get(&format!("v1/savingsaccounts/1/transactions/{row}")).await;
    assert_eq!(view.json()["reversed"], true);
}

#[tokio::test(start_paused = true)]
async fn a_deposit_that_was_spent_cannot_be_undone() {
    let world = World::of(Version::V1_12);
    let row = world.deposit("", "10.00").await.number("resourceId");
    world.withdraw("", "5005.00").await;
    let reply = world.of_row(row, "undo").await;
    let code = "validation.msg.savingsaccount.undotransaction.results.in.balance.going.negative";
    assert_eq!((reply.status, reply.code().as_str()), (400, code));
    let reply = world.of_row(row, "reverse").await;
    let code = "error.msg.savingsaccount.transaction.insufficient.account.balance";
    assert_eq!((reply.status, reply.code().as_str()), (403, code));
    let reply = world.of_row(999, "undo").await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (404, "error.msg.saving.account.trasaction.id.invalid")
    );
}

#[tokio::test(start_paused = true)]
async fn a_reversal_is_a_row_of_its_own_and_happens_once() {
    let world = World::of(Version::V1_12);
    let row = world.deposit("", "10.00").await.number("resourceId");
    let counter = world.of_row(row, "reverse").await.number("resourceId");
    assert_eq!(counter, row + 1);
    assert_eq!(world.balance("savings:1"), 500_000);
    assert_eq!(world.of_row(row, "reverse").await.status, 404);
    let view = world.get(&format!("v1/savingsaccounts/1/transactions/{counter}")).await.json();
    assert_eq!(
        (view["isReversal"].as_bool(), view["originalTransactionId"].as_u64()),
        (Some(true), Some(row))
    );
    let found = world.get("v1/savingsaccounts/1/transactions/search?types=1").await.json();
    assert_eq!(found["total"], 2, "opening and the reversed row, not the counter row");
}

#[tokio::test(start_paused = true)]
async fn a_hold_reduces_what_is_available_and_is_released_once() {
    let world = World::of(Version::V1_12);
    let hold = with(posting("4000.00"), "reasonForBlock", "cash-out");
    let refused = world.on(1, "holdAmount", hold.clone()).await;
    assert_eq!(refused.code(), "error.msg.parameter.unsupported", "no payment details on holds");
    let hold = json!({"locale": "en", "dateFormat": "yyyy-MM-dd", "transactionDate": "2026-09-01",
        "transactionAmount": "4000.00", "reasonForBlock": "cash-out"});
    let row = world.on(1, "holdAmount", hold.clone()).await.number("resourceId");
    let account = world.get("v1/savingsaccounts/1").await;
    assert!(account.text.contains("\"accountBalance\":5000.000000"));
    assert!(account.text.contains("\"availableBalance\":1000.000000"));
    assert!(account.text.contains("\"savingsAmountOnHold\":4000.000000"));
    assert_eq!(world.withdraw("", "1000.01").await.status, 403);
    let again = world.on(1, "holdAmount", hold).await;
    assert_eq!(again.code(), "validation.msg.savingsaccount.insufficient.balance");
    let release = world.of_row(row, "releaseAmount").await.number("resourceId");
    let view = world.get(&format!("v1/savingsaccounts/1/transactions/{row}")).await.json();
    assert_eq!(view["releaseTransactionId"].as_u64(), Some(release));
    let again = world.of_row(row, "releaseAmount").await;
    assert_eq!(
        again.code(),
        "validation.msg.savingsaccount.amount.validation.msg.amount.is.not.on.hold"
    );
    assert_eq!(world.withdraw("", "5000.00").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn excess_decimals_are_rounded_in_silence() {
    let world = World::of(Version::V1_12);
    world.deposit("", "0.015").await;
    world.on(1, "deposit", with(posting("1"), "transactionAmount", json!(10))).await;
    assert_eq!(world.balance("savings:1"), 501_002);
}
