//! Payments that customers start at the wallet: notifications, bills, and their confirmation.

use kiungo_domain::outcome::Reason;
use kiungo_domain::transfer::StepName;
use kiungo_domain::{Finding, Money, Timestamp};
use kiungo_provider::{
    CallbackContent, CallbackDecision, CallbackError, Offer, OfferState, PaymentFinding,
    PaymentNotice, Provider, RawCallback, Refusal, Standing, StateQuery,
};
use kiungo_provider_gsma::ReferencePlace;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::*;

fn read(callback: &RawCallback) -> Result<CallbackContent, CallbackError> {
    gsma(&Script::new([])).read_callback(callback)
}

fn notice(body: &str) -> PaymentNotice {
    match read(&callback("PUT", "payments", body)).unwrap() {
        CallbackContent::Payment(notice) => notice,
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
        let notice = match read(&raw).unwrap() {
            CallbackContent::Payment(notice) if method == "PUT" => notice,
            CallbackContent::Offer(Offer { notice, made: true, .. }) if method == "POST" => notice,
            other => panic!("{other:?}"),
        };
        assert_eq!(notice.receipt, Some(receipt("REF-1772357555000")));
        assert_eq!(notice.msisdn, Some(msisdn()));
        assert_eq!(notice.amount, money("50"));
        assert_eq!(notice.account_reference, "SA000012");
        assert_eq!(notice.reference, None);
        assert_eq!(notice.at, Some(Timestamp::from_micros(1_772_357_555_000_000)));
        assert_eq!(gsma(&Script::new([])).reply(&raw, &CallbackDecision::Accepted).status, 204);
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
    let raw = callback("PUT", "payments", &paid(&json!({"customData": data})));
    let CallbackContent::Payment(notice) =
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
        let CallbackContent::Payment(notice) = read(&raw).unwrap() else { panic!("{damage}") };
        assert_eq!((notice.receipt, notice.amount), {
            let whole = read(&callback("POST", "payments", &whole)).unwrap();
            let (CallbackContent::Payment(notice) | CallbackContent::Offer(Offer { notice, .. })) =
                whole
            else {
                panic!("{whole:?}")
            };
            (notice.receipt, notice.amount)
        });
        assert_eq!((notice.account_reference.as_str(), notice.msisdn), ("", None));
        let mut mapping = Mapping::newer();
        mapping.gsma.payments.confirms = false;
        assert!(mapping.adapter(Script::new([])).read_callback(&raw).is_err(), "nobody decides");
        let result = format!("results/{}", "019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6001");
        let content = read(&callback("PUT", &result, &damaged(damage))).unwrap();
        let CallbackContent::Result { reference, finding } = content else { panic!("{content:?}") };
        assert!(reference.is_some() && matches!(finding, Finding::Unclear { .. }), "a hint");
    }
    let twice = damaged("\"JO\nHN\"").replacen('{', r#"{"amount":"999999","#, 1);
    assert!(read(&callback("POST", "payments", &twice)).is_err(), "two amounts are none");
}

#[test]
fn an_unconfirmable_notification_must_state_that_the_payment_was_made() {
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
        let CallbackContent::Validation(notice) = read(&raw).unwrap() else { panic!("{path}") };
        assert_eq!(notice.account_reference, "SA/12");
        assert_eq!(notice.receipt, None);
        assert_eq!(notice.amount, Money::zero(lsl()));
        let reply = gsma(&Script::new([])).reply(&raw, &CallbackDecision::Accepted);
        let body: Value = serde_json::from_slice(&reply.body.unwrap().1).unwrap();
        let bill = json!([{"billReference": "SA/12", "billStatus": "unpaid", "currency": "LSL"}]);
        assert_eq!((reply.status, body), (200, bill));
        let refused = Refusal::by_rule(Reason::AccountNotFound, "no such account");
        let refused = CallbackDecision::Refused(refused);
        let reply = gsma(&Script::new([])).reply(&raw, &refused);
        let body: Value = serde_json::from_slice(&reply.body.unwrap().1).unwrap();
        assert_eq!((reply.status, body["errorCode"].as_str()), (404, Some("identifierError")));
    }
    assert!(gsma(&Script::new([])).capabilities().validates_payments);
}

const BILL: &str = "accounts/consumerno/SA000012/bills/payments";
const ID: &str = "0F2D7C1A-5B3E-4C8F-9A61-7D2E4B9C1F30";

/// A bill payment with changes; `null` takes a field away.
fn bill(changes: &Value) -> RawCallback {
    let mut body: Value = serde_json::from_str(fixture!("payments/bill-payment.json")).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(key)),
            value => body[key] = value.clone(),
        }
    }
    callback("POST", BILL, &body.to_string())
}

fn identified(mut raw: RawCallback, id: &str) -> RawCallback {
    raw.headers.push(("x-correlationid".to_owned(), id.to_owned()));
    raw
}

