//! Finding our own postings again.

use kiungo_core_banking::{Booking, Core as _};
use kiungo_domain::outcome::Awaiting;
use kiungo_domain::{Finding, Money, Receipt};
use serde_json::{Value, json};

use super::orders;
use super::script::{
    EMPTY, Reply, SAVINGS, core, envelope, lost, no_booking, ok, reply, unasked_core,
};

const ROWS: &str = include_str!("../../fixtures/savings_transactions.json");
const LOAN_ROW: &str = include_str!("../../fixtures/loan_transaction.json");
/// The audit trail with one command of that body.
fn trail(body: &str) -> String {
    json!({"totalFilteredRecords": 1, "pageItems": [
        {"id": 991, "madeOnDate": 1_788_253_200_000_u64, "commandAsJson": body}
    ]})
    .to_string()
}

const OUR_COMMAND: &str = r#"{"checkNumber":"01900000000070008000000000001241"}"#;
const ANOTHER_COMMAND: &str = r#"{"checkNumber":"01900000000070008000000000009941"}"#;

async fn deposit(rows: &str) -> Finding {
    let mut replies = no_booking();
    replies[0] = ok(rows);
    replies[3] = ok(rows);
    let (core, _) = core(json!({}), replies);
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
          ?fromDate=2026-08-31&toDate=2026-09-02&types=1&offset=0&limit=200&locale=en\
          &dateFormat=yyyy-MM-dd"]
    );
}

/// The consequence of an absence depends on whether the core recognises a second sending: without
/// that knowledge a booking that still runs could go out again under a new reference.
#[tokio::test]
async fn a_core_that_could_not_be_asked_yet_proves_no_absence() {
    for booking in [Booking::Deposit, Booking::Withdraw] {
        let (core, _) = unasked_core(json!({}), no_booking());
        let found = core.inquire(&orders::order(booking)).await;
        assert!(matches!(found, Finding::Unclear { .. }), "{found:?}");
    }
    let (core, _) = unasked_core(json!({}), no_booking());
    let found = core.inquire_hold(&orders::order(Booking::Withdraw)).await;
    assert!(matches!(found, Finding::Unclear { .. }), "{found:?}");
    let (core, _) = unasked_core(json!({}), vec![ok(ROWS)]);
    let found = core.inquire(&orders::order(Booking::Deposit)).await;
    assert!(matches!(found, Finding::Executed(_)), "what is found, is found: {found:?}");
}

#[tokio::test]
async fn absent_is_only_what_stands_nowhere_on_an_account_that_is_shown() {
    let (core_1, script) = core(json!({}), no_booking());
    assert_eq!(core_1.inquire(&orders::order(Booking::Deposit)).await, Finding::Absent);
    let paths = script.paths();
    let trail = "/api/v1/audits?actionName=DEPOSIT&entityName=SAVINGSACCOUNT&processingResult=4\
        &includeJson=true&paged=true&offset=0&limit=200&orderBy=id&sortOrder=DESC\
        &savingsAccountId=34";
    assert!(paths[1].ends_with(trail), "{paths:?}");
    assert!(paths[2].ends_with("/api/v1/savingsaccounts/34"), "{paths:?}");
    assert!(paths[3].contains("/search?types=1&offset=0&"), "no dates: {paths:?}");

    // Booked on an unexpected day.
    let mut late = no_booking();
    late[3] = ok(ROWS);
    let (core_1, _) = core(json!({}), late);
    let found = core_1.inquire(&orders::order(Booking::Deposit)).await;
    assert!(matches!(found, Finding::Executed(_)), "{found:?}");

    let hidden = envelope(404, "error.msg.saving.account.id.invalid");
    for (index, answer) in [(1, reply(500, "")), (2, hidden), (2, lost()), (3, lost())] {
        let mut replies = no_booking();
        replies[index] = answer;
        let (core, _) = core(json!({}), replies);
        let found = core.inquire(&orders::order(Booking::Deposit)).await;
        assert!(matches!(found, Finding::Unclear { .. }), "{index}: {found:?}");
    }
}

