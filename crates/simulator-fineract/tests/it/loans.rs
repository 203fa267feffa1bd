//! Loans: state commands, repayments, refunds, undoing.

use jiff::civil::date;
use kiungo_simulator_fineract::{Database, LoanSpec, LoanStatus, Options, Version};
use serde_json::{Value, json};

use super::{Reply, World, posting, with};

fn undo() -> Value {
    json!({"locale": "en", "dateFormat": "yyyy-MM-dd", "transactionDate": "2026-09-01",
        "transactionAmount": 0, "note": "operator reversal"})
}

impl World {
    async fn adjust(&self, row: u64, body: Value) -> Reply {
        self.post(&format!("v1/loans/2/transactions/{row}?command=undo"), "", body).await
    }

    async fn loan_status(&self, id: u64) -> u64 {
        self.get(&format!("v1/loans/{id}")).await.json()["status"]["id"].as_u64().unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_loan_is_approved_paid_out_and_taken_back() {
    let world = World::of(Version::V1_12);
    let approve =
        json!({"locale": "en", "dateFormat": "dd MMMM yyyy", "approvedOnDate": "31 August 2026"});
    let reply = world.post("v1/loans/3?command=approve", "", approve.clone()).await;
    assert_eq!(reply.json()["changes"]["status"]["id"], 200);
    let again = world.post("v1/loans/3?command=approve", "", approve).await;
    assert_eq!(again.code(), "error.msg.loan.approve.account.is.not.submitted.and.pending.state");

    let paid = world.disburse("d", "mm-1").await;
    assert_eq!((paid.number("resourceId"), paid.number("loanId")), (1, 1));
    assert_eq!(paid.json()["subResourceExternalId"], "mm-1");
    assert_eq!(paid.json()["changes"]["status"]["value"], "Active");
    assert!(paid.json()["changes"]["transactionAmount"].is_null());
    let row = paid.number("subResourceId");
    assert_eq!(world.simulator.books().movements[0].receipt, row.to_string());
    assert_eq!(world.balance("loan:1"), 100_000);
    let again = world.disburse("d2", "mm-2").await;
    assert_eq!(again.code(), "error.msg.loan.disbursal.account.is.not.approve.not.disbursed.state");

    let undone = world.post("v1/loans/1?command=undodisbursal", "u", json!({"note": "x"})).await;
    assert_eq!(undone.json()["changes"]["actualDisbursementDate"], "");
    assert_eq!(world.balance("loan:1"), 0);
    let again = world.post("v1/loans/1?command=undodisbursal", "u2", json!({})).await;
    assert_eq!(
        (again.status, again.code().as_str()),
        (400, "error.msg.loan.undo.disbursal.account.is.not.active")
    );
    let duplicate = world.disburse("d3", "mm-1").await;
    assert_eq!(duplicate.code(), "error.msg.loan.disbursement.duplicate.externalId", "not freed");
    assert_eq!(world.disburse("d4", "mm-3").await.status, 200, "paid out once more");
    assert_eq!(world.operations(), ["disburse", "undo", "disburse"]);
}

#[tokio::test(start_paused = true)]
async fn a_disbursal_is_refused_before_approval_in_the_future_and_above_the_approved_amount() {
    let world = World::of(Version::V1_12);
    let body = |day: &str, amount: &str| {
        json!({"locale": "en", "dateFormat": "yyyy-MM-dd",
        "actualDisbursementDate": day, "transactionAmount": amount})
    };
    for (body, code) in [
        (body("2025-08-31", "1000"), "error.msg.loan.disbursal.cannot.be.before.approval.date"),
        (body("2026-09-02", "1000"), "error.msg.loan.disbursal.cannot.be.a.future.date"),
        (
            body("2026-09-01", "1000.01"),
            "error.msg.loan.disburse.amount.must.be.less.than.approved.amount",
        ),
    ] {
        let reply = world.post("v1/loans/1?command=disburse", "", body).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, code));
    }
}

#[tokio::test(start_paused = true)]
async fn a_repayment_answers_with_texts_and_its_external_id() {
    let world = World::of(Version::V1_10);
    let body = with(with(posting("88.5"), "externalId", "mm-1"), "transactionAmount", json!(88.5));
    let reply = world.post("v1/loans/2/transactions?command=repayment", "k", body).await;
    assert_eq!((reply.number("loanId"), reply.number("clientId")), (2, 1));
    assert_eq!(reply.json()["changes"]["transactionAmount"], "88.5");
    assert_eq!(reply.json()["changes"]["externalId"], "mm-1");
    assert_eq!(reply.json()["resourceExternalId"], "mm-1");
    assert!(reply.json()["loanExternalId"].is_null(), "only from 1.11 on");
    assert_eq!(world.balance("loan:2"), 100_000 - 8_850);
}