fn offer(raw: &RawCallback) -> Offer {
    match read(raw).unwrap() {
        CallbackContent::Offer(offer) => offer,
        other => panic!("{other:?}"),
    }
}

/// Status and body of the answer.
fn replied(raw: &RawCallback, decision: &CallbackDecision) -> (u16, Value) {
    let reply = gsma(&Script::new([])).reply(raw, decision);
    let body = reply.body.map(|(_, body)| serde_json::from_slice(&body).unwrap());
    (reply.status, body.unwrap_or_default())
}

fn state(raw: &RawCallback, standing: Standing) -> Box<OfferState> {
    let name = Uuid::parse_str(STATE_ID).unwrap();
    Box::new(OfferState { name, offer: raw.clone(), standing })
}

#[test]
fn a_paid_bill_is_an_offer_that_can_be_turned_away() {
    for path in [
        "accounts/consumerno/SA000012/bills/SA000012/payments",
        "accounts/consumerno/SA000012/bills/payments",
        "accounts/consumerno@SA000012/bills/payments",
        "bills/SA000012/payments",
    ] {
        let raw = callback("POST", path, fixture!("payments/bill-payment.json"));
        let Offer { notice, correlation, made, .. } = offer(&identified(raw, ID));
        assert_eq!(notice.account_reference, "SA000012", "{path}");
        assert_eq!(notice.receipt, Some(receipt("REF-1772357666000")));
        assert_eq!(notice.amount, money("75.50"));
        assert_eq!(notice.msisdn, Some(msisdn()));
        assert_eq!((correlation.as_deref(), made), (Some(&*ID.to_ascii_lowercase()), false));
    }
    let html = callback("POST", BILL, "<html>");
    assert!(matches!(read(&html), Err(CallbackError::Unreadable(_))));
}

#[test]
fn a_taken_offer_is_answered_with_a_pending_request_state_and_never_as_completed() {
    for raw in
        [bill(&json!({})), callback("POST", "payments", fixture!("payments/merchantpay.json"))]
    {
        let (status, body) =
            replied(&raw, &CallbackDecision::Taken(state(&raw, Standing::Pending)));
        assert_eq!((status, &body["status"]), (202, &json!("pending")));
        assert_eq!(body["serverCorrelationId"], STATE_ID);
        assert_eq!(body["notificationMethod"], "polling");
        assert!(!body.to_string().contains("completed"), "{body}");
    }
}

#[test]
fn the_outcome_of_an_offer_is_shown_by_its_state_its_link_its_object_and_its_error() {
    let raw = bill(&json!({}));
    let failed = Refusal::by_rule(Reason::AccountState, "closed");
    for (standing, state_word, link, object_word) in [
        (Standing::Pending, "pending", "requeststates", "pending"),
        (Standing::Booked { reversed: false }, "completed", "payments", "completed"),
        (Standing::Booked { reversed: true }, "completed", "payments", "reversed"),
        (Standing::Failed(failed), "failed", "errors", "failed"),
    ] {
        let told = CallbackDecision::State(Some(state(&raw, standing.clone())));
        let ask = |path: String| {
            let raw = callback("GET", &path, "");
            let content = read(&raw).unwrap();
            assert!(matches!(content, CallbackContent::StateQuery(_)), "{path}: {content:?}");
            replied(&raw, &told)
        };
        let (status, body) = ask(format!("requeststates/{STATE_ID}"));
        assert_eq!((status, &body["status"]), (200, &json!(state_word)));
        assert_eq!(body["error"].is_object(), state_word == "failed");
        let (_, body) = ask(format!("responses/{ID}"));
        assert_eq!(body["link"], format!("/{link}/{STATE_ID}"));
        let (status, body) = ask(format!("payments/{STATE_ID}"));
        assert_eq!((status, &body["billPaymentStatus"]), (200, &json!(object_word)));
        assert_eq!(body["amountPaid"], "75.5");
        let (status, body) = ask(format!("errors/{STATE_ID}"));
        assert_eq!(status, if state_word == "failed" { 200 } else { 404 });
        if state_word == "failed" {
            assert_eq!(body["errorCode"], "incorrectState");
        }
    }
    let raw = callback("GET", &format!("responses/{ID}"), "");
    assert_eq!(
        read(&raw),
        Ok(CallbackContent::StateQuery(StateQuery::Correlation(ID.to_lowercase())))
    );
    let (status, body) = replied(&raw, &CallbackDecision::State(None));
    assert_eq!((status, &body["errorCode"]), (404, &json!("identifierError")));
}

