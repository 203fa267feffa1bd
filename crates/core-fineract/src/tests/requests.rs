//! Tests of the requests that are sent, per version.

use kiungo_core_banking::{Booking, Core as _};
use kiungo_domain::outcome::{Reason, Retry};
use kiungo_domain::{Outcome, Receipt};
use serde_json::json;

use super::orders;
use super::script::{core, envelope, ok};

const VERSIONS: [&str; 5] = ["1.8", "1.10", "1.12", "1.14", "1.15"];
const DEPOSIT: &str = include_str!("../../fixtures/deposit.json");
const REPAYMENT: &str = include_str!("../../fixtures/repayment.json");
const DISBURSE: &str = include_str!("../../fixtures/disburse.json");

#[tokio::test]
async fn a_deposit_is_findable_by_our_id_and_by_the_receipt_in_every_version() {
    for version in VERSIONS {
        let (core, script) = core(json!({"version": version}), vec![ok(DEPOSIT)]);
        let outcome = core.post(&orders::order(Booking::Deposit)).await;
        let Outcome::Executed(confirmation) = outcome else { panic!("{outcome:?}") };
        assert_eq!(confirmation.receipt.as_str(), "567");
        assert_eq!(
            script.paths(),
            ["POST /fineract-provider/api/v1/savingsaccounts/34/transactions?command=deposit"]
        );
        let mut expected = json!({
            "locale": "en", "dateFormat": "yyyy-MM-dd",
            "transactionDate": "2026-09-01", "transactionAmount": "1000.00", "paymentTypeId": 3,
            "accountNumber": "255700000001", "checkNumber": "01900000000070008000000000001241",
            "routingCode": "KIUNGO", "receiptNumber": "MM7Q2K9",
            "note": "01900000-0000-7000-8000-000000001200",
        });
        if version == "1.15" {
            expected["externalId"] = "01900000-0000-7000-8000-000000001241".into();
        }
        assert_eq!(script.body(0), expected, "{version}");
        for (name, value) in [
            ("Idempotency-Key", "01900000-0000-7000-8000-000000001241"),
            ("Fineract-Platform-TenantId", "default"),
            ("Authorization", "Basic a2l1bmdvOnB3"),
            ("Content-Type", "application/json"),
        ] {
            assert_eq!(script.header(0, name).as_deref(), Some(value), "{name}");
        }
    }
}

#[tokio::test]
async fn loans_carry_our_id_as_external_id_in_every_version() {
    for version in VERSIONS {
        let (core, script) = core(json!({"version": version}), vec![ok(REPAYMENT), ok(DISBURSE)]);
        let repaid = core.post(&orders::order(Booking::Repay)).await;
        let Outcome::Executed(repaid) = repaid else { panic!("{repaid:?}") };
        assert_eq!(repaid.receipt.as_str(), "12");
        assert_eq!(repaid.stated.amount, Some(orders::order(Booking::Repay).amount));
        let disbursed = core.post(&orders::order(Booking::Disburse)).await;
        let Outcome::Executed(disbursed) = disbursed else { panic!("{disbursed:?}") };
        assert_eq!(disbursed.receipt.as_str(), "10");
        assert_eq!(
            script.paths(),
            [
                "POST /fineract-provider/api/v1/loans/3/transactions?command=repayment",
                "POST /fineract-provider/api/v1/loans/3?command=disburse",
            ]
        );
        let (repayment, disbursement) = (script.body(0), script.body(1));
        assert_eq!(repayment["externalId"], "01900000-0000-7000-8000-000000001241");
        assert_eq!(repayment["transactionDate"], "2026-09-01");
        assert_eq!(disbursement["externalId"], "01900000-0000-7000-8000-000000001201");
        assert_eq!(disbursement["actualDisbursementDate"], "2026-09-01");
        assert_eq!(disbursement["transactionDate"], json!(null));
        // Before the payout there is no provider's receipt: ours stands in its place.
        assert_eq!(disbursement["receiptNumber"], disbursement["checkNumber"]);
    }
}

#[tokio::test]
async fn savings_without_a_payment_type_are_not_sent() {
    let (core, script) = core(json!({}), vec![]);
    let mut order = orders::order(Booking::Deposit);
    order.payment_type = None;
    let Outcome::Rejected(rejection) = core.post(&order).await else { panic!("rejected") };
    assert_eq!((rejection.reason, rejection.retry), (Reason::Configuration, Retry::AfterRepair));
    assert!(script.paths().is_empty());
}

