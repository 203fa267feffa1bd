//! Finding our own postings again.

use kiungo_core_banking::{Booking, Core as _};
use kiungo_domain::outcome::Awaiting;
use kiungo_domain::{Finding, Money, Receipt};
use serde_json::{Value, json};

use super::orders;
use super::script::{Reply, core, envelope, lost, ok, reply, unasked_core};

const ROWS: &str = include_str!("../../fixtures/savings_transactions.json");
const LOAN_ROW: &str = include_str!("../../fixtures/loan_transaction.json");
const EMPTY: &str = r#"{"total":0,"content":[],"pageable":{}}"#;

async fn deposit(rows: &str) -> Finding {
    let (core, _) = core(json!({}), vec![ok(rows.to_owned())]);
    core.inquire(&orders::order(Booking::Deposit)).await
}

#[tokio::test]
async fn a_deposit_is_found_by_our_id_with_all_that_the_row_states() {
    let (core, script) = core(json!({}), vec![ok(ROWS)]);
    let order = orders::order(Booking::Deposit);
    let Finding::Executed(found) = core.inquire(&order).await else { panic!("executed") };
    assert_eq!(found.receipt.as_str(), "567");
    assert_eq!(found.stated.amount, Some(order.amount));
    assert_eq!(found.stated.msisdn, order.msisdn);
    assert_eq!(found.stated.reference, Some(order.reference));
    assert_eq!(
        script.paths(),
        ["GET /fineract-provider/api/v1/savingsaccounts/34/transactions/search\
          ?fromDate=2026-08-31&toDate=2026-09-02&types=1&offset=0&limit=50&locale=en\
          &dateFormat=yyyy-MM-dd"]
    );
}

/// What follows from an absence depends on whether the core recognises a second sending: without
/// that knowledge a booking that still runs could go out again under a new reference.
#[tokio::test]
async fn a_core_that_could_not_be_asked_yet_proves_no_absence() {
    for booking in [Booking::Deposit, Booking::Withdraw] {
        let (core, _) = unasked_core(json!({}), vec![ok(EMPTY)]);
        let found = core.inquire(&orders::order(booking)).await;
        assert!(matches!(found, Finding::Unclear { .. }), "{found:?}");
    }
    let (core, _) = unasked_core(json!({}), vec![ok(EMPTY)]);
    let found = core.inquire_hold(&orders::order(Booking::Withdraw)).await;
    assert!(matches!(found, Finding::Unclear { .. }), "{found:?}");
    let (core, _) = unasked_core(json!({}), vec![ok(ROWS)]);
    let found = core.inquire(&orders::order(Booking::Deposit)).await;
    assert!(matches!(found, Finding::Executed(_)), "what is found, is found: {found:?}");
}

#[tokio::test]
async fn pages_are_counted_as_pages_and_read_to_the_end() {
    let other =
        |id: u64| json!({"id": id, "transactionType": {"id": 1}, "amount": 5.0, "reversed": false});
    let first: Vec<Value> = (1..=50).map(other).collect();
    let mut last: Value = serde_json::from_str(ROWS).unwrap();
    last["total"] = 51.into();
    let first = json!({"total": 51, "content": first}).to_string();
    let (core, script) = core(json!({}), vec![ok(first), ok(last.to_string())]);
    let found = core.inquire(&orders::order(Booking::Deposit)).await;
    assert!(matches!(found, Finding::Executed(_)), "{found:?}");
    assert!(script.paths()[1].contains("offset=1&"), "{:?}", script.paths());
}

