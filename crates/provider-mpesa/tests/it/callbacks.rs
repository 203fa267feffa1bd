//! Asynchronous results, payments that customers start, and what we answer to both.

use kiungo_domain::outcome::Reason;
use kiungo_domain::transfer::StepName;
use kiungo_domain::{Finding, Reference};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{
    CallbackContent, CallbackDecision, CallbackError, Provider, RawCallback, Refusal,
};
use kiungo_provider_mpesa::{Mpesa, Notification};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::support::{
    Step, adapter, callback, fixture, inquiry, mapping, money, reference, tanzania,
};

fn result(body: &str) -> (Option<Reference>, Finding) {
    let content = tanzania().0.read_callback(&callback("results", body)).unwrap();
    let CallbackContent::Result { reference, finding } = content else { panic!("{content:?}") };
    (reference, finding)
}

fn success(step: StepName) -> String {
    fixture("callback/success.json").replace("{id}", &reference(step).compact())
}

fn replied(mpesa: &Mpesa, callback: &RawCallback, decision: &CallbackDecision) -> (u16, Value) {
    let reply = mpesa.reply(callback, decision);
    let body = reply.body.map(|(kind, body)| {
        assert_eq!(kind, "application/json");
        serde_json::from_slice(&body).unwrap()
    });
    (reply.status, body.unwrap_or_default())
}

fn notified() -> Arc<Mpesa> {
    let mut mapping = mapping("tz");
    mapping.mpesa.notification = Notification::C2bConfirmation;
    mapping.mpesa.validates_payments = true;
    adapter(mapping).0
}

#[test]
fn a_success_names_our_reference_and_its_receipt() {
    for code in ["INS-0", "0"] {
        let body = success(StepName::Second).replace("\"INS-0\"", &format!("\"{code}\""));
        let (about, finding) = result(&body);
        assert_eq!(about, Some(reference(StepName::Second)));
        let Finding::Executed(confirmation) = finding else { panic!("{finding:?}") };
        assert_eq!(confirmation.receipt.as_str(), "7KX21QD40B");
    }
}

#[test]
fn a_success_without_a_receipt_is_still_in_progress() {
    for nothing in ["N/A", ""] {
        let (_, finding) = result(&success(StepName::First).replace("7KX21QD40B", nothing));
        let Finding::InProgress(acceptance) = finding else { panic!("{finding:?}") };
        assert_eq!(acceptance.handle.as_deref(), Some("d5e0c1f2a3b44c6d8e9f001122334455"));
    }
}

#[test]
fn a_failure_counts_at_once_for_collections_only() {
    let failure = |step| {
        result(&fixture("callback/failure.json").replace("{id}", &reference(step).compact())).1
    };
    assert!(matches!(failure(StepName::First), Finding::Rejected(_)));
    for step in [StepName::Second, StepName::UndoSecond, StepName::UndoFirst] {
        assert!(matches!(failure(step), Finding::Unclear { .. }), "{step:?}");
    }
}

#[test]
fn an_unlisted_or_contradictory_result_claims_nothing() {
    let body = success(StepName::First);
    for body in [
        body.replace("INS-0", "INS-4711"),
        body.replace("INS-0", "INS-9"),
        body.replace("INS-0", "INS-10"),
        body.replace("INS-0", "INS-A-0"),
        body.replace("INS-0", "INS-2006"),
        body.replace("7KX21QD40B", "<7>"),
    ] {
        let (about, finding) = result(&body);
        assert_eq!(about, Some(reference(StepName::First)));
        assert!(matches!(finding, Finding::Unclear { .. }), "{body}: {finding:?}");
    }
    let foreign = body.replace(&reference(StepName::First).compact(), "SOMEBODY0ELSE");
    let (about, finding) = result(&foreign);
    assert_eq!(about, None);
    assert!(matches!(finding, Finding::Unclear { .. }), "{finding:?}");
}

#[tokio::test(start_paused = true)]
async fn the_result_of_a_query_names_the_operation_that_was_asked_about() {
    let (mpesa, market) = tanzania();
    market.script([Step::answer(200, &fixture("inquire/accepted.json"))]);
    let inquiry = inquiry(WalletOperation::PayOut);
    mpesa.inquire(&inquiry).await;
    let [seen] = market.calls().try_into().unwrap();
    let body = fixture("callback/query.json").replace("{id}", &seen.id());
    let (about, finding) = result(&body);
    assert_eq!(about, Some(inquiry.reference));
    // Without a status word it says nothing: a synchronous query must.
    assert!(matches!(finding, Finding::Unclear { .. }), "{finding:?}");

    let with_word = |word: &str| {
        let status = format!("\"input_ResponseTransactionStatus\":\"{word}\",\"input_Reversed\"");
        result(&body.replace("\"input_Reversed\"", &status)).1
    };
    assert!(matches!(with_word("Completed"), Finding::Executed(_)));
    assert!(matches!(with_word("Expired"), Finding::Rejected(_)));
    let absent = body.replace("INS-0", "INS-23");
    assert_eq!(result(&absent).1, Finding::Absent);
}

