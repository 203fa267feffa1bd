//! What a request must look like, in each version.

use kiungo_simulators::gsma::options::Flow;
use serde_json::{Value, json};

use super::{BASE, CALLBACK, ID, OTHER, collection, error, expected, payout, world};
use crate::harness::call;

#[tokio::test(start_paused = true)]
async fn malformed_requests_are_refused_with_the_field_and_leave_no_trace() {
    let world = world(Flow::Synchronous);
    let with = |name: &str, value: Value| {
        let mut body = collection("5");
        body[name] = value;
        body
    };
    let without = |name: &str| {
        let mut body = collection("5");
        body.as_object_mut().unwrap().remove(name);
        body
    };
    for (body, code, field) in [
        (with("amount", json!("00.00")), "formatError", "amount"),
        (with("amount", json!("5.005")), "formatError", "amount"),
        (with("amount", json!(5)), "formatError", "amount"),
        (with("amount", json!("-5.5")), "negativeValue", "amount"),
        (without("amount"), "mandatoryValueNotSupplied", "amount"),
        (without("currency"), "mandatoryValueNotSupplied", "currency"),
        (with("currency", json!("KES")), "currencyNotSupported", "currency"),
        (with("currency", json!("tzs")), "formatError", "currency"),
        (without("debitParty"), "mandatoryValueNotSupplied", "debitParty"),
        (with("debitParty", json!([])), "formatError", "debitParty"),
        (with("debitParty", json!([{"key": "shoe", "value": "1"}])), "formatError", "debitParty"),
        (with("debitParty", json!([{"key": "msisdn", "value": "x"}])), "formatError", "debitParty"),
        (with("descriptionText", json!("x".repeat(161))), "lengthError", "descriptionText"),
        (with("requestDate", json!("soon")), "formatError", "requestDate"),
        (with("metadata", json!([{"key": "a"}])), "formatError", "metadata"),
    ] {
        let answer = world.post("/transactions/type/merchantpay", ID, &body).await;
        assert_eq!(error(&answer), expected(400, "validation", code), "{field}");
        assert_eq!(answer.json()["errorParameters"][0]["key"], field);
    }
    let answer = world.post("/transactions/type/barter", ID, &collection("5")).await;
    assert_eq!(answer.json()["errorParameters"][0]["key"], "type");
    for body in ["", "[]", "{\"amount\":", "\u{0}"] {
        let path = format!("{BASE}/transactions/type/merchantpay");
        let answer = call(&world.router, "POST", &path, &[("x-correlationid", ID)], body).await;
        assert_eq!(error(&answer), expected(400, "validation", "formatError"));
    }
    let headless = [("x-callback-url", CALLBACK)];
    let path = format!("{BASE}/transactions/type/merchantpay");
    let answer = call(&world.router, "POST", &path, &headless, &collection("5").to_string()).await;
    assert_eq!(error(&answer), expected(400, "validation", "mandatoryValueNotSupplied"));
    let answer = world.collect("not-a-uuid", "5").await;
    assert_eq!(answer.json()["errorParameters"][0]["key"], "X-CorrelationID");
    assert_eq!(world.moved(), 0);
    assert_eq!(world.collect(ID, "5").await.status, 201, "the id was not used up");
}

#[tokio::test(start_paused = true)]
async fn each_version_has_its_own_amounts_and_properties() {
    let world = world(Flow::Synchronous);
    let post = async |base: &str, id: &str, body: Value| {
        let path = format!("{base}/transactions/type/merchantpay");
        call(&world.router, "POST", &path, &[("x-correlationid", id)], &body.to_string()).await
    };
    assert_eq!(post("/v1.1/mm", ID, collection("5.50")).await.status, 400);
    assert_eq!(post("/v1.1/mm", ID, collection("5.5")).await.status, 201);
    assert_eq!(post("/v1.2/mm", OTHER, collection("5.50")).await.status, 201);
    let mut newer = collection("5");
    newer["customData"] = json!([{ "key": "a", "value": "b" }]);
    let id = "2f2d7c1a-5b3e-4c8f-9a61-7d2e4b9c1f32";
    assert_eq!(post("/v1.1/mm", id, newer.clone()).await.status, 400);
    let accepted = post("/v1.2/mm", id, newer.clone()).await;
    assert_eq!(accepted.json()["customData"], newer["customData"]);
}

#[tokio::test(start_paused = true)]
async fn the_older_untyped_path_takes_its_type_from_the_body() {
    let world = world(Flow::Synchronous);
    let mut body = payout("10");
    let refused = world.post("/transactions", ID, &body).await;
    assert_eq!(error(&refused), expected(400, "validation", "mandatoryValueNotSupplied"));
    body["type"] = json!("disbursement");
    assert_eq!(world.post("/transactions", ID, &body).await.json()["type"], "disbursement");
}

#[tokio::test(start_paused = true)]
async fn a_content_hash_is_checked_where_it_is_sent() {
    let world = world(Flow::Synchronous);
    let path = format!("{BASE}/transactions/type/disbursement");
    let body = r#"{"creditParty":[{"key":"msisdn","value":"255700000001"}],"amount":"5","currency":"TZS"}"#;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes());
    let hex: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    let wrong = [("x-correlationid", ID), ("x-content-hash", "00")];
    assert_eq!(call(&world.router, "POST", &path, &wrong, body).await.status, 400);
    let right = [("x-correlationid", ID), ("x-content-hash", &hex.concat())];
    assert_eq!(call(&world.router, "POST", &path, &right, body).await.status, 201);
}
