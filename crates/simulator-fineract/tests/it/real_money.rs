//! Money beside a real server: commands, what is read of them, and keys; see `real`.

use std::time::Duration;

use http::Method;
use kiungo_simulator::faults::Fault;
use kiungo_simulator_fineract::{Database, Options, SavingsSpec, Version};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::real::{Beside, beside};
use super::{World, posting, with};

fn only_format() -> Value {
    json!({"locale": "en", "dateFormat": "yyyy-MM-dd"})
}

fn disbursal(date: &str) -> Value {
    json!({"locale": "en", "dateFormat": "yyyy-MM-dd", "actualDisbursementDate": date,
        "transactionAmount": "1000.00", "paymentTypeId": 3, "accountNumber": "255700000001",
        "checkNumber": "d1", "routingCode": "KIUNGO", "receiptNumber": "RC1",
        "externalId": "d-1", "note": "x"})
}

#[tokio::test(start_paused = true)]
async fn savings_answer_as_the_real_ones() {
    let beside = beside();
    let deposit = "savingsaccounts/1/transactions?command=deposit";
    let sent = posting("10.00");
    let refuse = async |name: &str, body: Value| {
        beside.post(name, deposit, "", &body).await;
    };
    beside.post("deposit", deposit, "k1", &sent).await;
    beside.post("deposit-replay", deposit, "k1", &sent).await;
    let to_none = "savingsaccounts/0/transactions?command=deposit";
    beside.post("deposit-account-0", to_none, "", &only_format()).await;
    refuse("deposit-bad-paymenttype", with(sent.clone(), "paymentTypeId", 999)).await;
    refuse("deposit-before-activation", with(sent.clone(), "transactionDate", "2020-01-01")).await;
    refuse("deposit-future", with(sent.clone(), "transactionDate", "2027-06-01")).await;
    refuse("deposit-garbage-amount", with(sent.clone(), "transactionAmount", "abc")).await;
    refuse("deposit-long-text", with(sent.clone(), "receiptNumber", "x".repeat(60))).await;
    refuse("deposit-negative", with(sent.clone(), "transactionAmount", "-5.00")).await;
    refuse("deposit-zero", with(sent.clone(), "transactionAmount", "0.00")).await;
    refuse("deposit-no-paymenttype", with(sent.clone(), "paymentTypeId", Value::Null)).await;
    refuse("deposit-only-format", only_format()).await;
    refuse("deposit-unknown-member", with(sent.clone(), "externalId", "x")).await;
    let unknown = "savingsaccounts/99999999/transactions?command=deposit";
    beside.post("deposit-unknown-account", unknown, "", &sent).await;
    for (name, body) in [("deposit-broken-json", "{"), ("deposit-empty-body", "")] {
        beside.compare(name, &beside.send(Method::POST, deposit, "", body).await);
    }
    let inactive = SavingsSpec { status: 200, ..SavingsSpec::active("TZS", 0) };
    let inactive = beside.world.open(inactive);
    let path = format!("savingsaccounts/{inactive}/transactions?command=deposit");
    beside.post("deposit-not-active", &path, "", &sent).await;

    let withdraw = "savingsaccounts/1/transactions?command=withdrawal";
    let row = beside.post("withdraw", withdraw, "w1", &sent).await["resourceId"].clone();
    let much = posting("99999999.00");
    let refused = beside.post("withdraw-too-much", withdraw, "w2", &much).await;
    assert_eq!(
        refused["errors"][0]["args"][1]["value"],
        json!(-99_994_999.00),
        "what would be left"
    );
    beside.post("withdraw-too-much-replay", withdraw, "w2", &much).await;
    let undo = format!("savingsaccounts/1/transactions/{row}?command=undo");
    beside.post("undo-withdraw", &undo, "u1", &json!({})).await;
    beside.post("undo-withdraw-again", &undo, "u2", &json!({})).await;
    let unknown = "savingsaccounts/1/transactions/99999999?command=undo";
    beside.post("undo-unknown", unknown, "", &json!({})).await;
    beside.get("savings-tx-undone", &format!("savingsaccounts/1/transactions/{row}")).await;
    beside.get("savings-tx-unknown", "savingsaccounts/1/transactions/99999999").await;

    let path = "savingsaccounts/1/transactions?command=holdAmount";
    let held = |amount: &str| {
        json!({"locale": "en", "dateFormat": "yyyy-MM-dd", "transactionDate": "2026-09-01",
            "transactionAmount": amount, "reasonForBlock": "x"})
    };
    beside.post("hold-too-much", path, "", &held("99999999.00")).await;
    let row = beside.post("hold", path, "", &held("5.00")).await["resourceId"].clone();
    let release = format!("savingsaccounts/1/transactions/{row}?command=releaseAmount");
    beside.post("release", &release, "", &json!({})).await;
    beside.post("release-again", &release, "", &json!({})).await;

    beside.get("savings", "savingsaccounts/1").await;
    beside.get("savings-unknown", "savingsaccounts/99999999").await;
    beside.get("savings-ext-unknown", "savingsaccounts/external-id/none").await;
    let search = "savingsaccounts/1/transactions/search?fromDate=2026-09-01&toDate=2026-09-01&types=1\
        &offset=0&limit=50&locale=en&dateFormat=yyyy-MM-dd";
    let page = beside.get("savings-search", search).await;
    beside
        .get("savings-tx", &format!("savingsaccounts/1/transactions/{}", page["content"][0]["id"]))
        .await;
}