#[test]
fn a_result_is_acknowledged_in_the_form_of_its_operation() {
    let (mpesa, _) = tanzania();
    let body = success(StepName::First);
    let failure = fixture("callback/failure.json");
    for (body, code) in [
        (body.as_str(), "0"),
        (failure.as_str(), "0"),
        (&fixture("callback/query.json"), "0"),
        (&fixture("callback/update-status.json"), "INS-GAR-0"),
        (&fixture("callback/direct-debit-query.json"), "INS-0"),
        ("no JSON at all", "0"),
    ] {
        for decision in [CallbackDecision::Accepted, CallbackDecision::Unreadable] {
            let (status, reply) = replied(&mpesa, &callback("results", body), &decision);
            assert_eq!((status, &reply["output_ResponseCode"]), (200, &json!(code)), "{body}");
        }
    }
    let (_, reply) = replied(&mpesa, &callback("results/", &body), &CallbackDecision::Accepted);
    assert_eq!(
        reply,
        json!({
            "output_OriginalConversationID": "d5e0c1f2a3b44c6d8e9f001122334455",
            "output_ThirdPartyConversationID": reference(StepName::First).compact(),
            "output_ResponseCode": "0",
            "output_ResponseDesc": "Successfully Accepted Result",
        })
    );
}

#[test]
fn an_unreadable_body_is_an_error_that_does_not_quote_it() {
    let (mpesa, _) = tanzania();
    for body in [
        "",
        "{",
        "[]",
        "[\"\",\"01900000000070008000000000001201\",\"INS-0\",\"\",\"\",\"7KX21QD40B\",\"\",\"\",\"\"]",
        "\"x\"",
        "{}",
        "{\"input_ResultCode\":{}}",
        "{\"input_TransactionID\":255712345678}",
    ] {
        let error = mpesa.read_callback(&callback("results", body)).unwrap_err();
        assert!(matches!(error, CallbackError::Unreadable(_)), "{body}: {error:?}");
        assert!(!error.to_string().contains("2557"), "{error}");
    }
    for path in ["", "result", "confirmation", "validation", "results/x"] {
        let error = mpesa.read_callback(&callback(path, "{}")).unwrap_err();
        assert!(matches!(error, CallbackError::UnknownPath(_)), "{path}: {error:?}");
        assert_eq!(replied(&mpesa, &callback(path, "{}"), &CallbackDecision::Unreadable).0, 404);
    }
    let numbered = mpesa.read_callback(&callback("results/255712345678\r", "{}")).unwrap_err();
    assert!(!numbered.to_string().contains(['5', '\r']), "{numbered}");
    let get = RawCallback { method: "GET".to_owned(), ..callback("results", "{}") };
    assert!(matches!(mpesa.read_callback(&get), Err(CallbackError::UnknownPath(_))));
}

#[test]
fn a_confirmation_is_a_payment_that_its_customer_started() {
    let mpesa = notified();
    assert!(mpesa.capabilities().validates_payments);
    let body = fixture("callback/payment.json");
    let content = mpesa.read_callback(&callback("confirmation", &body)).unwrap();
    let CallbackContent::Payment(notice) = content else { panic!("{content:?}") };
    assert_eq!(notice.receipt.unwrap().as_str(), "TCA5K1ZQ08");
    assert_eq!(notice.amount, money("1500", "TZS"));
    assert_eq!(notice.account_reference, "LN-00417");
    assert_eq!((notice.msisdn, notice.reference), (None, None), "masked, and not ours");
    // 14:30:05 in Dar es Salaam is 11:30:05 UTC.
    assert_eq!(notice.at.unwrap().as_micros(), 1_772_364_605_000_000);

    let plain = body.replace("2557 ***** 126", "255712345678").replace("\"1500.00\"", "1500.5");
    let content = mpesa.read_callback(&callback("confirmation", &plain)).unwrap();
    let CallbackContent::Payment(notice) = content else { panic!("{content:?}") };
    assert_eq!(notice.msisdn.unwrap().digits(), "255712345678");
    assert_eq!(notice.amount, money("1500.50", "TZS"), "a JSON number, without a float");

    let hashed = body.replace("2557 ***** 126", &"5".repeat(64)).replace("20260301143005", "x");
    let content = mpesa.read_callback(&callback("confirmation", &hashed)).unwrap();
    let CallbackContent::Payment(notice) = content else { panic!("{content:?}") };
    assert_eq!((notice.msisdn, notice.at), (None, None));
}

