//! Collections, payouts and reversals: the request as sent, and the three flows of the answer.

use kiungo_domain::Outcome;
use kiungo_domain::outcome::{Acceptance, Awaiting, Reason, Retry};
use kiungo_provider::Provider;
use kiungo_provider_gsma::{Answers, Institution};
use kiungo_transport::Request;
use serde_json::Value;

use crate::world::*;

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers().get(name).map(|value| value.to_str().unwrap())
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(request.body()).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

async fn collect(step: Reply) -> Outcome {
    let script = Script::new([step]);
    let outcome = gsma(&script).collect(&collection()).await;
    assert_eq!(lines(&script), ["POST /transactions/type/merchantpay"]);
    outcome
}

async fn pay_out(step: Reply) -> Outcome {
    let script = Script::new([step]);
    let outcome = gsma(&script).pay_out(&payout()).await;
    assert_eq!(lines(&script), ["POST /transactions/type/disbursement"]);
    outcome
}

#[tokio::test]
async fn a_collection_is_sent_as_merchant_payment_with_its_own_callback_url() {
    let script = Script::new([answer(202, fixture!("collect/accepted-callback.json"))]);
    let outcome = gsma(&script).collect(&collection()).await;
    let awaiting = Awaiting::Customer;
    let handle = Some(STATE_ID.to_owned());
    assert_eq!(outcome, Outcome::Pending(Acceptance { handle, awaiting }));
    assert_eq!(lines(&script), ["POST /transactions/type/merchantpay"]);
    assert_eq!(script.timeouts(), [120]);
    let request = &script.requests()[0];
    assert_eq!(body(request), json(fixture!("collect/order-1-2-0.json")));
    let id = "019a2b3c-4d5e-7f60-8a1b-2c3d4e5f6001";
    assert_eq!(header(request, "x-correlationid"), Some(id));
    let callback_url = format!("{CALLBACKS}results/{id}");
    assert_eq!(header(request, "x-callback-url"), Some(callback_url.as_str()));
    assert_eq!(header(request, "authorization"), Some("Basic bWZpOnBhc3Mgd29yZA=="));
    assert_eq!(header(request, "x-api-key"), Some("key-1"));
    assert_eq!(header(request, "x-client-id"), Some("consumer"));
    assert_eq!(header(request, "content-type"), Some("application/json"));
    assert_eq!(header(request, "accept"), Some("application/json"));
    assert_eq!(header(request, "x-date"), Some("2026-03-01T09:30:00Z"));
    assert_eq!(header(request, "x-content-hash").map(str::len), Some(64));
}

#[tokio::test]
async fn the_older_version_gets_no_trailing_zeros_and_no_newer_fields() {
    let script = Script::new([answer(202, fixture!("collect/accepted-callback.json"))]);
    let gsma = Mapping::older().adapter(script.clone());
    gsma.collect(&collection()).await;
    assert_eq!(body(&script.requests()[0]), json(fixture!("collect/order-1-1-2.json")));
}

#[tokio::test]
async fn a_payout_is_sent_as_disbursement() {
    let script = Script::new([answer(202, fixture!("collect/accepted-polling.json"))]);
    let outcome = gsma(&script).pay_out(&payout()).await;
    let Outcome::Pending(accepted) = outcome else { panic!("{outcome:?}") };
    assert_eq!(accepted.awaiting, Awaiting::Processing);
    assert_eq!(script.timeouts(), [60]);
    assert_eq!(body(&script.requests()[0]), json(fixture!("pay_out/order-1-2-0.json")));
}

#[tokio::test]
async fn a_reversal_is_sent_in_full_under_the_original() {
    let script = Script::new([answer(201, fixture!("reverse/completed.json"))]);
    let gsma = gsma(&script);
    let outcome = gsma.reverse().unwrap().reverse(&reversal()).await;
    let Outcome::Executed(done) = outcome else { panic!("{outcome:?}") };
    assert_eq!(done.receipt, receipt("REF-1772361000200"));
    assert_eq!(done.stated.amount, Some(money("125.50")));
    assert_eq!(done.stated.msisdn, Some(msisdn()));
    assert_eq!(lines(&script), ["POST /transactions/REF-1772357441118/reversals"]);
    assert_eq!(body(&script.requests()[0]), json(fixture!("reverse/order.json")));
}