/// A 425 or a lost answer leaves a command that may still be applied: sent again under another key
/// it would be booked twice.
#[tokio::test]
async fn a_running_command_is_not_absent() {
    let running = |body: &str| vec![ok(EMPTY), ok(trail(body)), ok(SAVINGS), ok(EMPTY)];
    let order = orders::order(Booking::Deposit);
    let (core_1, _) = core(json!({}), running(OUR_COMMAND));
    let found = core_1.inquire(&order).await;
    assert!(matches!(&found, Finding::Unclear { why } if why.contains("991")), "{found:?}");
    let (core_1, _) = core(json!({}), running(ANOTHER_COMMAND));
    assert_eq!(core_1.inquire(&order).await, Finding::Absent);

    // Loans carry the id with hyphens; the filter's name depends on the version.
    let unknown = envelope(404, "error.msg.loan.transaction.external.id.invalid");
    let command = r#"{"externalId":"01900000-0000-7000-8000-000000001241"}"#;
    let (core_1, script) = core(json!({}), vec![unknown, ok(trail(command))]);
    let found = core_1.inquire(&orders::order(Booking::Repay)).await;
    assert!(matches!(found, Finding::Unclear { .. }), "{found:?}");
    assert!(script.paths()[1].ends_with("&loanid=3&loanId=3"), "{:?}", script.paths());
}

/// A page of the trail with commands of these numbers, the last with that body.
fn commands(total: usize, ids: std::ops::RangeInclusive<u64>, last: &str) -> Reply {
    let (end, mut rows) = (*ids.end(), Vec::new());
    for id in ids {
        rows.push(json!({"id": id, "commandAsJson": if id == end { last } else { "{}" }}));
    }
    ok(json!({"totalFilteredRecords": total, "pageItems": rows}).to_string())
}

/// `PostgreSQL` states as total what is on the page: only a short page is the last.
#[tokio::test]
async fn the_trail_is_read_to_its_end_whatever_total_it_states() {
    let order = orders::order(Booking::Deposit);
    for (first, second) in [(201, 201), (200, 2)] {
        let pages = [commands(first, 1..=200, "{}"), commands(second, 200..=201, OUR_COMMAND)];
        let replies = std::iter::once(ok(EMPTY)).chain(pages).collect();
        let (core, script) = core(json!({}), replies);
        assert!(matches!(core.inquire(&order).await, Finding::Unclear { .. }));
        assert!(script.paths()[2].contains("offset=199&"), "{:?}", script.paths());
    }
    let short = [commands(200, 1..=200, "{}"), commands(1, 200..=200, "{}")];
    let replies = no_booking();
    let mut replies: Vec<Reply> = replies.into_iter().collect();
    replies.splice(1..2, short);
    let (core_1, script) = core(json!({}), replies);
    assert_eq!(core_1.inquire(&order).await, Finding::Absent);
    assert!(script.is_used_up());
    let endless = (0..25).map(|page| commands(200, 199 * page + 1..=199 * page + 200, "{}"));
    let (core_1, _) = core(json!({}), std::iter::once(ok(EMPTY)).chain(endless).collect());
    let found = core_1.inquire(&order).await;
    assert!(matches!(found, Finding::Unclear { .. }), "given up: {found:?}");
}

/// Commands that ended meanwhile moved the others up, past the page that was asked for next.
#[tokio::test]
async fn a_trail_that_moves_while_it_is_read_proves_nothing() {
    let pages = [commands(200, 1..=200, "{}"), commands(1, 250..=260, "{}")];
    let (core, _) = core(json!({}), std::iter::once(ok(EMPTY)).chain(pages).collect());
    let found = core.inquire(&orders::order(Booking::Deposit)).await;
    assert!(matches!(found, Finding::Unclear { .. }), "{found:?}");
}