#[test]
fn an_amount_is_read_from_its_digits_however_large_and_however_printed() {
    let mpesa = notified();
    let body = fixture("callback/payment.json");
    for (printed, amount) in [
        ("1.0E7", "10000000"),
        ("5.0E3", "5000"),
        ("1.5e3", "1500"),
        // Above 2^53 minor units, where a float has no place for every amount.
        ("90071992547409.93", "90071992547409.93"),
        ("\"90071992547409.93\"", "90071992547409.93"),
        ("9.007199254740993E13", "90071992547409.93"),
    ] {
        let body = body.replace("\"1500.00\"", printed);
        let content = mpesa.read_callback(&callback("confirmation", &body)).unwrap();
        let CallbackContent::Payment(notice) = content else { panic!("{content:?}") };
        assert_eq!(notice.amount, money(amount, "TZS"), "{printed}");
    }
}

#[test]
fn a_confirmation_is_read_in_every_form_in_which_gateways_send_it() {
    let mpesa = notified();
    let body = fixture("callback/payment.json");
    let expected = mpesa.read_callback(&callback("confirmation", &body)).unwrap();
    let units = || body.encode_utf16();
    for bytes in [
        ["\u{feff}", &body].concat().into_bytes(),
        units().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
        [0xfe, 0xff].into_iter().chain(units().flat_map(u16::to_be_bytes)).collect(),
    ] {
        let raw = RawCallback { body: bytes.into(), ..callback("confirmation", "") };
        assert_eq!(mpesa.read_callback(&raw), Ok(expected.clone()));
    }
}

#[test]
fn a_damaged_confirmation_is_asked_about_if_its_receipt_and_amount_are_certain() {
    let mpesa = notified();
    let body = fixture("callback/payment.json");
    let with = |extra: &str| body.replacen('{', &format!("{{{extra},"), 1);
    for damage in [r#""Name":"O\'NEIL""#, "\"Name\":\"JO\nHN\"", "\"Name\":\"A\" B\"", "\"a\" 1"] {
        let content = mpesa.read_callback(&callback("confirmation", &with(damage)));
        let Ok(CallbackContent::Payment(notice)) = content else { panic!("{damage}: {content:?}") };
        assert_eq!(notice.receipt.unwrap().as_str(), "TCA5K1ZQ08");
        assert_eq!(notice.amount, money("1500", "TZS"));
        assert_eq!(notice.account_reference, "LN-00417");
    }
    // An account that is damaged itself is not guessed at: the money waits for a person.
    for account in [r"LN\'00417", "LN\n00417", "LN\"00417"] {
        let body = body.replace("LN-00417", account);
        let content = mpesa.read_callback(&callback("confirmation", &body));
        let Ok(CallbackContent::Payment(notice)) = content else {
            panic!("{account}: {content:?}")
        };
        assert_eq!(notice.account_reference, "", "{account}");
    }
    // A payer who types the members of another notification as his account gains nothing by it.
    for account in [
        "x\"y\",\"TransAmount\":\"999999",
        "x\"y\",\"TransID\":\"TCA5K1ZQ09",
        "x\",\"TransAmount\":\"999999",
        "x\"y\",\"BusinessShortCode\":\"000000",
    ] {
        let body = body.replace("LN-00417", account);
        let content = mpesa.read_callback(&callback("confirmation", &body));
        assert!(matches!(content, Err(CallbackError::Unreadable(_))), "{account}: {content:?}");
    }
    let cut = &with("\"Name\":\"JO\nHN\"")[..body.len() - 20];
    assert!(mpesa.read_callback(&callback("confirmation", cut)).is_err(), "cut off");
    let asked = callback("validation", &with("\"Name\":\"JO\nHN\""));
    assert!(mpesa.read_callback(&asked).is_err(), "a question is asked again by whoever asks");
}

