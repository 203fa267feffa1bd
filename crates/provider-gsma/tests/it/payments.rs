//! Payments that customers start at the wallet: notifications, bills, and their confirmation.

use kiungo_domain::transfer::step::StepName;
use kiungo_domain::{Finding, Money, Timestamp};
use kiungo_provider::{
    CallbackError, CallbackNews, PaymentFinding, PaymentNotice, Provider, RawCallback, Verdict,
};
use kiungo_provider_gsma::ReferencePlace;
use serde_json::{Value, json};

use crate::world::*;

fn read(callback: &RawCallback) -> Result<CallbackNews, CallbackError> {
    gsma(&Script::new([])).read_callback(callback)
}

fn notice(body: &str) -> PaymentNotice {
    match read(&callback("POST", "payments", body)).unwrap() {
        CallbackNews::Payment(notice) => notice,
        other => panic!("{other:?}"),
    }
}

fn paid(changes: &Value) -> String {
    let mut body: Value = serde_json::from_str(fixture!("payments/merchantpay.json")).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        body[key] = value.clone();
    }
    body.to_string()
}

#[test]
fn a_notification_tells_of_a_payment_and_its_account() {
    for method in ["POST", "PUT"] {
        let raw = callback(method, "payments", fixture!("payments/merchantpay.json"));
        let CallbackNews::Payment(notice) = read(&raw).unwrap() else { panic!() };
        assert_eq!(notice.receipt, Some(receipt("REF-1772357555000")));
        assert_eq!(notice.msisdn, Some(msisdn()));
        assert_eq!(notice.amount, money("50"));
        assert_eq!(notice.account_reference, "SA000012");
        assert_eq!(notice.reference, None);
        assert_eq!(notice.at, Some(Timestamp::from_micros(1_772_357_555_000_000)));
        assert_eq!(gsma(&Script::new([])).reply(&raw, &Verdict::Accepted).status, 204);
    }
}

#[test]
fn the_account_reference_is_looked_for_in_the_configured_places() {
    let data = json!([{"key": "AccountReference", "value": " SA000013 "}]);
    let own = json!([{"key": "accountid", "value": "4400"}]);
    for field in ["customData", "metadata"] {
        let body = paid(&json!({field: data, "creditParty": own}));
        assert_eq!(notice(&body).account_reference, "SA000013");
    }
    assert_eq!(notice(&paid(&json!({"customData": data}))).account_reference, "SA000013");
    assert_eq!(notice(&paid(&json!({"creditParty": own}))).account_reference, "school fees");
    let bare = paid(&json!({"creditParty": own, "descriptionText": ""}));
    assert_eq!(notice(&bare).account_reference, "");
    let mut mapping = Mapping::newer();
    mapping.gsma.payments.account_reference = vec![ReferencePlace::Description];
    let raw = callback("POST", "payments", &paid(&json!({"customData": data})));
    let CallbackNews::Payment(notice) =
        mapping.adapter(Script::new([])).read_callback(&raw).unwrap()
    else {
        panic!()
    };
    assert_eq!(notice.account_reference, "school fees");
}

#[test]
fn a_payment_that_is_one_of_ours_names_its_operation() {
    let notice = notice(fixture!("collect/completed.json"));
    assert_eq!(notice.reference, Some(reference(StepName::First)));
}

#[test]
fn a_masked_payer_is_left_out() {
    let masked = json!({"debitParty": [{"key": "msisdn", "value": "+26657****01"}]});
    assert_eq!(notice(&paid(&masked)).msisdn, None);
}

#[test]
fn a_notification_without_the_essentials_is_kept_for_a_person() {
    for body in [
        paid(&json!({"transactionReference": ""})),
        paid(&json!({"amount": null})),
        paid(&json!({"amount": "5,0"})),
        paid(&json!({"currency": "ZZZ"})),
        fixture!("pay_out/completed.json").to_owned(),
        fixture!("errors/duplicate.json").to_owned(),
        "[]".to_owned(),
    ] {
        let read = read(&callback("POST", "payments", &body));
        assert!(matches!(read, Err(CallbackError::Unreadable(_))), "{body}: {read:?}");
    }
}