#[test]
fn a_payment_that_names_no_transaction_is_identified_by_its_request() {
    let bare = || bill(&json!({"requestingOrganisationTransactionReference": null}));
    let Offer { notice, correlation, .. } = offer(&identified(bare(), ID));
    assert_eq!(notice.receipt, Some(receipt(&ID.to_ascii_lowercase())));
    assert_eq!(correlation, Some(ID.to_ascii_lowercase()));
    for (raw, code) in
        [(bare(), "mandatoryValueNotSupplied"), (identified(bare(), "junk"), "formatError")]
    {
        let CallbackContent::Malformed(refusal) = read(&raw).unwrap() else { panic!() };
        let (status, body) = replied(&raw, &CallbackDecision::Refused(refusal));
        assert_eq!((status, &body["errorCode"]), (400, &json!(code)));
        assert_eq!(body["errorParameters"][0]["key"], "X-CorrelationID");
    }
    // Beside a reference a malformed id only informs.
    assert_eq!(offer(&identified(bill(&json!({})), "junk")).correlation, None);
}

#[test]
fn zero_another_currency_and_what_is_no_amount_are_refused_by_their_form() {
    for (changes, code, field) in [
        (json!({"amountPaid": "0"}), "formatError", "amountPaid"),
        (json!({"amountPaid": "00.00"}), "formatError", "amountPaid"),
        (json!({"amountPaid": " 5 "}), "formatError", "amountPaid"),
        (json!({"amountPaid": "05"}), "formatError", "amountPaid"),
        (json!({"amountPaid": "75,5"}), "formatError", "amountPaid"),
        (json!({"amountPaid": null}), "mandatoryValueNotSupplied", "amountPaid"),
        (json!({"paidAmount": "9"}), "formatError", "paidAmount"),
        (json!({"currency": "GBP"}), "currencyNotSupported", ""),
        (json!({"currency": null}), "mandatoryValueNotSupplied", "currency"),
    ] {
        let raw = bill(&changes);
        let content = read(&raw).unwrap();
        let CallbackContent::Malformed(refusal) = content else { panic!("{changes}: {content:?}") };
        let (status, body) = replied(&raw, &CallbackDecision::Refused(refusal));
        assert_eq!((status, &body["errorCode"]), (400, &json!(code)), "{changes}");
        if !field.is_empty() {
            assert_eq!(body["errorParameters"][0]["key"], field, "{changes}");
        }
    }
    for zero in ["0", "0.00"] {
        let raw = callback("POST", "payments", &paid(&json!({"amount": zero})));
        assert!(matches!(read(&raw), Ok(CallbackContent::Malformed(_))), "{zero}");
        let raw = callback("PUT", "payments", &paid(&json!({"amount": zero})));
        assert!(matches!(read(&raw), Err(CallbackError::Unreadable(_))), "{zero}");
    }
    let foreign = callback("POST", "payments", &paid(&json!({"currency": "GBP"})));
    assert!(matches!(read(&foreign), Err(CallbackError::Unreadable(_))), "money has moved");
}

#[test]
fn informative_members_do_not_make_a_payment_unreadable() {
    let raw = bill(&json!({
        "requestDate": {"at": 1},
        "customData": "none",
        "metadata": [{"key": 7}, "x"],
    }));
    let notice = offer(&raw).notice;
    assert_eq!((notice.amount, notice.msisdn, notice.at), (money("75.50"), None, None));
}

#[test]
fn a_heartbeat_is_answered_and_an_unknown_question_is_no_callback() {
    let raw = callback("GET", "heartbeat", "");
    assert_eq!(read(&raw), Ok(CallbackContent::Heartbeat));
    let (status, body) = replied(&raw, &CallbackDecision::Accepted);
    assert_eq!((status, body), (200, json!({"serviceStatus": "available"})));
    for path in ["accounts/consumerno/SA000012/bills/SA000012/payments", "requeststates/junk", "x"]
    {
        let raw = callback("GET", path, "");
        assert!(matches!(read(&raw), Err(CallbackError::UnknownPath(_))), "{path}");
        assert_eq!(replied(&raw, &CallbackDecision::Unreadable).0, 404, "{path}");
    }
}

async fn confirm(step: Reply) -> PaymentFinding {
    let script = Script::new([step]);
    let found = gsma(&script).confirm(&notice(fixture!("payments/merchantpay.json"))).await;
    assert_eq!(lines(&script), ["GET /transactions/REF-1772357555000"]);
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
async fn facts_that_the_provider_does_not_state_are_taken_from_the_notice() {
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
    assert_eq!(confirm(answer(200, status("pending"))).await, PaymentFinding::NotYet);
    let absent = confirm(answer(404, fixture!("errors/not-found.json"))).await;
    assert_eq!(absent, PaymentFinding::Absent);
    for step in [
        answer(200, status("odd")),
        answer(200, paid(&other)),
        answer(200, paid(&json!({"amount": "x"}))),
        answer(200, fixture!("collect/completed.json")),
        answer(404, "<html>"),
        answer(500, ""),
        lost(),
    ] {
        let found = confirm(step.clone()).await;
        assert!(matches!(found, PaymentFinding::Unclear { .. }), "{step:?}: {found:?}");
    }
}
