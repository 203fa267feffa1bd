//! Answers in the form in which a real Apache Fineract 1.10.1 (`PostgreSQL`) gives them, with data of
//! our own, cut down to what is told apart.

use kiungo_core_banking::{Booking, Core as _, UndoCheck};
use kiungo_domain::outcome::{Reason, Retry};
use kiungo_domain::{Finding, Outcome};
use serde_json::json;

use super::orders;
use super::script::{EMPTY, Reply, cached, core, ok, profile, reply};
use crate::catalogue::{Class, ErrorMeaning, classify};
use crate::wire::{
    Accounts, Client, ClientHit, CommandResult, Loan, Page, RequestOwner, RequestedLoan, SearchHit,
    read_object,
};

const LOAN: &str = include_str!("../../fixtures/real_loan.json");
const DISBURSEMENT_UNDONE: &str = include_str!("../../fixtures/real_disbursement_undone.json");

/// Indented, the code in an element without a parameter, an argument that is a list.
fn error(status: u16, family: &str, code: &str, text: &str) -> String {
    format!(
        "{{\n  \"developerMessage\" : \"family\",\n  \"httpStatusCode\" : \"{status}\",\n  \
         \"defaultUserMessage\" : \"{text}\",\n  \"userMessageGlobalisationCode\" : \"{family}\",\n  \
         \"errors\" : [ {{\n    \"developerMessage\" : \"{text}\",\n    \"defaultUserMessage\" : \
         \"{text}\",\n    \"userMessageGlobalisationCode\" : \"{code}\",\n    \"args\" : [ {{ }}, \
         {{\n      \"value\" : [ 34 ]\n    }} ]\n  }} ]\n}}"
    )
}

fn class(status: u16, body: &str) -> Option<Class> {
    match classify(status, body.as_bytes()) {
        ErrorMeaning::Listed { row, .. } => Some(row.class),
        ErrorMeaning::Unlisted { .. } => None,
    }
}

#[test]
fn errors_are_read_with_all_that_stands_beside_them() {
    let (rule, invalid, missing) = (
        "validation.msg.domain.rule.violation",
        "validation.msg.validation.errors.exist",
        "error.msg.resource.not.found",
    );
    let collision = "error.msg.data.integrity.issue";
    for (status, family, code, expected) in [
        (403, collision, collision, Some(Class::Database)),
        (403, "error.msg.not.authorized", "error.msg.not.authorized", Some(Class::Repair)),
        (404, missing, "error.msg.client.not.found.with.client.id", Some(Class::Final)),
        (404, missing, "error.msg.saving.account.id.invalid", Some(Class::Final)),
        (400, invalid, "validation.msg.savingsaccount.insufficient.balance", Some(Class::Final)),
        (400, invalid, "validation.msg.invalid.decimal.format", Some(Class::Final)),
        (
            400,
            invalid,
            "validation.msg.loan.transaction.externalId.value.must.be.unique",
            Some(Class::Duplicate),
        ),
        (400, invalid, "error.msg.loan.undo.disbursal.account.is.not.active", Some(Class::Final)),
        (409, "error.msg.platform.service.query.conflict", "x", Some(Class::Busy)),
        (403, rule, "error.msg.savingsaccount.transaction.of.tomorrow", None),
    ] {
        assert_eq!(class(status, &error(status, family, code, "text")), expected, "{code}");
    }
    let value = r#"{"userMessageGlobalisationCode":"validation.msg.validation.errors.exist","errors":[
        {"userMessageGlobalisationCode":"validation.msg.invalid.decimal.format","value":"abc",
         "parameterName":"transactionAmount","args":[{"value":"abc"},{"value":"en"}]}]}"#;
    assert_eq!(class(400, value), Some(Class::Final));
    let bare = r#"{"developerMessage":"The JSON syntax","userMessageGlobalisationCode":
        "error.msg.invalid.request.body","parameterName":"id","args":[]}"#;
    assert_eq!(class(400, bare), Some(Class::Repair));
    for status in [404, 405, 415, 500] {
        let container = format!(
            "{{\n  \"timestamp\" : \"2026-09-01T09:00:00.512Z\",\n  \"status\" : {status},\n  \
             \"error\" : \"x\",\n  \"path\" : \"/fineract-provider/api/v1/nothing\"\n}}"
        );
        assert_eq!(class(status, &container), None, "{status}");
    }
}