#[tokio::test(start_paused = true)]
async fn repaying_too_much_is_taken_overpays_and_is_paid_out_again() {
    let world = World::of(Version::V1_12);
    world.repay("", "1000.00").await;
    assert_eq!(world.loan_status(2).await, 600);
    world.repay("", "40.00").await;
    assert_eq!((world.loan_status(2).await, world.balance("loan:2")), (700, -4_000));
    let path = "v1/loans/2/transactions?command=creditBalanceRefund";
    let too_much = world.post(path, "", posting("40.01")).await;
    assert_eq!(
        too_much.code(),
        "error.msg.transactionAmount.invalid.must.be.>zero.and<=overpaidamount"
    );
    let refund = world.post(path, "r", with(posting("40.00"), "externalId", "mm-9")).await;
    assert!(refund.json()["loanId"].is_null(), "names no loan");
    assert_eq!(refund.json()["resourceExternalId"], "mm-9");
    assert_eq!((world.loan_status(2).await, world.balance("loan:2")), (600, 0));
    let again = world.post(path, "", posting("40.00")).await;
    assert_eq!(again.code(), "error.msg.loan.credit.balance.refund.account.is.not.overpaid");
    assert_eq!(world.operations(), ["repay", "repay", "refund"]);
}

#[tokio::test(start_paused = true)]
async fn a_repayment_is_refused_where_the_loan_or_the_day_forbids_it() {
    let options = Options {
        holidays: vec![date(2026, 8, 8)],
        non_working_weekdays: vec![7],
        gl_closed_until: Some(date(2026, 8, 1)),
        ..Options::default()
    };
    let world = World::new(options);
    for (day, code) in [
        ("2026-08-08", "error.msg.loan.application.repayment.date.on.holiday"),
        ("2026-08-30", "error.msg.loan.application.repayment.date.on.non.working.day"),
        ("2025-08-01", "error.msg.loan.transaction.cannot.be.before.disbursement.date"),
        ("2026-09-02", "error.msg.loan.transaction.cannot.be.a.future.date"),
        ("2026-07-31", "error.msg.glJournalEntry.invalid.accounting.closed"),
    ] {
        let body = with(posting("1.00"), "transactionDate", day);
        let reply = world.post("v1/loans/2/transactions?command=repayment", "", body).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, code), "{day}");
    }
    for (loan, status, code) in [
        (1, 400, "error.msg.loan.must.be.active.fully.paid.or.overpaid"),
        (99, 404, "error.msg.loan.id.invalid"),
    ] {
        let path = format!("v1/loans/{loan}/transactions?command=repayment");
        let reply = world.post(&path, "", posting("1.00")).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code));
    }
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_external_id_is_reported_in_the_words_of_the_database() {
    for (database, status, code) in [
        (Database::Mysql, 403, "error.msg.loan.repayment.duplicate.externalId"),
        (
            Database::Postgresql,
            400,
            "validation.msg.loan.transaction.externalId.value.must.be.unique",
        ),
    ] {
        let world = World::new(Options { database, ..Options::default() });
        let path = "v1/loans/2/transactions?command=repayment";
        let body = with(posting("1.00"), "externalId", "mm-1");
        assert_eq!(world.post(path, "a", body.clone()).await.status, 200);
        let reply = world.post(path, "b", body).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code));
        let long = with(posting("1.00"), "externalId", "x".repeat(101));
        assert_eq!(world.post(path, "c", long).await.status, 403);
        assert_eq!(world.operations(), ["repay"]);
    }
}

#[tokio::test(start_paused = true)]
async fn amount_zero_undoes_a_repayment_but_the_date_is_checked_all_the_same() {
    let world = World::of(Version::V1_12);
    let body = with(posting("1000.00"), "externalId", "mm-1");
    let row = world
        .post("v1/loans/2/transactions?command=repayment", "", body)
        .await
        .number("resourceId");
    let tomorrow = with(undo(), "transactionDate", "2026-09-02");
    assert_eq!(
        world.adjust(row, tomorrow).await.code(),
        "error.msg.loan.transaction.cannot.be.a.future.date"
    );
    let undone = world.adjust(row, with(undo(), "reversalExternalId", "rev-1")).await;
    assert_eq!(undone.number("resourceId"), row);
    assert_eq!(undone.json()["resourceExternalId"], "mm-1");
    assert_eq!(undone.json()["changes"]["transactionAmount"], "0");
    assert_eq!((world.loan_status(2).await, world.balance("loan:2")), (300, 100_000));
    let twice = "error.msg.loan.transaction.adjustment.is.only.allowed.to.repayment.or.waiver.or.creditbalancerefund.transactions";
    for again in [undo(), with(undo(), "reversalExternalId", "rev-1")] {
        let reply = world.adjust(row, again).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, twice));
    }
    assert_eq!(world.operations(), ["repay", "undo"]);
    let another = world.repay("", "1.00").await.number("resourceId");
    let reply = world.adjust(another, with(undo(), "reversalExternalId", "rev-1")).await;
    assert_eq!((reply.status, reply.code().as_str()), (403, "error.msg.data.integrity.issue"));
    let view = world.get("v1/loans/2/transactions/external-id/mm-1").await.json();
    assert_eq!(
        (view["manuallyReversed"].as_bool(), view["reversalExternalId"].as_str()),
        (Some(true), Some("rev-1"))
    );
    let disbursement = world.adjust(1, undo()).await;
    assert_eq!(disbursement.status, 403, "only money in can be adjusted: {}", disbursement.text);
}