#[tokio::test]
async fn rows_are_told_apart_by_what_they_carry() {
    let ours = ("01900000000070008000000000001241", "");
    assert_eq!(deposit(EMPTY).await, Finding::Absent);
    let another = ROWS.replace(ours.0, "01900000000070008000000000001242");
    assert_eq!(deposit(&another).await, Finding::Absent, "another generation of ours");
    let by_hand = ROWS.replace(ours.0, ours.1);
    let Finding::Executed(found) = deposit(&by_hand).await else { panic!("by the receipt") };
    assert_eq!(found.stated.reference, None);
    let neither = by_hand.replace("MM7Q2K9", "MM7Q2K8");
    assert_eq!(deposit(&neither).await, Finding::Absent);
    let withdrawal = ROWS.replace("{\"id\":1,", "{\"id\":2,");
    assert_eq!(deposit(&withdrawal).await, Finding::Absent);
    let undone = ROWS.replace("\"reversed\":false", "\"reversed\":true");
    assert!(matches!(deposit(&undone).await, Finding::Reversed(_)));
    let counter = ROWS.replace("\"isReversal\":false", "\"isReversal\":true");
    assert_eq!(deposit(&counter).await, Finding::Absent);
}

#[tokio::test]
async fn another_amount_opens_a_case_and_never_a_second_posting() {
    let more = ROWS.replace("\"amount\":1000.000000", "\"amount\":1001.000000");
    let Finding::Executed(found) = deposit(&more).await else { panic!("executed") };
    assert_eq!(found.stated.amount.map(Money::minor), Some(100_100));
    let by_hand = more.replace("01900000000070008000000000001241", "");
    assert!(matches!(deposit(&by_hand).await, Finding::Unclear { .. }));
    let unreadable = ROWS.replace("\"amount\":1000.000000", "\"amount\":1000.001");
    assert!(matches!(deposit(&unreadable).await, Finding::Unclear { .. }));
    let elsewhere = ROWS.replace("\"accountId\":34", "\"accountId\":35");
    assert!(matches!(deposit(&elsewhere).await, Finding::Unclear { .. }));
}

#[tokio::test]
async fn before_1_9_the_whole_history_is_read() {
    let page: Value = serde_json::from_str(ROWS).unwrap();
    let account = include_str!("../../fixtures/savings_account.json");
    let mut account: Value = serde_json::from_str(account).unwrap();
    account["transactions"] = page["content"].clone();
    let (core, script) = core(json!({"version": "1.8"}), vec![ok(account.to_string())]);
    let found = core.inquire(&orders::order(Booking::Deposit)).await;
    assert!(matches!(found, Finding::Executed(_)), "{found:?}");
    assert_eq!(
        script.paths(),
        ["GET /fineract-provider/api/v1/savingsaccounts/34?associations=transactions"]
    );
}

async fn repayment(version: &str, answer: Reply) -> Finding {
    let (core, _) = core(json!({"version": version}), vec![answer]);
    core.inquire(&orders::order(Booking::Repay)).await
}

#[tokio::test]
async fn a_repayment_is_found_by_external_id() {
    let Finding::Executed(found) = repayment("1.14", ok(LOAN_ROW)).await else {
        panic!("executed")
    };
    assert_eq!(found.receipt.as_str(), "12");
    let iso = LOAN_ROW.replace("[2026,9,1]", "\"2026-09-01\"");
    assert!(matches!(repayment("1.14", ok(iso)).await, Finding::Executed(_)));
    let undone = LOAN_ROW.replace("\"manuallyReversed\":false", "\"manuallyReversed\":true");
    assert!(matches!(repayment("1.14", ok(undone)).await, Finding::Reversed(_)));
    let reversed = LOAN_ROW.replace("\"amount\":", "\"reversedOnDate\":[2026,9,2],\"amount\":");
    assert!(matches!(repayment("1.14", ok(reversed)).await, Finding::Reversed(_)));
    let waiver = LOAN_ROW.replace("\"type\":{\"id\":2", "\"type\":{\"id\":4");
    assert!(matches!(repayment("1.14", ok(waiver)).await, Finding::Unclear { .. }));
}