#[tokio::test(start_paused = true)]
async fn repayments_answer_as_the_real_ones() {
    let beside = beside();
    let repay = "loans/2/transactions?command=repayment";
    let sent = with(posting("50.00"), "externalId", "r-1");
    let made = beside.post("repay", repay, "r1", &sent).await;
    let row = made["resourceId"].clone();
    beside.post("repay-replay", repay, "r1", &sent).await;
    beside.post("repay-dup-externalid", repay, "", &sent).await;
    let another = |date: &str| with(posting("50.00"), "transactionDate", date);
    beside.post("repay-before-disbursement", repay, "", &another("2020-01-01")).await;
    beside.post("repay-future", repay, "", &another("2027-06-01")).await;
    beside.post("repay-unknown-member", repay, "", &with(another("2026-09-01"), "foo", 1)).await;
    let today = another("2026-09-01");
    beside.post("repay-approved-loan", "loans/1/transactions?command=repayment", "", &today).await;
    let unknown = "loans/99999999/transactions?command=repayment";
    beside.post("repay-unknown-loan", unknown, "", &today).await;
    beside.get("loan-tx-one", &format!("loans/2/transactions/{row}")).await;
    let named = |loan: u64, name: &str| format!("loans/{loan}/transactions/external-id/{name}");
    // The real name was a number in groups.
    beside.get("loan-tx-ext-other-loan", &named(1, "r-1")).await;
    let unknown = named(2, "00010561-0000-4000-8000-000000000999");
    beside.get("loan-tx-ext-unknown", &unknown).await;
    beside.get("loan-active", "loans/2").await;
    beside.get("loan-unknown", "loans/99999999").await;
    beside.get("loan-ext-unknown", "loans/external-id/none").await;
    beside.get("loan-list-no", "loans?accountNo=000000002").await;
    let repay =
        beside.get("loan-template-repay", "loans/2/transactions/template?command=repayment").await;
    assert!(repay["amount"].as_f64() < Some(1_000.0), "an instalment: {}", repay["amount"]);
    beside.get("loan-template-prepay", "loans/2/transactions/template?command=prepayLoan").await;

    let undo = format!("loans/2/transactions/{row}?command=undo");
    let reversal = |name: &str| {
        json!({"locale": "en", "dateFormat": "yyyy-MM-dd", "transactionDate": "2026-09-01",
            "transactionAmount": 0, "reversalExternalId": name, "note": "x"})
    };
    beside.post("undo-repay", &undo, "u1", &reversal("v-1")).await;
    beside.post("undo-repay-again", &undo, "u2", &reversal("v-2")).await;
    beside.post("undo-repay-dup-reversal", &undo, "u3", &reversal("v-1")).await;
}