#[tokio::test]
async fn a_reversal_answered_with_another_transaction_is_unknown() {
    let another = fixture!("reverse/completed.json").replace("1772357441118", "1772357000000");
    for body in [fixture!("collect/completed.json"), another.as_str()] {
        let script = Script::new([answer(201, body)]);
        let gsma = gsma(&script);
        let outcome = gsma.reverse().unwrap().reverse(&reversal()).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_synchronous_answer_completes_with_what_it_states() {
    let outcome = collect(answer(201, fixture!("collect/completed.json"))).await;
    let Outcome::Executed(done) = outcome else { panic!("{outcome:?}") };
    assert_eq!(done.receipt, receipt("REF-1772357441118"));
    assert_eq!(done.stated.amount, Some(money("125.50")));
    assert_eq!(done.stated.msisdn, Some(msisdn()));
    assert_eq!(done.stated.reference, Some(collection().reference));
    assert_eq!(done.fee, None);
    let outcome = pay_out(answer(201, fixture!("pay_out/completed.json"))).await;
    let Outcome::Executed(done) = outcome else { panic!("{outcome:?}") };
    assert_eq!(done.fee, Some(money("1.75")));
    assert_eq!(done.stated.msisdn, Some(msisdn()));
}

#[tokio::test]
async fn a_fee_that_cannot_be_read_is_left_out_and_the_completion_stands() {
    let with = |fees: &str| {
        let fees = format!("{{\"fees\":{fees},");
        fixture!("collect/completed.json").replacen('{', &fees, 1)
    };
    for fees in [
        r#"[{"feeAmount":"37.505","feeCurrency":"LSL"}]"#,
        r#"[{"feeAmount":"37.50","feeCurrency":"UGX"}]"#,
        r#"[{"feeAmount":"-5.00","feeCurrency":"LSL"}]"#,
        r#"[{"feeType":"Transfer"}]"#,
        r#"[{"feeAmount":"","feeCurrency":"LSL"}]"#,
        r#"[{"feeAmount":"1.00","feeCurrency":"LSLL"}]"#,
        r#"[{"feeAmount":"1.00"},{"feeAmount":"0.0625"}]"#,
        r#"[{"feeAmount":"1.00","feeCurrency":"LSL"},{"feeAmount":"1","feeCurrency":"USD"}]"#,
        "[]",
    ] {
        let outcome = collect(answer(201, with(fees))).await;
        let Outcome::Executed(done) = outcome else { panic!("{fees}: {outcome:?}") };
        assert_eq!((done.fee, done.stated.amount), (None, Some(money("125.50"))), "{fees}");
    }
    let read = with(r#"[{"feeAmount":"1.0E0","feeCurrency":"LSL"},{"feeAmount":0.5}]"#);
    let Outcome::Executed(done) = collect(answer(201, &read)).await else { panic!() };
    assert_eq!(done.fee, Some(money("1.50")));
}

#[tokio::test]
async fn a_receipt_is_whatever_the_specification_allows() {
    for printed in [&"r".repeat(256), "PP260301 1412 B01", "RÉF-7"] {
        let body = fixture!("collect/completed.json").replace("REF-1772357441118", printed);
        let Outcome::Executed(done) = collect(answer(201, &body)).await else {
            panic!("{printed}")
        };
        assert_eq!(done.receipt.as_str(), printed);
        let script = Script::new([answer(201, fixture!("reverse/completed.json"))]);
        let order = kiungo_provider::ReverseOrder { receipt: done.receipt, ..reversal() };
        gsma(&script).reverse().unwrap().reverse(&order).await;
        let line = &lines(&script)[0];
        assert!(line.is_ascii() && !line.trim_start_matches("POST ").contains(' '), "{line}");
    }
}

#[tokio::test]
async fn an_amount_stated_as_programs_print_it_is_compared_exactly() {
    for (printed, amount) in [
        ("\"1.255E2\"", "125.50"),
        ("1.255e+2", "125.50"),
        ("\"9007199254740993E-2\"", "90071992547409.93"),
        ("90071992547409.93", "90071992547409.93"),
    ] {
        let body = fixture!("collect/completed.json").replace("\"125.5\"", printed);
        let Outcome::Executed(done) = collect(answer(201, &body)).await else {
            panic!("{printed}")
        };
        assert_eq!(done.stated.amount, Some(money(amount)), "{printed}");
    }
    for printed in ["\"5,000.00\"", "\"125.505\"", "\"1e99\""] {
        let body = fixture!("collect/completed.json").replace("\"125.5\"", printed);
        let outcome = collect(answer(201, &body)).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{printed}: {outcome:?}");
    }
}

#[tokio::test]
async fn another_amount_or_reference_is_stated_for_the_engine_to_compare() {
    let other = fixture!("collect/completed.json").replace("125.5", "12.5").replace("6001", "6041");
    let outcome = collect(answer(201, &other)).await;
    let Outcome::Executed(done) = outcome else { panic!("{outcome:?}") };
    assert_eq!(done.stated.amount, Some(money("12.50")));
    assert_eq!(done.stated.reference, Some(payout().reference));
}

#[tokio::test]
async fn a_synchronous_answer_follows_the_listed_status_words() {
    let with = |word: &str| fixture!("collect/completed.json").replace("completed", word);
    let outcome = collect(answer(201, with("Failed"))).await;
    let Outcome::Rejected(rejection) = outcome else { panic!("{outcome:?}") };
    assert_eq!((rejection.code.as_str(), rejection.retry), ("Failed", Retry::Never));
    let outcome = collect(answer(201, with("PENDING"))).await;
    let Outcome::Pending(accepted) = outcome else { panic!("{outcome:?}") };
    assert_eq!(accepted.handle.as_deref(), Some("transactions/REF-1772357441118"));
    for word in ["settled", "", "reversed"] {
        let outcome = collect(answer(201, with(word))).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{word}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_failed_transaction_that_is_not_the_one_asked_for_rejects_nothing() {
    let failed = fixture!("collect/completed.json").replace("completed", "failed");
    for (from, to) in [("6001", "6041"), ("\"125.5\"", "\"12.5\""), ("57000001", "57000002")] {
        let outcome = collect(answer(201, failed.replace(from, to))).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{to}: {outcome:?}");
    }
}

#[tokio::test]
async fn an_unreadable_statement_is_unknown() {
    for (from, to) in [
        ("\"125.5\"", "\"125,5\""),
        ("\"125.5\"", "\"125.555\""),
        ("\"125.5\"", "1.25555e2"),
        ("LSL", "USDD"),
        ("019A2B3C4D5E7F608A1B2C3D4E5F6001", "LN-417"),
        ("REF-1772357441118", ""),
        ("\"creditParty\":", "\"creditParty\":\"4400\",\"x\":"),
        ("\"4400\"", "\"4401\""),
    ] {
        let body = fixture!("collect/completed.json").replace(": ", ":").replace(from, to);
        let outcome = collect(answer(201, &body)).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{to}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_wallets_number_is_compared_however_it_is_written_and_a_masked_one_says_nothing() {
    let asked = Some("26657000001");
    for (written, stated) in [
        ("57000001", asked),
        ("0026657000001", asked),
        ("tel:+266-57000001", asked),
        ("+266 5700 0001", asked),
        ("+26657****01", None),
        ("****0001", None),
        ("7000001", None),
        ("57000002", Some("26657000002")),
        ("+255712345678", Some("255712345678")),
    ] {
        let body = fixture!("collect/completed.json").replace("+26657000001", written);
        let outcome = collect(answer(201, &body)).await;
        let Outcome::Executed(done) = outcome else { panic!("{written}: {outcome:?}") };
        assert_eq!(
            done.stated.msisdn.as_ref().map(kiungo_domain::Msisdn::digits),
            stated,
            "{written}"
        );
    }
}

#[tokio::test]
async fn a_number_in_place_of_a_string_is_read_exactly() {
    let body = fixture!("collect/completed.json").replace("\"125.5\"", "125.50");
    let outcome = collect(answer(201, &body)).await;
    let Outcome::Executed(done) = outcome else { panic!("{outcome:?}") };
    assert_eq!(done.stated.amount, Some(money("125.50")));
}

#[tokio::test]
async fn accepted_is_never_final() {
    for body in [
        fixture!("collect/completed.json"),
        fixture!("inquiry/state-completed.json"),
        &fixture!("collect/completed.json").replace("completed", "failed"),
    ] {
        let outcome = collect(answer(202, body)).await;
        assert!(matches!(outcome, Outcome::Pending(_)), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_request_state_that_failed_at_once_rejects_by_its_error() {
    for field in ["error", "errorReference"] {
        let body =
            fixture!("inquiry/state-failed.json").replace("\"error\"", &format!("\"{field}\""));
        let outcome = collect(answer(202, &body)).await;
        let Outcome::Rejected(rejection) = outcome else { panic!("{outcome:?}") };
        assert_eq!(rejection.reason, Reason::CustomerDeclined);
        assert_eq!(rejection.code, "authorisation/requestDeclined");
    }
    let mute = format!(r#"{{"serverCorrelationId":"{STATE_ID}","status":"failed"}}"#);
    assert!(matches!(collect(answer(202, &mute)).await, Outcome::Pending(_)));
}

#[tokio::test]
async fn everything_that_is_no_answer_is_unknown() {
    let html = fixture!("errors/gateway.html");
    for step in [
        lost(),
        answer(500, fixture!("errors/insufficient-funds.json")),
        answer(502, html),
        answer(503, fixture!("errors/service-unavailable.json")),
        answer(504, ""),
        answer(200, html),
        answer(201, ""),
        answer(201, "{}"),
        answer(201, "[]"),
        answer(201, r#"{"result":"success"}"#),
        answer(202, r#"{"serverCorrelationId":"x","status":"odd"}"#),
        answer(204, ""),
        answer(302, fixture!("collect/completed.json")),
        answer(400, html),
        answer(403, html),
        answer(404, html),
        answer(409, "{}"),
        answer(400, fixture!("errors/duplicate.json")),
        answer(200, fixture!("errors/duplicate.json")),
        answer(400, r#"{"errorCategory":"businessRule","errorCode":"newInVersion9"}"#),
        answer(400, r#"{"errorCode":"insufficientFunds"}"#),
    ] {
        let outcome = collect(step.clone()).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{step:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_request_that_surely_did_not_arrive_is_not_sent() {
    for step in [
        unreachable(),
        answer(400, r#"{"errorCategory":"businessRule","errorCode":"rateLimitError"}"#),
        answer(429, fixture!("errors/gateway.html")),
        answer(401, fixture!("errors/gateway-401.json")),
    ] {
        let outcome = collect(step.clone()).await;
        assert!(matches!(outcome, Outcome::NotSent { .. }), "{step:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn an_error_object_rejects_in_any_spelling_and_hides_numbers() {
    for (category, code) in [
        ("businessRule", "insufficientFunds"),
        ("BusinessRule", "InsufficientFunds"),
        ("Business Rule", "insufficient Funds"),
    ] {
        let body = format!(r#"{{"errorCategory":"{category}","errorCode":"{code}"}}"#);
        let outcome = collect(answer(400, &body)).await;
        let Outcome::Rejected(rejection) = outcome else { panic!("{outcome:?}") };
        assert_eq!(rejection.reason, Reason::InsufficientFunds);
        assert_eq!(rejection.code, format!("{category}/{code}"));
    }
    let body = r#"{"errorCategory":"x","errorCode":"y","errordescription":"no 26657000001"}"#;
    let Outcome::Unknown { why } = collect(answer(400, body)).await else { panic!() };
    assert!(why.contains("no ****") && !why.contains("26657000001"), "{why}");
}

#[tokio::test]
async fn an_amount_that_the_provider_cannot_take_is_refused_before_anything_is_sent() {
    let mapping = Mapping::newer();
    let terms = kiungo_provider::Terms { decimals: 0, ..mapping.terms() };
    let script = Script::new([]);
    let gsma =
        kiungo_provider_gsma::Gsma::new(mapping.gsma, secrets(), terms, script.clone()).unwrap();
    let Outcome::Rejected(rejection) = gsma.collect(&collection()).await else { panic!() };
    assert_eq!(rejection.reason, Reason::AmountNotAllowed);
    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn polling_names_no_callback_url_and_an_institution_is_named_where_it_is_routed_by() {
    let mut mapping = Mapping::newer();
    mapping.gsma.answers = Answers::Polling;
    mapping.gsma.integrity_headers = false;
    mapping.gsma.institution =
        Some(Institution { kind: "organisationid".to_owned(), id: "77".to_owned() });
    let steps = [
        answer(202, fixture!("collect/accepted-polling.json")),
        answer(404, fixture!("errors/not-found.json")),
    ];
    let script = Script::new(steps);
    let gsma = mapping.adapter(script.clone());
    gsma.collect(&collection()).await;
    gsma.inquire(&inquiry(None)).await;
    let requests = script.requests();
    assert_eq!(header(&requests[0], "x-callback-url"), None);
    assert_eq!(header(&requests[0], "x-content-hash"), None);
    assert_eq!(header(&requests[0], "x-account-holding-institution-identifier"), Some("77"));
    assert_eq!(header(&requests[1], "x-account-holding-institution-identifier"), None);
    assert_eq!(header(&requests[1], "x-correlationid"), None);
}

#[tokio::test]
async fn a_description_is_cut_to_what_the_api_takes() {
    let script = Script::new([lost()]);
    let order = kiungo_provider::WalletOrder {
        description: format!("{}\u{7}\n{}", "é".repeat(100), "x".repeat(100)),
        label: String::new(),
        ..collection()
    };
    gsma(&script).collect(&order).await;
    let body = body(&script.requests()[0]);
    assert_eq!(body["descriptionText"].as_str().unwrap().chars().count(), 160);
    assert!(body.get("customData").is_none());
}