#[test]
fn results_of_commands_are_read() {
    for text in [
        r#"{"officeId":1,"clientId":7,"savingsId":34,"resourceId":26,"changes":{"accountNumber":"255700000001","checkNumber":"k1","routingCode":"KIUNGO","receiptNumber":"R1","paymentTypeId":1}}"#,
        r#"{"commandId":1729,"officeId":1,"clientId":7,"loanId":3,"resourceId":3,"subResourceId":560,"changes":{"actualDisbursementDate":"2026-09-01","status":{"id":300}},"subResourceExternalId":"x"}"#,
        r#"{"officeId":1,"clientId":7,"resourceId":58,"changes":{"transactionAmount":"40.00"},"resourceExternalId":"x"}"#,
        r#"{"officeId":1,"clientId":7,"loanId":3,"resourceId":3,"changes":{"status":{"id":200},"approvedLoanAmount":200000,"netDisbursalAmount":200000.000000,"expectedDisbursementDate":[2026,9,1]}}"#,
    ] {
        let read = read_object::<CommandResult>(text.as_bytes()).expect(text);
        assert!(read.resource_id.is_some());
    }
}

#[test]
fn accounts_and_clients_are_read() {
    let loan: Loan = read_object(LOAN.as_bytes()).expect("a loan");
    assert_eq!((loan.id, loan.status.id, loan.client_id), (3, 200, Some(7)));
    let listed = format!(r#"{{"totalFilteredRecords":1,"pageItems":[{LOAN}]}}"#);
    let page = Page::<RequestedLoan>::parse(listed.as_bytes()).expect("a page");
    assert!(page.items[0].approved_principal.is_some() && !page.items[0].multi_disburse_loan);
    let client = r#"{"id":7,"accountNo":"000000007","externalId":"C-7","status":{"id":300,"code":"clientStatusType.active","value":"Active"},"active":true,"mobileNo":"255700000001","isStaff":false,"officeId":1,"savingsProductName":"7","clientCollateralManagements":[],"groups":[]}"#;
    assert_eq!(read_object::<Client>(client.as_bytes()).expect("a client").status.id, 300);
    let owner: RequestOwner = read_object(client.as_bytes()).expect("an owner");
    assert_eq!(owner.office_id, Some(1));
    let accounts = r#"{"loanAccounts":[{"id":63,"accountNo":"000000063","status":{"id":100,"pendingApproval":true},"currency":{"code":"TZS"},"inArrears":false}],"groupLoanIndividualMonitoringAccounts":[],"savingsAccounts":[{"id":35,"accountNo":"000000035","status":{"id":200},"currency":{"code":"TZS"},"depositType":{"id":100}},{"id":34,"accountNo":"000000034","status":{"id":300},"currency":{"code":"TZS"},"depositType":{"id":100}}]}"#;
    let accounts: Accounts = read_object(accounts.as_bytes()).expect("accounts");
    assert_eq!(accounts.savings_accounts.len(), 2);
    let hits = r#"[{"entityId":3,"entityAccountNo":"000000003","entityName":"Loan","entityType":"LOAN","parentId":7,"parentName":"Asha","entityStatus":{"id":300,"code":"loanStatusType.active","value":"Active"},"parentType":"client","subEntityType":"depositAccountType.invalid"},
        {"entityId":34,"entityAccountNo":"000000034","entityName":"Wallet","entityType":"SAVING","parentId":7,"parentName":"Asha","entityStatus":{"id":0,"code":"","value":""},"parentType":"client","subEntityType":"depositAccountType.savingsDeposit"}]"#;
    assert_eq!(Page::<SearchHit>::parse(hits.as_bytes()).expect("hits").items.len(), 2);
    let clients = r#"{"content" : [ {"id" : 7, "displayName" : "Asha", "externalId" : "C-7", "accountNumber" : "000000007", "officeId" : 1, "mobileNo" : "255700000001", "status" : {"id" : 300}, "activationDate" : "2026-01-05", "createdDate" : "2026-09-01T00:02:41.362737Z"} ], "pageable" : {"pageNumber" : 0, "pageSize" : 50, "sort" : {"sorted" : true, "empty" : false, "unsorted" : false}, "offset" : 0, "paged" : true, "unpaged" : false}, "last" : true, "totalPages" : 1, "totalElements" : 1, "size" : 50, "number" : 0, "first" : true, "numberOfElements" : 1, "empty" : false}"#;
    let page = Page::<ClientHit>::parse(clients.as_bytes()).expect("clients");
    assert_eq!((page.items.len(), page.total), (1, Some(1)));
}