#[tokio::test(start_paused = true)]
async fn disbursements_answer_as_the_real_ones() {
    let beside = beside();
    let disburse = "loans/1?command=disburse";
    let more = with(disbursal("2026-09-01"), "transactionAmount", 9_999_999);
    beside.post("disburse-too-much", disburse, "", &more).await;
    beside.post("disburse-before-approval", disburse, "", &disbursal("2020-01-01")).await;
    beside.post("disburse-future", disburse, "", &disbursal("2027-03-10")).await;
    let made = beside.post("disburse", disburse, "d1", &disbursal("2026-09-01")).await;
    beside.post("disburse-again", disburse, "d2", &disbursal("2026-09-01")).await;
    let row = made["subResourceId"].clone();
    let undo = "loans/1?command=undodisbursal";
    beside.post("undo-disburse", undo, "u1", &json!({"note": "x"})).await;
    beside.post("undo-disburse-again", undo, "u2", &json!({"note": "x"})).await;
    let undone =
        beside.get("disburse-tx-one-after-undo", &format!("loans/1/transactions/{row}")).await;
    assert_eq!(undone["manuallyReversed"], false);
    assert_eq!(undone["reversedOnDate"], json!([2026, 9, 1]));
    let loan = beside.get("loan-after-undo", "loans/1?associations=transactions").await;
    assert!(loan.get("transactions").is_none(), "{loan}");
    let approval =
        json!({"locale": "en", "dateFormat": "yyyy-MM-dd", "approvedOnDate": "2026-09-01"});
    beside.post("approve-pending", "loans/3?command=approve", "", &approval).await;

    let over = beside.world.repay("over", "1500.00").await;
    assert_eq!(over.status, 200, "{}", over.text);
    let refund = json!({"locale": "en", "dateFormat": "yyyy-MM-dd", "transactionDate": "2026-09-01",
        "transactionAmount": "10.00", "paymentTypeId": 3, "externalId": "c-1"});
    beside.post("cbr", "loans/2/transactions?command=creditBalanceRefund", "", &refund).await;
}

/// Echoed fields stand in the real server's order.
#[tokio::test(start_paused = true)]
async fn echoes_stand_in_the_real_order() {
    let beside = beside();
    let sent = with(with(posting("50.00"), "externalId", "r-1"), "checkNumber", "c1").to_string();
    let repay = "loans/2/transactions?command=repayment";
    let repaid = beside.send(Method::POST, repay, "", &sent).await.text;
    in_order(
        &repaid,
        &[
            "transactionDate",
            "transactionAmount",
            "locale",
            "dateFormat",
            "paymentTypeId",
            "note",
            "externalId",
            "accountNumber",
            "checkNumber",
            "receiptNumber",
        ],
    );
    let approval = json!({"locale": "en", "dateFormat": "yyyy-MM-dd", "approvedOnDate": "2026-09-01",
        "approvedLoanAmount": 900, "expectedDisbursementDate": "2026-09-01"});
    let approve = "loans/3?command=approve";
    let approved = beside.send(Method::POST, approve, "", &approval.to_string()).await.text;
    in_order(
        &approved,
        &[
            "status",
            "approvedLoanAmount",
            "principal",
            "netDisbursalAmount",
            "locale",
            "dateFormat",
            "approvedOnDate",
            "expectedDisbursementDate",
        ],
    );
    let trail = beside.send(Method::GET, "audits?includeJson=true", "", "").await.text;
    in_order(
        &trail,
        &[
            "actionName",
            "resourceId",
            "maker",
            "madeOnDate",
            "commandAsJson",
            "officeName",
            "clientName",
            "loanAccountNo",
            "clientId",
            "loanId",
            "url",
        ],
    );
}

fn in_order(text: &str, names: &[&str]) {
    let place = |name: &&str| {
        text.find(&format!("\"{name}\"")).unwrap_or_else(|| panic!("no {name}: {text}"))
    };
    let places: Vec<usize> = names.iter().map(place).collect();
    assert!(places.is_sorted(), "{text}");
}