#[tokio::test]
async fn a_receipt_that_does_not_fit_into_its_member_stands_in_the_note() {
    for receipt in [&"R".repeat(256), &"R".repeat(51), "RÉF-7"] {
        let (core, script) = core(json!({"payment_type": 7}), vec![envelope(403, "x")]);
        let mut order = orders::order(Booking::Deposit);
        (order.receipt, order.payment_type, order.msisdn) =
            (Some(Receipt::new(receipt).unwrap()), None, None);
        core.post(&order).await;
        let body = script.body(0);
        assert_eq!(body["receiptNumber"], "01900000000070008000000000001241");
        assert_eq!(body["note"], format!("01900000-0000-7000-8000-000000001200 {receipt}"));
        assert_eq!(body["paymentTypeId"], 7);
        assert_eq!(body["accountNumber"], json!(null));
    }
}

#[tokio::test]
async fn a_hold_carries_our_id_and_is_released_only_if_it_is_one() {
    let hold = r#"{"officeId":1,"savingsId":34,"resourceId":568}"#;
    let row = r#"{"id":567,"transactionType":{"id":20},"accountId":34,"amount":1000.0,
        "releaseTransactionId":0}"#;
    let released = r#"{"officeId":1,"savingsId":34,"resourceId":569}"#;
    let (core, script) = core(json!({}), vec![ok(hold), ok(row), ok(released)]);
    let reserved = core.hold(&orders::order(Booking::Withdraw)).await;
    assert!(matches!(reserved, Outcome::Executed(c) if c.receipt.as_str() == "568"));
    let body = script.body(0);
    assert_eq!(body["reasonForBlock"], "01900000000070008000000000001201");
    assert_eq!(body["transactionAmount"], "1000.00");
    let given_back = core.release(&orders::undo(Booking::Withdraw)).await;
    assert!(matches!(given_back, Outcome::Executed(c) if c.receipt.as_str() == "569"));
    assert_eq!(
        script.paths()[2],
        "POST /fineract-provider/api/v1/savingsaccounts/34/transactions/567?command=releaseAmount"
    );
}

#[tokio::test]
async fn no_other_transaction_is_ever_released_and_no_hold_twice() {
    let deposit = r#"{"id":567,"transactionType":{"id":1},"accountId":34,"amount":1}"#;
    let released =
        r#"{"id":567,"transactionType":{"id":20},"amount":1,"releaseTransactionId":570}"#;
    let (core, script) = core(json!({}), vec![ok(deposit), ok(released)]);
    let undo = orders::undo(Booking::Withdraw);
    assert!(matches!(core.release(&undo).await, Outcome::Rejected(_)));
    assert!(
        matches!(core.release(&undo).await, Outcome::Executed(c) if c.receipt.as_str() == "570")
    );
    assert!(script.paths().iter().all(|line| line.starts_with("GET ")));
}

#[tokio::test]
async fn a_closed_day_moves_by_the_cores_own_calendar() {
    let closures = r#"[{"id":1,"officeId":1,"closingDate":[2026,8,31]}]"#;
    let days = r#"{"id":1,"recurrence":"FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU,WE,TH,FR,SA,SU"}"#;
    let options = json!({"closed_periods": "next_open_day"});
    let (core, script) = core(options, vec![ok(closures), ok(days), ok(DEPOSIT)]);
    let mut order = orders::order(Booking::Deposit);
    order.value_at = kiungo_domain::Timestamp::from_micros(order.at.as_micros() - 86_400_000_000);
    core.post(&order).await;
    assert_eq!(script.body(2)["transactionDate"], "2026-09-01");
}

#[tokio::test]
async fn an_unreadable_calendar_is_not_sent() {
    let (core, script) = core(json!({"business_date": "on"}), vec![super::script::lost()]);
    let outcome = core.post(&orders::order(Booking::Deposit)).await;
    assert!(matches!(outcome, Outcome::NotSent { .. }), "{outcome:?}");
    assert_eq!(script.paths().len(), 1);
}

#[tokio::test]
async fn the_business_date_is_the_value_date() {
    let date = r#"{"description":"Business Date","type":"BUSINESS_DATE","date":[2026,8,30]}"#;
    let (core, script) = core(json!({"business_date": "on"}), vec![ok(date), ok(DEPOSIT)]);
    core.post(&orders::order(Booking::Deposit)).await;
    assert_eq!(script.body(1)["transactionDate"], "2026-08-30");
}