/// An undone disbursement is not "manually" reversed, and lists leave it out.
#[tokio::test]
async fn an_undone_disbursement_is_known_by_its_row() {
    let order = orders::order(Booking::Disburse);
    let (core_1, _) = core(json!({}), vec![ok(DISBURSEMENT_UNDONE)]);
    assert!(matches!(core_1.inquire(&order).await, Finding::Reversed(_)));
    let undo = orders::undo(Booking::Disburse);
    let (core_1, _) = core(json!({}), vec![ok(LOAN), ok(LOAN)]);
    assert!(matches!(core_1.inquire_undo(&undo).await, Finding::Executed(_)));
    assert_eq!(core_1.can_undo(&undo).await, UndoCheck::Possible);
}

/// The outcome is unknown for a key that another process works on, for one that was not finished,
/// and for one whose result was cleared.
#[tokio::test]
async fn a_key_in_use_says_nothing() {
    let order = orders::order(Booking::Deposit);
    let code = "error.msg.data.integrity.issue";
    let text = "ERROR: duplicate key value violates unique constraint";
    let collision = error(403, code, code, text);
    let request = r#"{"locale": "en", "transactionAmount": "10"}"#;
    for answer in [reply(403, collision), cached(425, request), cached(200, "")] {
        let shown = format!("{answer:?}");
        let (fineract, _) = core(json!({}), vec![answer]);
        let outcome = fineract.post(&order).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{shown}: {outcome:?}");
    }
    assert!(profile(10).key_may_collide());
}

/// The rows of the trail say nothing of a state, and name a savings account by its number only.
#[tokio::test]
async fn a_command_is_found_in_the_trail() {
    let body = r#"{\"checkNumber\": \"01900000000070008000000000001241\"}"#;
    let row = format!(
        "{{\"totalFilteredRecords\":1,\"pageItems\":[{{\"id\":297,\"actionName\":\"DEPOSIT\",\
         \"entityName\":\"SAVINGSACCOUNT\",\"maker\":\"kiungo\",\"madeOnDate\":1788253200617,\
         \"commandAsJson\":\"{body}\",\"officeName\":\"Head Office\",\"clientName\":\"Asha\",\
         \"savingsAccountNo\":\"000000034\",\"clientId\":7,\"url\":\"/savingsaccounts/34/transactions\"\
         }}]}}"
    );
    let (core, _) = core(json!({}), vec![ok(EMPTY), ok(row)]);
    let found = core.inquire(&orders::order(Booking::Deposit)).await;
    assert!(matches!(found, Finding::Unclear { why } if why.contains("297")));
}

fn business_date(answer: Reply) -> Vec<Reply> {
    vec![answer, ok(include_str!("../../fixtures/deposit.json"))]
}

/// Switched on and never set: the core itself books on the calendar's day.
#[tokio::test]
async fn a_business_date_that_was_never_set_is_the_calendars() {
    let unset = error(404, "error.msg.resource.not.found", "error.msg.businessdate.not.found", "x");
    let on = || json!({"business_date": "on"});
    let (core_1, script) = core(on(), business_date(reply(404, unset)));
    let outcome = core_1.post(&orders::order(Booking::Deposit)).await;
    assert!(matches!(outcome, Outcome::Executed(_)), "{outcome:?}");
    assert_eq!(script.body(1)["transactionDate"], "2026-09-01");
    let set = r#"{"description":"Business Date","type":"BUSINESS_DATE","date":[2026,8,28]}"#;
    let (core_1, script) = core(on(), business_date(ok(set)));
    core_1.post(&orders::order(Booking::Deposit)).await;
    assert_eq!(script.body(1)["transactionDate"], "2026-08-28");
}

/// Without the permission to read the date nothing can be booked, and only a person can help.
#[tokio::test]
async fn a_calendar_that_must_not_be_read_calls_for_repair() {
    let code = "error.msg.not.authorized";
    let text = "User has no authority to READ business_dates";
    let on = json!({"business_date": "on"});
    let (fineract, script) = core(on, vec![reply(403, error(403, code, code, text))]);
    let Outcome::Rejected(rejection) = fineract.post(&orders::order(Booking::Deposit)).await else {
        panic!("rejected")
    };
    assert_eq!((rejection.reason, rejection.retry), (Reason::Configuration, Retry::AfterRepair));
    assert!(rejection.message.contains("calendar"), "{}", rejection.message);
    assert!(script.is_used_up(), "nothing was booked");
}
