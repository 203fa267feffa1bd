//! The features that clients of a published sandbox rely on: several currencies, dates with times,
//! identical parties, numbers that lead somewhere, references that never come again.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::{Currency, Timestamp};
use kiungo_simulator::clock::Clock;
use kiungo_simulator::control::Provider as _;
use kiungo_simulator::testing::{Mailbox, call, no_faults, settle};
use kiungo_simulator_gsma::Simulator;
use kiungo_simulator_gsma::options::{Flow, Options};
use serde_json::{Value, json};

use super::{
    BASE, ID, MSISDN, OTHER, World, collection, error, expected, payout, world, world_with,
};

fn sandbox(flow: Flow) -> World {
    world_with(Options { flow, triggers: true, ..Options::default() }, no_faults())
}

fn with(amount: &str, changes: &Value) -> Value {
    let mut body = collection(amount);
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[tokio::test(start_paused = true)]
async fn each_party_has_a_purse_in_every_currency() {
    let usd = Currency::from_code("USD").unwrap();
    let options = Options { flow: Flow::Synchronous, currencies: vec![usd], ..Options::default() };
    let world = world_with(options, no_faults());
    let path = "/transactions/type/merchantpay";
    let dollars = with("5.50", &json!({"currency": "USD"}));
    assert_eq!(world.post(path, ID, &dollars).await.json()["currency"], "USD");
    assert_eq!(world.collect(OTHER, "7").await.status, 201);
    let books = world.simulator.books();
    assert_eq!(books.balances["255700000001/USD"], books.opening["255700000001/USD"] - 550);
    assert_eq!(books.balances["float/USD"], books.opening["float/USD"] + 550);
    assert_eq!(world.balance(MSISDN), 1_000_000_000 - 700);
    let euros = with("5.50", &json!({"currency": "EUR"}));
    let refused = world.post(path, "2f2d7c1a-5b3e-4c8f-9a61-7d2e4b9c1f32", &euros).await;
    assert_eq!(error(&refused), expected(400, "validation", "currencyNotSupported"));
}

#[tokio::test(start_paused = true)]
async fn a_date_may_have_a_time_unless_the_schema_is_insisted_on() {
    let body = with(
        "5",
        &json!({"senderKyc": {
            "dateOfBirth": "1970-01-02T10:00:00",
            "idDocument": [{"idType": "passport", "issueDate": "2018-11-20T00:00:00Z"}],
        }}),
    );
    let path = "/transactions/type/merchantpay";
    for (strict, status) in [(true, 400), (false, 201)] {
        let options = Options { flow: Flow::Synchronous, strict, ..Options::default() };
        let answer = world_with(options, no_faults()).post(path, ID, &body).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        if !strict {
            let kyc = &answer.json()["senderKyc"];
            assert_eq!(kyc["dateOfBirth"], "1970-01-02");
            assert_eq!(kyc["idDocument"][0]["issueDate"], "2018-11-20");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_number_of_a_pending_request_leads_to_its_transaction() {
    let world = world(Flow::Polling);
    let state = world.collect(ID, "999999999").await.json();
    let number = state["objectReference"].as_str().unwrap().to_owned();
    let read = world.get(&format!("/transactions/{number}")).await.json();
    assert_eq!(read["transactionStatus"], "pending");
    settle().await;
    let path = format!("/requeststates/{}", state["serverCorrelationId"].as_str().unwrap());
    let failed = world.get(&path).await.json();
    assert_eq!((&failed["status"], &failed["objectReference"]), (&json!("failed"), &json!(number)));
    let read = world.get(&format!("/transactions/{number}")).await.json();
    assert_eq!(read["transactionStatus"], "failed");
}

#[tokio::test(start_paused = true)]
async fn in_a_sandbox_a_pending_request_has_a_response() {
    let world = sandbox(Flow::Polling);
    world.collect(ID, "5").await;
    let link = world.get(&format!("/responses/{ID}")).await.json();
    assert!(link["link"].as_str().unwrap().starts_with("/transactions/REF-"), "{link}");
}

#[tokio::test(start_paused = true)]
async fn in_a_sandbox_identical_parties_are_refused_by_the_amount_alone() {
    let own = json!([{ "key": "accountid", "value": "4400" }]);
    for (amount, code) in [("5.00", None), ("7.00", Some("samePartiesError"))] {
        let world = sandbox(Flow::Synchronous);
        let body = with(amount, &json!({"debitParty": own, "creditParty": own}));
        let answer = world.post("/transactions/type/merchantpay", ID, &body).await;
        match code {
            None => assert_eq!(answer.status, 201, "{}", answer.text),
            Some(code) => assert_eq!(error(&answer), expected(400, "businessRule", code)),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn in_a_sandbox_what_is_wrong_with_a_reversal_comes_by_callback() {
    for (kind, code) in [("merchantpay", "formatError"), ("reversal", "identifierError")] {
        let world = sandbox(Flow::Requested);
        let answer =
            world.post("/transactions/REF-0/reversals", ID, &json!({ "type": kind })).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        settle().await;
        assert_eq!(world.mailbox.received()[0].body["errorCode"], code);
    }
}

#[tokio::test(start_paused = true)]
async fn a_one_time_code_pays_once_and_only_if_it_was_given_out() {
    let world = world(Flow::Synchronous);
    let path = "/transactions/type/merchantpay";
    let redeem = |code: &str| {
        let mut body = payout("50");
        body["creditParty"] = json!([{ "key": "accountid", "value": "4400" }]);
        body["oneTimeCode"] = code.into();
        body
    };
    let unknown = world.post(path, ID, &redeem("nonsense")).await;
    assert_eq!(error(&unknown), expected(404, "identification", "identifierError"));
    world.simulator.give_code("1234", MSISDN, 5_000);
    assert_eq!(world.post(path, OTHER, &redeem("1234")).await.status, 201);
    assert_eq!(world.balance(MSISDN), 1_000_000_000 - 5_000);
    let again = world.post(path, "2f2d7c1a-5b3e-4c8f-9a61-7d2e4b9c1f32", &redeem("1234")).await;
    assert_eq!(again.status, 404);
    let options = Options { flow: Flow::Synchronous, strict: false, ..Options::default() };
    let mut body = collection("50");
    body["oneTimeCode"] = "nonsense".into();
    assert_eq!(world_with(options, no_faults()).post(path, ID, &body).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn references_differ_after_a_restart_and_repeat_under_the_same_clock() {
    let references = |seconds: i64| async move {
        let epoch = Timestamp::from_micros((1_772_357_400 + seconds) * 1_000_000);
        let clock = Clock::Virtual { epoch, origin: tokio::time::Instant::now() };
        let mailbox = Arc::new(Mailbox::default());
        let options = Options { flow: Flow::Polling, ..Options::default() };
        let simulator = Simulator::new(options, clock, mailbox, no_faults());
        let headers = [("x-correlationid", ID)];
        let path = format!("{BASE}/transactions/type/merchantpay");
        let body = collection("5").to_string();
        let answer = call(&simulator.router(), "POST", &path, &headers, &body).await.json();
        settle().await;
        let movements = simulator.books().movements;
        (answer["serverCorrelationId"].to_string(), movements[0].receipt.clone())
    };
    let first = references(0).await;
    assert_eq!(first, references(0).await);
    let later = references(1).await;
    assert!(first.0 != later.0 && first.1 != later.1, "{first:?} {later:?}");
    assert!(first.1.starts_with("REF-1772357400"), "{first:?}");
}

#[tokio::test(start_paused = true)]
async fn every_refusal_is_an_error_object() {
    let world = world(Flow::Synchronous);
    let answer = world.get("/transactions/%ff").await;
    assert_eq!(error(&answer), expected(400, "validation", "formatError"));
    let huge = "x".repeat(3 * 1024 * 1024);
    let path = format!("{BASE}/transactions/type/merchantpay");
    let answer = call(&world.router, "POST", &path, &[("x-correlationid", ID)], &huge).await;
    assert_eq!(error(&answer), expected(400, "validation", "lengthError"));
    for (name, value, code) in
        [("x-date", "yesterday", "formatError"), ("x-client-id", &"x".repeat(257), "lengthError")]
    {
        let path = format!("{BASE}/accounts/balance");
        let answer = call(&world.router, "GET", &path, &[(name, value)], "").await;
        assert_eq!(error(&answer), expected(400, "validation", code));
    }
    let fine = world.collect(ID, "5.5555").await.json();
    let said = fine["errorParameters"][0]["value"].as_str().unwrap().to_owned();
    assert!(said.contains("decimals"), "a pattern that the amount fulfils says nothing: {said}");
}

#[tokio::test(start_paused = true)]
async fn a_page_has_a_bound() {
    let options = Options { flow: Flow::Synchronous, page_max: 2, ..Options::default() };
    let world = world_with(options, no_faults());
    for last in 0..3 {
        let id = format!("0f2d7c1a-5b3e-4c8f-9a61-7d2e4b9c1f3{last}");
        world.collect(&id, "5").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let path = "/accounts/accountid/4400/transactions?limit=18446744073709551615";
    let answer = world.get(path).await;
    assert_eq!(answer.json().as_array().unwrap().len(), 2);
    assert_eq!(answer.headers["x-records-available-count"], "3");
}
