//! The form that a request must have, in each version.

use kiungo_simulator::testing::call;
use kiungo_simulator_gsma::options::Flow;
use serde_json::{Value, json};

use super::{BASE, CALLBACK, ID, OTHER, collection, error, expected, payout, world};

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
        (with("metadata", json!([{"key": "a"}])), "mandatoryValueNotSupplied", "metadata/0/value"),
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

#[tokio::test(start_paused = true)]
async fn a_request_is_checked_down_to_its_smallest_object() {
    let world = world(Flow::Synchronous);
    let with = |name: &str, value: Value| {
        let mut body = collection("5");
        body[name] = value;
        body
    };
    let kyc = |kyc: Value| with("senderKyc", kyc);
    let abroad = |value: Value| with("internationalTransferInformation", value);
    for (body, code, place) in [
        (with("fees", json!([])), "lengthError", "fees"),
        (
            with("fees", json!([{"feeType": "x", "feeAmount": "01", "feeCurrency": "TZS"}])),
            "formatError",
            "fees/0/feeAmount",
        ),
        (with("fees", json!([{}])), "mandatoryValueNotSupplied", "fees/0/feeType"),
        (kyc(json!({"gender": "x"})), "formatError", "senderKyc/gender"),
        (kyc(json!({"dateOfBirth": "1.1.70"})), "formatError", "senderKyc/dateOfBirth"),
        (kyc(json!({"nationality": "UK"})), "formatError", "senderKyc/nationality"),
        (
            kyc(json!({"idDocument": [{"idType": "library"}]})),
            "formatError",
            "senderKyc/idDocument/0/idType",
        ),
        (
            kyc(json!({"postalAddress": {"city": "Mbeya"}})),
            "mandatoryValueNotSupplied",
            "senderKyc/postalAddress/country",
        ),
        (
            kyc(json!({"subjectName": {"title": "x".repeat(257)}})),
            "lengthError",
            "senderKyc/subjectName/title",
        ),
        (kyc(json!([])), "formatError", "senderKyc"),
        (
            abroad(json!({})),
            "mandatoryValueNotSupplied",
            "internationalTransferInformation/originCountry",
        ),
        (
            abroad(json!({"originCountry": "TZ", "deliveryMethod": "pigeon"})),
            "formatError",
            "internationalTransferInformation/deliveryMethod",
        ),
        (
            with("requestingOrganisation", json!({"requestingOrganisationIdentifierType": "bic"})),
            "formatError",
            "requestingOrganisation/requestingOrganisationIdentifierType",
        ),
        (
            with("customData", json!([{"key": "a", "value": ""}])),
            "lengthError",
            "customData/0/value",
        ),
        (with("geoCode", json!("91,0")), "formatError", "geoCode"),
        (with("requestingLei", json!("AAAA10")), "formatError", "requestingLei"),
        (with("oneTimeCode", json!(1234)), "formatError", "oneTimeCode"),
        (with("currency", json!("ABC")), "formatError", "currency"),
    ] {
        let answer = world.post("/transactions/type/merchantpay", ID, &body).await;
        assert_eq!(error(&answer), expected(400, "validation", code), "{place}: {}", answer.text);
        assert_eq!(answer.json()["errorParameters"][0]["key"], place);
    }
    let body = json!({
        "geoCode": "-6.8,39.28",
        "senderKyc": {"gender": "f", "dateOfBirth": "1970-01-01", "nationality": "NO"},
        "fees": [{"feeType": "x", "feeAmount": "0.10", "feeCurrency": "KES"}],
        "nobodysBusiness": {"a": 1},
    });
    let mut whole = collection("5");
    whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    let answer = world.post("/transactions/type/merchantpay", ID, &whole).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.json()["senderKyc"], whole["senderKyc"]);
    assert!(answer.json().get("nobodysBusiness").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_reversal_is_checked_like_a_transaction() {
    let world = world(Flow::Synchronous);
    let first = world.collect(ID, "5").await.json();
    let reference = first["transactionReference"].as_str().unwrap();
    let custom = json!([{"key": "a", "value": "b"}]);
    for (base, body, place) in [
        ("/v1.2/mm", json!({"descriptionText": "x".repeat(161)}), "descriptionText"),
        ("/v1.2/mm", json!({"requestDate": "soon"}), "requestDate"),
        ("/v1.2/mm", json!({"creditParty": []}), "creditParty"),
        ("/v1.1/mm", json!({"customData": custom}), "customData"),
        ("/v1.1/mm", json!({"amount": "5.00", "currency": "TZS"}), "amount"),
    ] {
        let mut body = body;
        body["type"] = json!("reversal");
        let path = format!("{base}/transactions/{reference}/reversals");
        let headers = [("x-correlationid", OTHER)];
        let answer = call(&world.router, "POST", &path, &headers, &body.to_string()).await;
        assert_eq!(answer.status, 400, "{place}: {}", answer.text);
        assert_eq!(answer.json()["errorParameters"][0]["key"], place);
    }
    assert_eq!(world.moved(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_older_version_answers_in_its_own_words() {
    let world = world(Flow::Synchronous);
    let mut body = collection("5.50");
    body["customData"] = json!([{ "key": "a", "value": "b" }]);
    let newer = world.post("/transactions/type/merchantpay", ID, &body).await.json();
    let reference = newer["transactionReference"].as_str().unwrap();
    assert_eq!((&newer["amount"], &newer["customData"]), (&json!("5.50"), &body["customData"]));
    for path in [
        format!("/v1.1/mm/transactions/{reference}"),
        "/v1.1/mm/accounts/accountid/4400/transactions".to_owned(),
    ] {
        let answer = call(&world.router, "GET", &path, &[], "").await.json();
        let older = answer.get(0).unwrap_or(&answer);
        assert_eq!(older["amount"], "5.5", "{path}");
        assert!(older.get("customData").is_none(), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn headers_that_are_sent_must_be_right() {
    let world = world(Flow::Synchronous);
    let institution = "X-Account-Holding-Institution-Identifier";
    let kind = "X-Account-Holding-Institution-Identifier-Type";
    let path = format!("{BASE}/transactions/type/merchantpay");
    let long = "x".repeat(257);
    for (headers, place) in [
        (vec![("X-Date", "yesterday")], "X-Date"),
        (vec![("Content-Type", "text/plain")], "Content-Type"),
        (vec![("X-Channel", long.as_str())], "X-Channel"),
        (vec![(institution, "1")], kind),
        (vec![(kind, "lei")], institution),
        (vec![(kind, "bank"), (institution, "1")], kind),
    ] {
        let headers = [vec![("x-correlationid", ID)], headers].concat();
        let body = collection("5").to_string();
        let answer = call(&world.router, "POST", &path, &headers, &body).await;
        assert_eq!(answer.status, 400, "{place}");
        assert_eq!(answer.json()["errorParameters"][0]["key"], place);
    }
    let good = [
        ("x-correlationid", ID),
        ("x-date", "Sun, 01 Mar 2020 09:30:00 GMT"),
        ("content-type", "application/json; charset=utf-8"),
        (kind, "organisationid"),
        (institution, "1"),
    ];
    let answer = call(&world.router, "POST", &path, &good, &collection("5").to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

#[tokio::test(start_paused = true)]
async fn ids_and_types_in_addresses_are_checked() {
    let world = world(Flow::Synchronous);
    for path in [
        "/requeststates/1",
        "/responses/REF-1",
        "/accounts/accountid/4400/transactions?transactionType=barter",
    ] {
        let answer = world.get(path).await;
        assert_eq!(error(&answer), expected(400, "validation", "formatError"), "{path}");
    }
}