#[tokio::test(start_paused = true)]
async fn the_trail_answers_as_the_real_one() {
    let beside = beside();
    for key in ["k1", "k2", "k3", "k4"] {
        beside.world.deposit(key, "1.00").await;
    }
    beside.world.repay("r1", "1.00").await;
    let path = |action: &str, result: u8, limit: u16, of: &str| {
        let entity = if of.starts_with("loan") { "LOAN" } else { "SAVINGSACCOUNT" };
        format!(
            "audits?actionName={action}&entityName={entity}&processingResult={result}\
             &includeJson=true&paged=true&offset=0&limit={limit}&{of}"
        )
    };
    let done = |limit| path("DEPOSIT", 1, limit, "savingsAccountId=1");
    let row = &beside.get("audits-savings-done", &done(2)).await["pageItems"][0];
    assert_eq!(row["resourceId"], beside.world.deposit("k4", "1.00").await.number("resourceId"));
    beside.get("audits-loan-done", &path("REPAYMENT", 1, 2, "loanid=2")).await;
    beside.get("audits-savings-running", &path("DEPOSIT", 4, 200, "savingsAccountId=1")).await;
    for (limit, total) in [(1, 1), (2, 2), (3, 3), (200, 4)] {
        let page = beside.get("audits-savings-done", &done(limit)).await;
        assert_eq!(page["totalFilteredRecords"], total, "capped at the page");
    }
    let mysql = Options { database: Database::Mysql, ..Options::default() };
    let beside = Beside::new(mysql);
    for key in ["k1", "k2"] {
        beside.world.deposit(key, "1.00").await;
    }
    let page = beside.get("audits-savings-done", &done(1)).await;
    assert_eq!(page["totalFilteredRecords"], 2);
}

/// The same key several times at once: the first books, who comes within its insert collides, who
/// comes a little later waits inside the server and is answered from the table.
#[tokio::test(start_paused = true)]
async fn twins_under_way_together_collide_or_wait() {
    let beside = Beside::new(Options { command_ms: 200, ..Options::default() });
    let deposit = "savingsaccounts/1/transactions?command=deposit";
    let body = posting("10.00").to_string();
    let after = async |ms| {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        beside.send(Method::POST, deposit, "par-1", &body).await
    };
    let (first, second, third, fourth) = tokio::join!(after(0), after(1), after(2), after(50));
    assert_eq!(first.status.as_u16(), 200);
    for loser in [second, third] {
        beside.compare("samekey-parallel-0", &loser);
    }
    beside.compare("deposit-replay", &fourth);
    assert_eq!(beside.world.operations(), ["deposit"]);
    let mysql = Database::Mysql;
    for (version, database, losers) in
        [(Version::V1_10, mysql, 403), (Version::V1_12, mysql, 200), (Version::V1_8, mysql, 200)]
    {
        let world =
            World::new(Options { version, database, command_ms: 200, ..Options::default() });
        let (first, second) = tokio::join!(world.deposit("twin", "1"), world.deposit("twin", "1"));
        assert_eq!((first.status, second.status), (200, losers), "{version:?}");
        assert_eq!(second.cached, version == Version::V1_12);
        let booked = if version == Version::V1_8 { 2 } else { 1 };
        assert_eq!(world.operations().len(), booked, "{version:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_under_way_is_too_early_after_three_tries() {
    let beside = beside();
    beside.world.suffer("deposit", Fault::StuckBefore);
    let deposit = "savingsaccounts/1/transactions?command=deposit";
    let body = posting("10.00").to_string();
    beside.send(Method::POST, deposit, "stuck", &body).await;
    beside.world.recover();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let began = Instant::now();
    let seen = beside.send(Method::POST, deposit, "stuck", &body).await;
    assert_eq!(seen.status.as_u16(), 425);
    assert_eq!(began.elapsed().as_secs(), 3);
    assert_eq!(seen.text, body, "the request comes back");
    assert_eq!(seen.headers["x-served-from-cache"], "true");
}

#[tokio::test(start_paused = true)]
async fn a_row_whose_result_was_cleared_answers_nothing() {
    let beside = beside();
    beside.world.deposit("k", "10.00").await;
    beside.world.simulator.clear_results();
    let deposit = "savingsaccounts/1/transactions?command=deposit";
    beside.post("samekey-processed-no-result", deposit, "k", &posting("10.00")).await;
    assert_eq!(beside.world.operations().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_core_that_does_not_deduplicate_books_a_key_twice() {
    let world = World::new(Options { idempotency: false, ..Options::default() });
    let (first, second) = (world.deposit("k", "10").await, world.deposit("k", "10").await);
    assert_eq!((second.status, second.cached), (200, false));
    assert_ne!(first.number("resourceId"), second.number("resourceId"));
    assert_eq!(world.operations(), ["deposit", "deposit"]);
}