#[test]
fn informative_members_do_not_spoil_a_confirmation() {
    let mpesa = notified();
    let body = fixture("callback/payment.json");
    for (from, to) in [
        ("\"2557 ***** 126\"", "{\"hash\":1}"),
        ("\"20260301143005\"", "[2026,3,1]"),
        ("\"LN-00417\"", "{}"),
    ] {
        let read = mpesa.read_callback(&callback("confirmation", &body.replace(from, to)));
        let Ok(CallbackContent::Payment(notice)) = read else { panic!("{to}: {read:?}") };
        assert_eq!(notice.amount, money("1500", "TZS"), "{to}");
    }
}

#[test]
fn a_damaged_result_that_names_an_operation_of_ours_is_a_hint_to_it() {
    let (mpesa, _) = tanzania();
    let text = "{\"input_ThirdPartyConversationID\":\"01900000000070008000000000001201\",\
                \"input_ResultDesc\":\"O\\'NEIL\",\"input_ResultCode\":\"INS-0\"}";
    let content = mpesa.read_callback(&callback("results", text)).unwrap();
    let CallbackContent::Result { reference, finding } = content else { panic!("{content:?}") };
    assert_eq!(reference.unwrap().compact(), "01900000000070008000000000001201");
    assert!(matches!(finding, Finding::Unclear { .. }), "{finding:?}");
    let nobody = text.replace("01900000000070008000000000001201", "X");
    assert!(mpesa.read_callback(&callback("results", &nobody)).is_err());
}

#[test]
fn a_notice_that_cannot_be_booked_as_it_stands_is_unreadable() {
    let mpesa = notified();
    let body = fixture("callback/payment.json");
    for broken in [
        body.replace("\"000000\"", "\"600638\""),
        body.replace("\"000000\"", "\"\""),
        body.replace("1500.00", "1500.005"),
        body.replace("1500.00", "1,500"),
        body.replace("1500.00", "-5"),
        body.replace("1500.00", "1.500505e3"),
        body.replace("1500.00", "5,000.00"),
        body.replace("1500.00", "0"),
        body.replace("1500.00", ""),
        body.replace("TCA5K1ZQ08", ""),
        body.replace("TCA5K1ZQ08", "TCA 5K1"),
    ] {
        let error = mpesa.read_callback(&callback("confirmation", &broken)).unwrap_err();
        assert!(matches!(error, CallbackError::Unreadable(_)), "{broken}: {error:?}");
    }
}

#[test]
fn an_amount_that_no_query_can_prove_is_for_a_person_above_a_bound() {
    let mut bounded = mapping("tz");
    bounded.mpesa.notification = Notification::C2bConfirmation;
    bounded.mpesa.notification_amount_max = Some("1500".to_owned());
    let (mpesa, _) = adapter(bounded);
    let body = fixture("callback/payment.json");
    assert!(mpesa.read_callback(&callback("confirmation", &body)).is_ok());
    let above = body.replace("1500.00", "1500.01");
    let error = mpesa.read_callback(&callback("confirmation", &above)).unwrap_err().to_string();
    assert!(error.contains("notification_amount_max") && error.contains("portal"), "{error}");
    // It was made all the same, and is acknowledged; a question about one is answered as ever.
    let acknowledged =
        replied(&mpesa, &callback("confirmation", &above), &CallbackDecision::Unreadable);
    assert_eq!(acknowledged, (200, json!({ "ResultCode": 0, "ResultDesc": "Success" })));
    assert!(mpesa.read_callback(&callback("validation", &above)).is_ok());
}

#[test]
fn a_validation_asks_and_is_answered() {
    let mpesa = notified();
    let body = fixture("callback/payment.json").replace("TCA5K1ZQ08", "");
    let asked = callback("validation", &body);
    let content = mpesa.read_callback(&asked).unwrap();
    let CallbackContent::Validation(notice) = content else { panic!("{content:?}") };
    assert_eq!(notice.receipt, None);
    for (decision, code, text) in [
        (CallbackDecision::Accepted, "0", "Accepted"),
        (
            CallbackDecision::Refused(Refusal::by_rule(Reason::AccountNotFound, "no such account")),
            "C2B00012",
            "Rejected",
        ),
        (CallbackDecision::Unreadable, "C2B00016", "Rejected"),
    ] {
        let expected = json!({ "ResultCode": code, "ResultDesc": text });
        assert_eq!(replied(&mpesa, &asked, &decision), (200, expected));
    }
    for decision in [CallbackDecision::Accepted, CallbackDecision::Unreadable] {
        let reply = replied(&mpesa, &callback("confirmation", &body), &decision);
        assert_eq!(reply, (200, json!({ "ResultCode": 0, "ResultDesc": "Success" })));
    }
}