#[test]
fn a_damaged_notification_is_asked_about_where_the_provider_can_be_asked() {
    let whole = paid(&json!({}));
    let damaged = |damage: &str| whole.replacen('{', &format!("{{\"name\":{damage},"), 1);
    for damage in [r#""O\'NEIL""#, "\"JO\nHN\"", "\"JO\"HN\""] {
        let raw = callback("POST", "payments", &damaged(damage));
        let CallbackNews::Payment(notice) = read(&raw).unwrap() else { panic!("{damage}") };
        assert_eq!((notice.receipt, notice.amount), {
            let CallbackNews::Payment(notice) =
                read(&callback("POST", "payments", &whole)).unwrap()
            else {
                panic!()
            };
            (notice.receipt, notice.amount)
        });
        assert_eq!((notice.account_reference.as_str(), notice.msisdn), ("", None));
        let mut mapping = Mapping::newer();
        mapping.gsma.payments.confirms = false;
        assert!(mapping.adapter(Script::new([])).read_callback(&raw).is_err(), "nobody decides");
        let result = format!("results/{}", "019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6001");
        let news = read(&callback("PUT", &result, &damaged(damage))).unwrap();
        let CallbackNews::Result { reference, finding } = news else { panic!("{news:?}") };
        assert!(reference.is_some() && matches!(finding, Finding::Unclear { .. }), "a hint");
    }
    let twice = damaged("\"JO\nHN\"").replacen('{', r#"{"amount":"999999","#, 1);
    assert!(read(&callback("POST", "payments", &twice)).is_err(), "two amounts are none");
}

#[test]
fn where_nothing_confirms_a_payment_its_notification_must_say_that_it_was_made() {
    let mut mapping = Mapping::newer();
    mapping.gsma.payments.confirms = false;
    let gsma = mapping.adapter(Script::new([]));
    for (status, readable) in [("Completed", true), ("pending", false), ("failed", false)] {
        let raw = callback("POST", "payments", &paid(&json!({"transactionStatus": status})));
        assert_eq!(gsma.read_callback(&raw).is_ok(), readable, "{status}");
    }
    assert!(!gsma.capabilities().confirms_payments);
}

#[test]
fn reading_the_bills_of_an_account_asks_whether_it_may_be_paid() {
    for path in
        ["accounts/consumerno/SA%2F12/bills", "accounts/msisdn@+26657$consumerno@SA%2F12/bills"]
    {
        let raw = callback("GET", path, "");
        let CallbackNews::Validation(notice) = read(&raw).unwrap() else { panic!("{path}") };
        assert_eq!(notice.account_reference, "SA/12");
        assert_eq!(notice.receipt, None);
        assert_eq!(notice.amount, Money::zero(lsl()));
        let reply = gsma(&Script::new([])).reply(&raw, &Verdict::Accepted);
        let body: Value = serde_json::from_slice(&reply.body.unwrap().1).unwrap();
        let bill = json!([{"billReference": "SA/12", "billStatus": "unpaid", "currency": "LSL"}]);
        assert_eq!((reply.status, body), (200, bill));
        let refused = Verdict::Refused("no such account".to_owned());
        let reply = gsma(&Script::new([])).reply(&raw, &refused);
        let body: Value = serde_json::from_slice(&reply.body.unwrap().1).unwrap();
        assert_eq!((reply.status, body["errorCode"].as_str()), (404, Some("identifierError")));
    }
    assert!(gsma(&Script::new([])).capabilities().validates_payments);
}

#[test]
fn a_paid_bill_is_a_payment_and_is_acknowledged_as_one() {
    for path in [
        "accounts/consumerno/SA000012/bills/SA000012/payments",
        "accounts/consumerno/SA000012/bills/payments",
        "accounts/consumerno@SA000012/bills/payments",
        "bills/SA000012/payments",
    ] {
        let raw = callback("POST", path, fixture!("payments/bill-payment.json"));
        let CallbackNews::Payment(notice) = read(&raw).unwrap() else { panic!("{path}") };
        assert_eq!(notice.account_reference, "SA000012", "{path}");
        assert_eq!(notice.receipt, Some(receipt("REF-1772357666000")));
        assert_eq!(notice.amount, money("75.50"));
        assert_eq!(notice.msisdn, Some(msisdn()));
        let reply = gsma(&Script::new([])).reply(&raw, &Verdict::Accepted);
        let body: Value = serde_json::from_slice(&reply.body.unwrap().1).unwrap();
        assert_eq!(reply.status, 201);
        assert_eq!(body["amountPaid"], "75.5");
        assert_eq!(body["billPaymentStatus"], "completed");
        assert_eq!(body["requestingOrganisationTransactionReference"], "REF-1772357666000");
    }
    for body in [
        fixture!("payments/bill-payment.json").replace("REF-1772357666000", ""),
        fixture!("payments/bill-payment.json").replace("75.5", "75,5"),
        fixture!("payments/bill-payment.json").replace('{', r#"{"paidAmount":"9","#),
        "<html>".to_owned(),
    ] {
        let raw = callback("POST", "accounts/consumerno/SA000012/bills/payments", &body);
        assert!(matches!(read(&raw), Err(CallbackError::Unreadable(_))), "{body}");
    }
}

async fn confirm(step: Step) -> PaymentFinding {
    let script = Script::new([step]);
    let found = gsma(&script).confirm(&notice(fixture!("payments/merchantpay.json"))).await;
    assert_eq!(script.lines(), ["GET /transactions/REF-1772357555000"]);
    found
}

#[tokio::test]
async fn a_confirmation_is_the_providers_own_word() {
    let truth = paid(&json!({
        "amount": "49.00",
        "debitParty": [{"key": "msisdn", "value": "+26657000009"}],
        "customData": [{"key": "accountreference", "value": "SA000099"}],
        "requestingOrganisationTransactionReference": reference(StepName::First).compact(),
    }));
    let found = confirm(answer(200, &truth)).await;
    let PaymentFinding::Made(made) = found else { panic!("{found:?}") };
    assert_eq!(made.amount, money("49"));
    assert_eq!(made.msisdn.unwrap().digits(), "26657000009");
    assert_eq!(made.account_reference, "SA000099");
    assert_eq!(made.reference, Some(reference(StepName::First)));
}

#[tokio::test]
async fn what_the_provider_does_not_state_is_taken_from_the_notice() {
    let bare = r#"{"transactionReference":"REF-1772357555000","transactionStatus":"completed",
        "creditParty":[{"key":"accountid","value":"4400"}]}"#;
    let found = confirm(answer(200, bare)).await;
    let told = notice(fixture!("payments/merchantpay.json"));
    assert_eq!(found, PaymentFinding::Made(told));
}

#[tokio::test]
async fn a_bills_account_is_not_replaced_by_a_description() {
    let own = json!([{"key": "accountid", "value": "4400"}]);
    let body = paid(&json!({"type": "billpay", "creditParty": own, "descriptionText": "Bill"}));
    let PaymentFinding::Made(made) = confirm(answer(200, &body)).await else { panic!() };
    assert_eq!(made.account_reference, "SA000012");
}

#[tokio::test]
async fn a_payment_that_was_not_made_to_us_is_not_confirmed() {
    let status = |word: &str| paid(&json!({"transactionStatus": word}));
    let other = json!({"creditParty": [{"key": "accountid", "value": "4401"}]});
    for body in [status("failed"), status("Reversed"), paid(&json!({"type": "reversal"}))] {
        let found = confirm(answer(200, &body)).await;
        assert!(matches!(found, PaymentFinding::NotMade { .. }), "{body}: {found:?}");
    }
    let payout = fixture!("pay_out/completed.json").replace("1772361000001", "1772357555000");
    let found = confirm(answer(200, &payout)).await;
    assert!(matches!(found, PaymentFinding::NotMade { .. }), "{found:?}");
    assert_eq!(confirm(answer(200, &status("pending"))).await, PaymentFinding::NotYet);
    let absent = confirm(answer(404, fixture!("errors/not-found.json"))).await;
    assert_eq!(absent, PaymentFinding::Absent);
    for step in [
        answer(200, &status("odd")),
        answer(200, &paid(&other)),
        answer(200, &paid(&json!({"amount": "x"}))),
        answer(200, fixture!("collect/completed.json")),
        answer(404, "<html>"),
        answer(500, ""),
        Step::NoAnswer,
    ] {
        let found = confirm(step.clone()).await;
        assert!(matches!(found, PaymentFinding::Unclear { .. }), "{step:?}: {found:?}");
    }
}