#[tokio::test]
async fn only_unknown_in_the_whole_tenant_is_absent() {
    let unknown = "error.msg.loan.transaction.external.id.invalid";
    assert_eq!(repayment("1.10", envelope(404, unknown)).await, Finding::Absent);
    for answer in [
        envelope(404, "error.msg.loan.transaction.id.invalid"),
        envelope(404, "error.msg.loan.id.invalid"),
        reply(404, "<html>no such page</html>"),
        reply(425, "{}"),
        reply(500, "{}"),
        envelope(403, "error.msg.not.authorized"),
        ok("<html></html>"),
        ok("{}"),
        lost(),
    ] {
        let shown = format!("{answer:?}");
        let finding = repayment("1.10", answer).await;
        assert!(matches!(finding, Finding::Unclear { .. }), "{shown}: {finding:?}");
    }
}

#[tokio::test]
async fn before_1_9_a_repayment_is_found_among_the_loans_transactions() {
    let loan = format!(r#"{{"status":{{"id":300}},"transactions":[{LOAN_ROW}]}}"#);
    assert!(matches!(repayment("1.8", ok(loan)).await, Finding::Executed(_)));
    let empty = r#"{"status":{"id":300}}"#;
    assert_eq!(repayment("1.8", ok(empty)).await, Finding::Absent);
}

#[tokio::test]
async fn what_waits_for_approval_is_not_absent() {
    let audits = |body: &str| {
        json!({"totalFilteredRecords": 1, "pageItems": [
            {"id": 991, "madeOnDate": 1_788_253_200_000_u64, "commandAsJson": body}
        ]})
        .to_string()
    };
    let ours = audits(r#"{"checkNumber":"01900000000070008000000000001241"}"#);
    let other = audits(r#"{"checkNumber":"01900000000070008000000000009941"}"#);
    let with = |replies| core(json!({"maker_checker": "on"}), replies);
    let order = orders::order(Booking::Deposit);

    let (core, script) = with(vec![ok(EMPTY), ok(ours.clone())]);
    let Finding::InProgress(waiting) = core.inquire(&order).await else { panic!("waiting") };
    assert_eq!(waiting.awaiting, Awaiting::Approval);
    assert_eq!(waiting.handle.as_deref(), Some("991"));
    assert!(script.paths()[1].contains(
        "/audits?actionName=DEPOSIT&entityName=SAVINGSACCOUNT&processingResult=2&includeJson=true"
    ));
    let (core, _) = with(vec![ok(EMPTY), ok(other.clone()), ok(ours)]);
    assert!(matches!(core.inquire(&order).await, Finding::Refused(_)));
    let (core, _) = with(vec![ok(EMPTY), ok(other), ok("[]")]);
    assert_eq!(core.inquire(&order).await, Finding::Absent);
    let (core, _) = with(vec![ok(EMPTY), reply(500, "")]);
    assert!(matches!(core.inquire(&order).await, Finding::Unclear { .. }));
}

#[tokio::test]
async fn a_withdrawal_is_found_without_a_providers_receipt() {
    let row = ROWS
        .replace("{\"id\":1,", "{\"id\":2,")
        .replace("000000001241", "000000001201")
        .replace("MM7Q2K9", "01900000000070008000000000001201");
    let (core, script) = core(json!({}), vec![ok(row)]);
    let found = core.inquire(&orders::order(Booking::Withdraw)).await;
    let Finding::Executed(found) = found else { panic!("{found:?}") };
    assert_eq!(found.receipt, Receipt::new("567").unwrap());
    assert!(script.paths()[0].contains("types=2&"));
}

#[tokio::test]
async fn a_hold_is_found_by_its_reason() {
    let row = json!({"total": 1, "content": [{"id": 568, "transactionType": {"id": 20},
        "accountId": 34, "amount": 1000.0, "reasonForBlock": "01900000000070008000000000001201"}]});
    let (core, script) = core(json!({}), vec![ok(row.to_string())]);
    let found = core.inquire_hold(&orders::order(Booking::Withdraw)).await;
    assert!(matches!(found, Finding::Executed(c) if c.receipt.as_str() == "568"));
    assert!(script.paths()[0].contains("types=20&"));
}