#[tokio::test(start_paused = true)]
async fn before_1_9_a_second_undo_is_not_refused() {
    let world = World::of(Version::V1_8);
    let row = world.repay("", "100.00").await.number("resourceId");
    for _ in 0..2 {
        assert_eq!(world.adjust(row, undo()).await.status, 200);
    }
    assert_eq!(world.operations(), ["repay", "undo"]);
}

#[tokio::test(start_paused = true)]
async fn an_amount_replaces_the_row_by_a_new_one() {
    let world = World::of(Version::V1_12);
    let row = world.repay("", "100.00").await.number("resourceId");
    let reply = world.adjust(row, with(undo(), "transactionAmount", "60.00")).await;
    assert_eq!(reply.number("resourceId"), row + 1);
    assert_eq!(world.balance("loan:2"), 94_000);
    assert_eq!(world.operations(), ["repay", "undo", "repay"]);
}

#[tokio::test(start_paused = true)]
async fn a_row_of_another_loan_is_told_from_one_that_nobody_knows() {
    let world = World::of(Version::V1_12);
    let body = with(posting("1.00"), "externalId", "mm-1");
    world.post("v1/loans/2/transactions?command=repayment", "", body).await;
    let reply = world.get("v1/loans/1/transactions/external-id/mm-1").await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (404, "error.msg.loan.transaction.id.invalid")
    );
    let reply = world.get("v1/loans/external-id/LN-0-active/transactions/external-id/mm-2").await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (404, "error.msg.loan.transaction.external.id.invalid")
    );
    let reply = world.get("v1/loans/external-id/LN-0-active/transactions/external-id/mm-1").await;
    assert_eq!(reply.json()["paymentDetailData"]["receiptNumber"], "MM7Q2K9");
}

#[tokio::test(start_paused = true)]
async fn a_back_dated_repayment_gives_later_rows_new_ids_and_keeps_external_ids() {
    let world = World::of(Version::V1_12);
    let spec = kiungo_simulator_fineract::ClientSpec {
        name: "Juma".to_owned(),
        mobile_no: String::new(),
        external_id: String::new(),
        closed: false,
        savings: Vec::new(),
        loans: vec![LoanSpec {
            interest_minor: 10_000,
            ..LoanSpec::new(LoanStatus::Active, "TZS", 100_000)
        }],
    };
    let loan = world.simulator.open_client(spec).unwrap().loans[0];
    let path = format!("v1/loans/{loan}/transactions?command=repayment");
    let later = with(posting("150.00"), "externalId", "later");
    let old_id = world.post(&path, "a", later).await.number("resourceId");
    let earlier =
        with(with(posting("80.00"), "externalId", "earlier"), "transactionDate", "2026-08-20");
    world.post(&path, "b", earlier).await;
    let view = world.get(&format!("v1/loans/{loan}/transactions/external-id/later")).await.json();
    assert_ne!(view["id"].as_u64(), Some(old_id));
    assert_eq!(
        view["interestPortion"].to_string(),
        "20.0",
        "the earlier one took 80 of the interest"
    );
    let old = world.get(&format!("v1/loans/{loan}/transactions/{old_id}")).await.json();
    assert_eq!(
        (old["manuallyReversed"].as_bool(), old["externalId"].is_null()),
        (Some(false), true)
    );
    assert!(old["reversedOnDate"].is_array());
    let list = world.get(&format!("v1/loans/{loan}?associations=transactions")).await.json();
    assert_eq!(list["transactions"].as_array().unwrap().len(), 3, "replayed rows are hidden");
    let new_id = view["id"].as_u64().unwrap();
    let undone = world
        .post(&format!("v1/loans/{loan}/transactions/{new_id}?command=undo"), "", undo())
        .await;
    assert_eq!(undone.status, 200);
    assert_eq!(world.simulator.books().movements.last().unwrap().takes_back, old_id.to_string());
}

#[tokio::test(start_paused = true)]
async fn interest_is_charged_at_disbursement_and_is_a_movement_of_its_own() {
    let world = World::of(Version::V1_12);
    let spec = json!([{"name": "Neema", "loans": [
        {"principal_minor": 50_000, "interest_minor": 2_500, "currency": "TZS", "status": "approved"}]}]);
    let request = http::Request::post("/_sim/clients")
        .header("content-type", "application/json")
        .body(axum::body::Body::from(spec.to_string()))
        .unwrap();
    let opened = world.call(request).await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    let loan = opened.json()[0]["loans"][0].as_u64().unwrap();
    let body =
        json!({"locale": "en", "dateFormat": "yyyy-MM-dd", "actualDisbursementDate": "2026-09-01"});
    world.post(&format!("v1/loans/{loan}?command=disburse"), "d", body).await;
    assert_eq!(world.balance(&format!("loan:{loan}")), 52_500);
    world.post(&format!("v1/loans/{loan}?command=undodisbursal"), "u", json!({})).await;
    assert_eq!(world.operations(), ["disburse", "interest", "undo", "undo"]);
}