#[tokio::test]
async fn pages_are_counted_as_pages_and_read_to_the_end() {
    let other =
        |id: u64| json!({"id": id, "transactionType": {"id": 1}, "amount": 5.0, "reversed": false});
    let first: Vec<Value> = (1..=200).map(other).collect();
    let mut last: Value = serde_json::from_str(ROWS).unwrap();
    last["total"] = 201.into();
    let first = json!({"total": 201, "content": first}).to_string();
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
    let found = deposit(&another).await;
    assert!(matches!(found, Finding::Unclear { .. }), "another generation of ours: {found:?}");
    let undone = another.replace("\"reversed\":false", "\"reversed\":true");
    assert_eq!(deposit(&undone).await, Finding::Absent, "the same, taken back");
    let another = ROWS.replace(ours.0, "01900000000070008000000000001341");
    assert_eq!(deposit(&another).await, Finding::Absent, "another transfer of ours");
    let by_hand = ROWS.replace(ours.0, ours.1);
    let Finding::Executed(found) = deposit(&by_hand).await else { panic!("by the receipt") };
    assert_eq!(found.stated.reference, None);
    let typed = by_hand.replace("MM7Q2K9", " mm7q2k9 ");
    assert!(matches!(deposit(&typed).await, Finding::Executed(_)), "in small letters");
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
    let loan = r#"{"id":3,"status":{"id":300}}"#;
    let (core, _) = core(json!({"version": version}), vec![answer, ok("[]"), ok(loan)]);
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

/// Before 1.9 only the whole history can be read, which may be too long for one answer: then the
/// trail of commands that ended well tells, a page at a time.
#[tokio::test]
async fn before_1_9_a_history_that_is_too_long_is_found_by_the_trail() {
    let order = orders::order(Booking::Deposit);
    let old = || json!({"version": "1.8"});
    let row = {
        let page: Value = serde_json::from_str(ROWS).unwrap();
        page["content"][0].to_string()
    };
    let ours = |made_ms: u64| {
        ok(json!({"totalFilteredRecords": 1, "pageItems": [{"id": 991, "resourceId": 567,
            "madeOnDate": made_ms, "commandAsJson": OUR_COMMAND}]})
        .to_string())
    };
    let (found_by_trail, script) =
        core(old(), vec![lost(), ours(1_788_253_200_000), ok(row.clone())]);
    let Finding::Executed(found) = found_by_trail.inquire(&order).await else { panic!("found") };
    assert_eq!((found.receipt.as_str(), found.stated.amount), ("567", Some(order.amount)));
    let paths = script.paths();
    assert!(paths[1].contains("processingResult=1&"), "{paths:?}");
    assert!(paths[2].ends_with("/savingsaccounts/34/transactions/567"), "{paths:?}");

    let others = || commands(3, 1..=3, "{}");
    let (absent, script) = core(old(), vec![lost(), others(), lost(), others()]);
    assert_eq!(absent.inquire(&order).await, Finding::Absent);
    assert!(script.is_used_up());
    let nothing = ok(json!({"totalFilteredRecords": 0, "pageItems": []}).to_string());
    let (hidden, _) = core(old(), vec![lost(), nothing]);
    let found = hidden.inquire(&order).await;
    assert!(matches!(found, Finding::Unclear { .. }), "nothing is shown at all: {found:?}");
    let no_right = || envelope(403, "error.msg.not.authorized");
    let (shut, _) = core(old(), vec![lost(), no_right()]);
    let Finding::Unclear { why } = shut.inquire(&order).await else { panic!("unclear") };
    assert!(why.contains("history") && why.contains("audit trail"), "{why}");
}

/// Commands made long before ours was first sent are not looked through.
#[tokio::test]
async fn before_1_9_the_trail_is_read_back_to_the_first_sending_only() {
    let long_ago = |id: u64| json!({"id": id, "madeOnDate": 1_788_000_000_000_u64});
    let rows: Vec<Value> = (1..=200).map(long_ago).collect();
    let page = || ok(json!({"totalFilteredRecords": 9_000, "pageItems": rows}).to_string());
    let (core, script) = core(json!({"version": "1.8"}), vec![lost(), page(), lost(), page()]);
    assert_eq!(core.inquire(&orders::order(Booking::Deposit)).await, Finding::Absent);
    assert!(script.is_used_up());
}

#[tokio::test]
async fn a_history_that_is_longer_than_is_looked_through_says_so() {
    let other =
        |id: u64| json!({"id": id, "transactionType": {"id": 1}, "amount": 5.0, "reversed": false});
    let rows: Vec<Value> = (1..=200).map(other).collect();
    let page = || ok(json!({"total": 9_999, "content": rows}).to_string());
    let (core, script) = core(json!({"history_pages_max": 3}), (0..3).map(|_| page()).collect());
    let found = core.inquire(&orders::order(Booking::Deposit)).await;
    let Finding::Unclear { why } = found else { panic!("{found:?}") };
    assert!(why.contains("600") && why.contains("history_pages_max"), "{why}");
    assert!(script.is_used_up());
}

#[tokio::test]
async fn before_1_9_a_repayment_is_found_among_the_loans_transactions() {
    let loan = format!(r#"{{"status":{{"id":300}},"transactions":[{LOAN_ROW}]}}"#);
    assert!(matches!(repayment("1.8", ok(loan)).await, Finding::Executed(_)));
    let empty = || ok(r#"{"status":{"id":300}}"#);
    let (core, script) = core(json!({"version": "1.8"}), vec![empty(), empty()]);
    assert_eq!(core.inquire(&orders::order(Booking::Repay)).await, Finding::Absent);
    assert!(script.is_used_up(), "commands that run stand in no trail yet");
}

/// Booked at the counter while the outcome of ours was unknown.
#[tokio::test]
async fn a_repayment_that_was_booked_by_hand_is_found_by_its_receipt() {
    let by_hand = LOAN_ROW
        .replace("01900000-0000-7000-8000-000000001241", "")
        .replace("01900000000070008000000000001241", "");
    let on_loan = async |row: &str| {
        let unknown = envelope(404, "error.msg.loan.transaction.external.id.invalid");
        let loan = format!(r#"{{"status":{{"id":300}},"transactions":[{row}]}}"#);
        let (core, script) = core(json!({}), vec![unknown, ok("[]"), ok(loan)]);
        let finding = core.inquire(&orders::order(Booking::Repay)).await;
        assert!(script.is_used_up());
        finding
    };
    let Finding::Executed(found) = on_loan(&by_hand).await else { panic!("by the receipt") };
    assert_eq!((found.receipt.as_str(), found.stated.reference), ("12", None));
    let more = by_hand.replace("\"amount\":1000.000000", "\"amount\":1001.000000");
    assert!(matches!(on_loan(&more).await, Finding::Unclear { .. }));
    let waiver = by_hand.replace("\"type\":{\"id\":2", "\"type\":{\"id\":4");
    assert_eq!(on_loan(&waiver).await, Finding::Absent);
    let another = LOAN_ROW
        .replace("000000001241", "000000001341")
        .replace("01900000-0000-7000-8000-000000001241", "01900000-0000-7000-8000-000000001341");
    assert_eq!(on_loan(&another).await, Finding::Absent, "another transfer of ours");
}

#[tokio::test]
async fn a_loan_that_somebody_else_has_disbursed_refuses_ours() {
    let unknown = || envelope(404, "error.msg.loan.transaction.external.id.invalid");
    let loan = |status: u64| ok(json!({"status": {"id": status}}).to_string());
    let order = orders::order(Booking::Disburse);
    let asked = async |last: Vec<Reply>| {
        let replies = vec![unknown(), ok("[]")].into_iter().chain(last).collect();
        let (core, script) = core(json!({}), replies);
        let finding = core.inquire(&order).await;
        assert!(script.is_used_up());
        finding
    };
    assert_eq!(asked(vec![loan(200)]).await, Finding::Absent, "it can still be disbursed");
    let refused = asked(vec![loan(300), unknown()]).await;
    assert!(matches!(refused, Finding::Rejected(_)), "{refused:?}");
    let row = LOAN_ROW
        .replace("\"type\":{\"id\":2", "\"type\":{\"id\":1")
        .replace("000000001241", "000000001201");
    let executed = asked(vec![loan(300), ok(row)]).await;
    assert!(matches!(executed, Finding::Executed(_)), "by us, just now: {executed:?}");
}

#[tokio::test]
async fn a_command_that_waits_for_approval_is_not_absent() {
    let [ours, other] = [OUR_COMMAND, ANOTHER_COMMAND].map(trail);
    let order = orders::order(Booking::Deposit);
    // Running, waiting and rejected commands are asked for in turn.
    let with = |said: &[&String]| {
        let mut replies = no_booking();
        replies.splice(1..2, said.iter().map(|body| ok((*body).clone())));
        core(json!({"maker_checker": "on"}), replies)
    };
    let nothing = "[]".to_owned();

    let (core, script) = with(&[&nothing, &ours]);
    let Finding::InProgress(waiting) = core.inquire(&order).await else { panic!("waiting") };
    assert_eq!(waiting.awaiting, Awaiting::Approval);
    assert_eq!(waiting.handle.as_deref(), Some("991"));
    assert!(script.paths()[2].contains(
        "/audits?actionName=DEPOSIT&entityName=SAVINGSACCOUNT&processingResult=2&includeJson=true"
    ));
    let (core, _) = with(&[&nothing, &other, &ours]);
    assert!(matches!(core.inquire(&order).await, Finding::Rejected(_)));
    let (core, script) = with(&[&nothing, &other, &nothing]);
    assert_eq!(core.inquire(&order).await, Finding::Absent);
    assert!(script.is_used_up());
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
