//! An M-Pesa market, line by line of the checklist in `mpesa-openapi.md` §12.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kiungo_simulators::faults::{Fault, Faults};
use kiungo_simulators::mpesa::Simulator;
use kiungo_simulators::mpesa::options::{Limits, Market, MsisdnForm, Options, Unanswered};
use kiungo_simulators::payment::PaymentRefused;
use serde_json::{Value, json};

use crate::harness::{Answer, Mailbox, always, assert_consistent, call, clock, no_faults, settle};

const MSISDN: &str = "255700000001";
const ID: &str = "RP20260301K7Q2M9XW4T";
const RESULT: &str = "http://127.0.0.1:1/result";

struct World {
    simulator: Simulator,
    router: Router,
    mailbox: Mailbox,
    bearer: String,
}

fn options() -> Options {
    Options { key_bits: 2_048, ..Options::default() }
}

fn asynchronous() -> Options {
    Options { asynchronous: true, delay_ms: 500, response_url: Some(RESULT.into()), ..options() }
}

fn encrypt(simulator: &Simulator, text: &str) -> String {
    let der = STANDARD.decode(simulator.public_key()).unwrap();
    let key = Pkcs1PublicEncryptingKey::new(PublicEncryptingKey::from_der(&der).unwrap()).unwrap();
    let mut ciphertext = vec![0; key.ciphertext_size()];
    let ciphertext = key.encrypt(text.as_bytes(), &mut ciphertext).unwrap();
    format!("Bearer {}", STANDARD.encode(ciphertext))
}

fn closed(options: Options, faults: Faults) -> World {
    let mailbox = Mailbox::default();
    let simulator = Simulator::new(options, clock(), Arc::new(mailbox.clone()), faults);
    World { router: simulator.router(), simulator, mailbox, bearer: String::new() }
}

/// A market with a live session.
async fn world(options: Options, faults: Faults) -> World {
    let mut world = closed(options, faults);
    world.bearer = world.session().await;
    world
}

impl World {
    async fn send(&self, method: &str, path: &str, bearer: &str, body: &str) -> Answer {
        let headers = [("authorization", bearer), ("origin", "mfi.example")];
        let path = format!("/sandbox/ipg/v2/{path}");
        call(&self.router, method, &path, &headers, body).await
    }

    async fn session(&self) -> String {
        let key = encrypt(&self.simulator, &Options::default().api_key);
        let answer = self.send("GET", "vodacomTZN/getSession/", &key, "").await;
        let id = answer.json()["output_SessionID"].as_str().unwrap_or_default().to_owned();
        encrypt(&self.simulator, &id)
    }

    async fn ask(&self, method: &str, operation: &str, body: &Value) -> Answer {
        let path = format!("vodacomTZN/{operation}");
        self.send(method, &path, &self.bearer, &body.to_string()).await
    }

    async fn collect(&self, body: &Value) -> Answer {
        self.ask("POST", "c2bPayment/singleStage/", body).await
    }

    async fn query(&self, reference: &str) -> Answer {
        let query = format!(
            "queryTransactionStatus/?input_QueryReference={reference}&input_Country=TZN\
             &input_ServiceProviderCode=000000&input_ThirdPartyConversationID=QS1"
        );
        self.ask("GET", &query, &Value::Null).await
    }

    fn moved(&self) -> usize {
        let books = self.simulator.books();
        assert_consistent(&books);
        books.movements.len()
    }

    fn balance(&self, party: &str) -> i64 {
        self.simulator.books().balances[party]
    }
}

fn c2b(id: &str, msisdn: &str, amount: &str) -> Value {
    json!({
        "input_Amount": amount,
        "input_Country": "TZN",
        "input_Currency": "TZS",
        "input_CustomerMSISDN": msisdn,
        "input_ServiceProviderCode": "000000",
        "input_ThirdPartyConversationID": id,
        "input_TransactionReference": "LOAN000417",
        "input_PurchasedItemsDesc": "Repayment instalment 3",
    })
}

fn b2c(id: &str, msisdn: &str, amount: &str) -> Value {
    let mut body = c2b(id, msisdn, amount);
    body.as_object_mut().unwrap().remove("input_PurchasedItemsDesc");
    body["input_PaymentItemsDesc"] = json!("Loan disbursement");
    body
}

fn b2b(id: &str, receiver: &str) -> Value {
    json!({
        "input_Amount": "500",
        "input_Country": "TZN",
        "input_Currency": "TZS",
        "input_PrimaryPartyCode": "000000",
        "input_ReceiverPartyCode": receiver,
        "input_ThirdPartyConversationID": id,
        "input_TransactionReference": "SWEEP0301",
        "input_PurchasedItemsDesc": "Float sweep",
    })
}

fn reversal(id: &str, receipt: &str) -> Value {
    json!({
        "input_Country": "TZN",
        "input_ServiceProviderCode": "000000",
        "input_ThirdPartyConversationID": id,
        "input_TransactionID": receipt,
    })
}

fn code(answer: &Answer) -> (u16, String) {
    let code = answer.json()["output_ResponseCode"].as_str().unwrap_or_default().to_owned();
    (answer.status, code)
}

fn is(answer: &Answer, status: u16, expected: &str) {
    assert_eq!(code(answer), (status, expected.to_owned()), "{}", answer.text);
}

fn receipt(answer: &Answer) -> String {
    answer.json()["output_TransactionID"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_session_is_opened_with_the_api_key_and_used_from_its_activation_to_its_end() {
    let options =
        Options { session_activation_ms: 30_000, session_lifetime_ms: 600_000, ..options() };
    let mut world = closed(options, no_faults());
    let published = call(&world.router, "GET", "/_sim/public-key", &[], "").await;
    assert_eq!(published.text, world.simulator.public_key());
    let wrong = encrypt(&world.simulator, "another key");
    let refused = world.send("GET", "vodacomTZN/getSession/", &wrong, "").await;
    is(&refused, 400, "INS-989");
    assert!(refused.json().get("output_SessionID").is_none());
    is(&world.send("GET", "vodacomTZN/getSession/", "Bearer plain", "").await, 400, "INS-989");
    world.bearer = world.session().await;
    is(&world.collect(&c2b(ID, MSISDN, "5")).await, 401, "");
    tokio::time::sleep(Duration::from_secs(31)).await;
    is(&world.collect(&c2b(ID, MSISDN, "5")).await, 201, "INS-0");
    // The same session under another ciphertext, and the API key where a session belongs.
    let key = encrypt(&world.simulator, &Options::default().api_key);
    let body = c2b("OTHER", MSISDN, "5").to_string();
    let c2b_path = "vodacomTZN/c2bPayment/singleStage/";
    is(&world.send("POST", c2b_path, &key, &body).await, 401, "");
    tokio::time::sleep(Duration::from_mins(10)).await;
    is(&world.collect(&c2b("OTHER", MSISDN, "5")).await, 401, "");
    assert_eq!(world.moved(), 1);
}

#[tokio::test(start_paused = true)]
async fn sessions_overlap_or_replace_each_other() {
    for (sessions_overlap, status) in [(true, 201), (false, 401)] {
        let world = world(Options { sessions_overlap, ..options() }, no_faults()).await;
        let second = world.session().await;
        assert_ne!(second, world.bearer);
        assert_eq!(world.collect(&c2b(ID, MSISDN, "5")).await.status, status);
        let body = c2b("B", MSISDN, "5").to_string();
        let path = "vodacomTZN/c2bPayment/singleStage/";
        assert_eq!(world.send("POST", path, &second, &body).await.status, 201);
    }
}

#[tokio::test(start_paused = true)]
async fn a_collection_moves_money_and_answers_with_the_receipt() {
    let world = world(options(), no_faults()).await;
    let answer = world.collect(&c2b(ID, MSISDN, "125.50")).await;
    is(&answer, 201, "INS-0");
    let body = answer.json();
    assert_eq!(body["output_ThirdPartyConversationID"], ID);
    assert_eq!(body["output_ConversationID"].as_str().unwrap().len(), 32);
    assert_eq!(receipt(&answer).len(), 10);
    assert_eq!(world.balance(MSISDN), 1_000_000_000 - 12_550);
    let movement = &world.simulator.books().movements[0];
    assert_eq!((movement.receipt.as_str(), movement.reference.as_str()), (&*receipt(&answer), ID));
    assert_eq!((movement.operation.as_str(), movement.label.as_str()), ("collect", "LOAN000417"));
    for reference in [ID, &receipt(&answer), body["output_ConversationID"].as_str().unwrap()] {
        let found = world.query(reference).await;
        is(&found, 200, "INS-0");
        assert_eq!(found.json()["output_ResponseTransactionStatus"], "Completed");
        assert_eq!(found.json()["output_OriginalTransactionID"], receipt(&answer));
        assert_eq!(found.json()["output_Reversed"], "False");
        assert_eq!(found.json()["output_ThirdPartyConversationID"], "QS1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_payout_and_a_transfer_between_organisations_debit_the_float() {
    let world = world(Options { float_minor: 100_000, ..options() }, no_faults()).await;
    is(&world.ask("POST", "b2cPayment/", &b2c("A", MSISDN, "400.00")).await, 201, "INS-0");
    assert_eq!(world.balance(MSISDN), 1_000_040_000);
    let poor = world.ask("POST", "b2cPayment/", &b2c("B", MSISDN, "600.01")).await;
    is(&poor, 422, "INS-2006");
    assert_eq!(receipt(&poor), "N/A");
    let refused = world.query("B").await.json();
    assert_eq!(refused["output_ResponseTransactionStatus"], "Failed");
    assert_eq!(refused["output_OriginalTransactionID"], "N/A");
    is(&world.ask("POST", "b2bPayment/", &b2b("C", "123456")).await, 201, "INS-0");
    assert_eq!(world.balance("org:123456"), 50_000);
    assert_eq!(world.balance("float"), 10_000);
    assert_eq!(world.moved(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_is_reversed_once_and_the_query_shows_it() {
    let world = world(options(), no_faults()).await;
    let first = receipt(&world.collect(&c2b("A", MSISDN, "100")).await);
    let answer = world.ask("PUT", "reversal/", &reversal("B", &first)).await;
    is(&answer, 201, "INS-0");
    assert_ne!(receipt(&answer), first);
    assert_eq!(world.balance(MSISDN), 1_000_000_000);
    assert_eq!(world.query("A").await.json()["output_Reversed"], "True");
    assert_eq!(world.query("B").await.json()["output_OriginalTransactionID"], receipt(&answer));
    let movement = &world.simulator.books().movements[1];
    assert_eq!((movement.operation.as_str(), &movement.takes_back), ("reverse", &first));
    assert_eq!(movement.party, MSISDN);
    is(&world.ask("PUT", "reversal/", &reversal("C", &first)).await, 401, "INS-6");
    is(&world.ask("PUT", "reversal/", &reversal("D", "ZZZZZZZZZZ")).await, 400, "INS-35");
    is(&world.ask("PUT", "reversal/", &reversal("E", "not-a-receipt")).await, 400, "INS-18");
    is(&world.ask("POST", "reversal/", &reversal("F", &first)).await, 404, "");
    // A payout that the customer has spent cannot come back; a part of a collection can.
    let paid = receipt(&world.ask("POST", "b2cPayment/", &b2c("G", MSISDN, "50")).await);
    world.collect(&c2b("H", MSISDN, "10000050")).await;
    is(&world.ask("PUT", "reversal/", &reversal("I", &paid)).await, 422, "INS-2006");
    let second = receipt(&world.collect(&c2b("J", "255700000002", "100")).await);
    let mut part = reversal("K", &second);
    part["input_ReversalAmount"] = json!("100.01");
    is(&world.ask("PUT", "reversal/", &part).await, 400, "INS-15");
    part["input_ThirdPartyConversationID"] = json!("L");
    part["input_ReversalAmount"] = json!("25.50");
    is(&world.ask("PUT", "reversal/", &part).await, 201, "INS-0");
    assert_eq!(world.balance("255700000002"), 1_000_000_000 - 7_450);
    world.moved();
}

#[tokio::test(start_paused = true)]
async fn a_used_id_is_a_duplicate_for_every_operation() {
    let world = world(options(), no_faults()).await;
    is(&world.collect(&c2b(ID, MSISDN, "5")).await, 201, "INS-0");
    let again = world.collect(&c2b(ID, MSISDN, "5")).await;
    is(&again, 409, "INS-10");
    assert_eq!(receipt(&again), "N/A");
    is(&world.ask("POST", "b2cPayment/", &b2c(ID, MSISDN, "5")).await, 409, "INS-10");
    assert_eq!(world.moved(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_field_is_held_to_its_pattern_and_refused_with_its_code() {
    let world = world(options(), no_faults()).await;
    for (field, value, expected) in [
        ("input_Amount", json!("-5"), "INS-15"),
        ("input_Amount", json!("1e3"), "INS-15"),
        ("input_Amount", json!("1,000"), "INS-15"),
        ("input_Amount", json!("5.005"), "INS-15"),
        ("input_Amount", json!("0.00"), "INS-15"),
        ("input_Amount", json!("99999999999999999999"), "INS-15"),
        ("input_Amount", json!(5), "INS-21"),
        ("input_CustomerMSISDN", json!("+255700000001"), "INS-2051"),
        ("input_CustomerMSISDN", json!("25570000000"), "INS-2051"),
        ("input_Country", json!("TZA"), "INS-21"),
        ("input_Currency", json!("KES"), "INS-26"),
        ("input_ServiceProviderCode", json!("111111"), "INS-13"),
        ("input_ServiceProviderCode", json!("00"), "INS-13"),
        ("input_TransactionReference", json!("LOAN-417"), "INS-17"),
        ("input_TransactionReference", json!("x".repeat(21)), "INS-17"),
        ("input_ThirdPartyConversationID", json!("0f2d7c1a-5b3e"), "INS-28"),
        ("input_ThirdPartyConversationID", json!("x".repeat(41)), "INS-28"),
        ("input_PurchasedItemsDesc", json!("Instalment 3, late"), "INS-30"),
        ("input_PurchasedItemsDesc", Value::Null, "INS-20"),
        ("input_TransactionReference", json!(["a"]), "INS-21"),
    ] {
        let mut body = c2b(ID, MSISDN, "5");
        body[field] = value;
        let answer = world.collect(&body).await;
        is(&answer, 400, expected);
        assert_eq!(receipt(&answer), "N/A");
    }
    let mut body = b2c(ID, MSISDN, "5");
    body["input_PaymentItemsDesc"] = json!("Loan #1");
    is(&world.ask("POST", "b2cPayment/", &body).await, 400, "INS-31");
    for body in ["", "[]", "{\"input_Amount\":", "<html>"] {
        let path = "vodacomTZN/c2bPayment/singleStage/";
        is(&world.send("POST", path, &world.bearer, body).await, 400, "INS-21");
    }
    is(&world.query("A-B").await, 400, "INS-21");
    is(&world.query("NEVERSEEN").await, 400, "INS-23");
    assert_eq!(world.moved(), 0);
    is(&world.collect(&c2b(ID, MSISDN, ".5")).await, 201, "INS-0");
}

#[tokio::test(start_paused = true)]
async fn the_lenient_mode_takes_numbers_and_queries_in_bodies() {
    let world = world(Options { strict: false, ..options() }, no_faults()).await;
    let mut body = c2b(ID, MSISDN, "5");
    body["input_Amount"] = json!(5);
    let paid = world.collect(&body).await;
    is(&paid, 201, "INS-0");
    let query = json!({
        "input_QueryReference": ID,
        "input_Country": "TZN",
        "input_ServiceProviderCode": "000000",
        "input_ThirdPartyConversationID": "QS1",
    });
    is(&world.ask("GET", "queryTransactionStatus/", &query).await, 200, "INS-0");
    is(&world.ask("POST", "reversal/", &reversal("R", &receipt(&paid))).await, 201, "INS-0");
}

#[tokio::test(start_paused = true)]
async fn a_path_without_its_slash_or_in_another_environment_is_not_found() {
    let world = world(options(), no_faults()).await;
    for path in ["c2bPayment/singleStage", "getSession", "unknown/", "c2bPayment/"] {
        assert_eq!(world.ask("POST", path, &c2b(ID, MSISDN, "5")).await.status, 404, "{path}");
    }
    let path = "/openapi/ipg/v2/vodacomTZN/c2bPayment/singleStage/";
    assert_eq!(call(&world.router, "POST", path, &[], "").await.status, 404);
    let body = c2b(ID, MSISDN, "5").to_string();
    let elsewhere = "vodafoneGHA/c2bPayment/singleStage/";
    is(&world.send("POST", elsewhere, &world.bearer, &body).await, 400, "INS-998");
    is(&world.send("GET", "vodafoneGHA/getSession/", &world.bearer, "").await, 400, "INS-998");
}

#[tokio::test(start_paused = true)]
async fn origin_products_and_hours_are_enforced() {
    let open = Options { origin: Some("mfi.example".into()), ..options() };
    let world_open = world(open, no_faults()).await;
    is(&world_open.collect(&c2b(ID, MSISDN, "5")).await, 201, "INS-0");
    let path = "/sandbox/ipg/v2/vodacomTZN/c2bPayment/singleStage/";
    let foreign = [("authorization", world_open.bearer.as_str()), ("origin", "evil.example")];
    let body = c2b("B", MSISDN, "5").to_string();
    assert_eq!(call(&world_open.router, "POST", path, &foreign, &body).await.status, 403);

    let disabled = ["b2cPayment".to_owned()].into();
    let without = world(Options { disabled, ..options() }, no_faults()).await;
    is(&without.ask("POST", "b2cPayment/", &b2c(ID, MSISDN, "5")).await, 400, "INS-997");
    is(&without.collect(&c2b(ID, MSISDN, "5")).await, 201, "INS-0");

    // It is 12:30 in Dar es Salaam.
    for (hours, expected) in [((8, 12), "INS-996"), ((8, 13), "INS-0"), ((22, 6), "INS-996")] {
        let timed = world(Options { hours: Some(hours), ..options() }, no_faults()).await;
        let answer = timed.collect(&c2b(ID, MSISDN, "5")).await;
        assert_eq!(code(&answer).1, expected, "{hours:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn limits_of_the_session_block_it_and_those_of_a_customer_do_not() {
    let with = |limits: Limits| world(Options { limits, ..options() }, no_faults());
    let count = with(Limits { session_count_max: Some(2), ..Limits::default() }).await;
    for (id, expected) in [("A", "INS-0"), ("B", "INS-0"), ("C", "INS-993"), ("D", "INS-993")] {
        assert_eq!(code(&count.collect(&c2b(id, MSISDN, "5")).await).1, expected);
    }
    let body = c2b("C", MSISDN, "5").to_string();
    let fresh = count.session().await;
    let path = "vodacomTZN/c2bPayment/singleStage/";
    is(&count.send("POST", path, &fresh, &body).await, 201, "INS-0");

    let value = with(Limits { session_minor_max: Some(1_000), ..Limits::default() }).await;
    is(&value.collect(&c2b("A", MSISDN, "6")).await, 201, "INS-0");
    is(&value.collect(&c2b("B", MSISDN, "6")).await, 400, "INS-994");
    let single = with(Limits { single_minor_max: Some(1_000), ..Limits::default() }).await;
    is(&single.collect(&c2b("A", MSISDN, "10.01")).await, 400, "INS-995");
    is(&single.collect(&c2b("B", MSISDN, "1")).await, 400, "INS-995");

    let limits = Limits { customer_count_max: Some(1), ..Limits::default() };
    let customer =
        world(Options { limits, session_lifetime_ms: 200_000_000, ..options() }, no_faults()).await;
    is(&customer.collect(&c2b("A", MSISDN, "1")).await, 201, "INS-0");
    is(&customer.collect(&c2b("B", MSISDN, "1")).await, 400, "INS-991");
    is(&customer.collect(&c2b("C", "255700000002", "1")).await, 201, "INS-0");
    tokio::time::sleep(Duration::from_hours(24)).await;
    is(&customer.collect(&c2b("D", MSISDN, "1")).await, 201, "INS-0");
    let limits =
        Limits { customer_minor_max: Some(100), customer_count_max: Some(0), ..Limits::default() };
    let both = with(limits).await;
    is(&both.collect(&c2b("A", MSISDN, "2")).await, 400, "INS-992");
    assert_eq!(both.moved(), 0);
}

#[tokio::test(start_paused = true)]
async fn every_magic_number_gives_its_outcome_when_switched_on() {
    let on = || Options { triggers: true, ..options() };
    let world_on = world(on(), no_faults()).await;
    for (number, status, expected) in [
        (1, 201, "INS-0"),
        (2, 408, "INS-9"),
        (3, 408, "INS-9"),
        (4, 401, "INS-6"),
        (5, 400, "INS-1"),
        (6, 401, "INS-6"),
        (7, 400, "INS-15"),
        (8, 422, "INS-2006"),
        (9, 503, ""),
    ] {
        let body = c2b(&format!("C{number}"), &format!("00000000000{number}"), "5");
        is(&world_on.collect(&body).await, status, expected);
    }
    for (number, status, expected) in [
        (1, 201, "INS-0"),
        (2, 400, "INS-1"),
        (3, 401, "INS-6"),
        (4, 408, "INS-9"),
        (5, 400, "INS-15"),
        (6, 422, "INS-2006"),
        (7, 503, ""),
        (8, 400, "INS-999"),
    ] {
        let body = b2c(&format!("D{number}"), &format!("00000000000{number}"), "5");
        is(&world_on.ask("POST", "b2cPayment/", &body).await, status, expected);
        let body = b2b(&format!("E{number}"), &format!("00000{number}"));
        is(&world_on.ask("POST", "b2bPayment/", &body).await, status, expected);
    }
    for (number, status, expected) in [
        (1, 201, "INS-0"),
        (2, 400, "INS-1"),
        (3, 401, "INS-6"),
        (4, 400, "INS-15"),
        (5, 422, "INS-2006"),
        (6, 400, "INS-35"),
        (7, 503, ""),
    ] {
        let body = reversal(&format!("R{number}"), &format!("000000000000{number}"));
        is(&world_on.ask("PUT", "reversal/", &body).await, status, expected);
    }
    for (reference, status, expected) in [
        ("000000000001", 200, "INS-0"),
        ("000000000002", 400, "INS-1"),
        ("000000000003", 401, "INS-6"),
        ("000000000007", 503, ""),
        ("000000000000000000001", 200, "INS-0"),
        ("000000000000000000002", 400, "INS-23"),
        ("000000000000000000003", 400, "INS-1"),
        ("000000000000000000004", 401, "INS-6"),
        ("000000000000000000005", 503, ""),
    ] {
        is(&world_on.query(reference).await, status, expected);
    }
    assert_eq!(world_on.query("000000000000000000001").await.json()["output_Reversed"], "True");
    assert_eq!(world_on.moved(), 3, "only the successes moved money");
    let off = world(options(), no_faults()).await;
    is(&off.collect(&c2b("A", "000000000008", "5")).await, 201, "INS-0");
    let other = Options { unavailable_as_503: false, ..on() };
    let other = world(other, no_faults()).await;
    is(&other.collect(&c2b("A", "000000000009", "5")).await, 400, "INS-1");
}

#[tokio::test(start_paused = true)]
async fn an_asynchronous_market_accepts_first_and_posts_the_result() {
    let world = world(asynchronous(), no_faults()).await;
    world.mailbox.answer("/result", 200, r#"{"output_ResponseCode":"0"}"#);
    let accepted = world.collect(&c2b(ID, MSISDN, "5")).await;
    is(&accepted, 201, "INS-0");
    assert!(accepted.json().get("output_TransactionID").is_none());
    assert_eq!(world.query(ID).await.json()["output_ResponseTransactionStatus"], "Pending");
    is(&world.collect(&c2b(ID, MSISDN, "5")).await, 409, "INS-10");
    settle().await;
    let received = world.mailbox.received();
    assert_eq!(received.len(), 1);
    assert_eq!((received[0].method.as_str(), received[0].url.as_str()), ("POST", RESULT));
    let body = &received[0].body;
    assert_eq!(body["input_OriginalConversationID"], accepted.json()["output_ConversationID"]);
    assert_eq!(body["input_ThirdPartyConversationID"], ID);
    assert_eq!(body["input_ResultCode"], "INS-0");
    let found = world.query(ID).await.json();
    assert_eq!(found["output_OriginalTransactionID"], body["input_TransactionID"]);
    assert_eq!(world.simulator.wrong_acknowledgements(), 0);
    world.collect(&c2b("POOR", MSISDN, "10000000")).await;
    settle().await;
    let refused = &world.mailbox.received()[1].body;
    assert_eq!(refused["input_ResultCode"], "INS-2006");
    assert_eq!(refused["input_TransactionID"], "N/A");
    assert_eq!(world.moved(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_acknowledgement_is_counted_and_a_missing_one_retried() {
    let lesotho = Options { success_code: "0".into(), ..asynchronous() };
    let world = world(lesotho, no_faults()).await;
    world.mailbox.answer("/result", 200, "{}");
    world.collect(&c2b("A", MSISDN, "5")).await;
    settle().await;
    assert_eq!(world.mailbox.received().len(), 1);
    assert_eq!(world.mailbox.received()[0].body["input_ResultCode"], "0");
    let counted = call(&world.router, "GET", "/_sim/acknowledgements", &[], "").await;
    assert_eq!(counted.json(), json!({ "wrong": 1 }));
    world.mailbox.answer("/result", 500, "");
    world.collect(&c2b("B", MSISDN, "5")).await;
    settle().await;
    assert_eq!(world.mailbox.received().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn queries_can_be_answered_by_callback_too() {
    let options = Options { asynchronous_queries: true, ..asynchronous() };
    let world = world(options, no_faults()).await;
    world.collect(&c2b(ID, MSISDN, "5")).await;
    settle().await;
    let accepted = world.query(ID).await;
    is(&accepted, 200, "INS-0");
    assert!(accepted.json().get("output_ResponseTransactionStatus").is_none());
    settle().await;
    let body = world.mailbox.received().pop().unwrap().body;
    assert_eq!(body["input_OriginalConversationID"], accepted.json()["output_ConversationID"]);
    assert_eq!(body["input_OriginalTransactionID"], world.simulator.books().movements[0].receipt);
    assert_eq!(body["input_Reversed"], "False");
}

#[tokio::test(start_paused = true)]
async fn a_beneficiary_has_a_name() {
    let world = world(Options { opening_balance_minor: None, ..options() }, no_faults()).await;
    world.simulator.open_wallet(MSISDN, 0);
    let ask = async |msisdn: &str, kind: &str| {
        let query = format!(
            "queryBeneficiaryName/?input_CustomerMSISDN={msisdn}&input_Country=TZN\
             &input_ServiceProviderCode=000000&input_ThirdPartyConversationID=QN1\
             &input_KycQueryType={kind}"
        );
        world.ask("GET", &query, &Value::Null).await
    };
    let found = ask(MSISDN, "Name").await;
    is(&found, 200, "INS-0");
    assert!(found.json()["output_CustomerFirstName"].is_string());
    is(&ask(MSISDN, "Age").await, 400, "INS-32");
    is(&ask("255799999999", "Name").await, 400, "INS-2051");
    is(&world.collect(&c2b(ID, "255799999999", "5")).await, 400, "INS-2051");
}

#[tokio::test(start_paused = true)]
async fn lesotho_takes_eleven_digits_and_its_own_words() {
    let options = Options { market: Market::VodacomLes, ..options() };
    let mut world = closed(options, no_faults());
    let key = encrypt(&world.simulator, &Options::default().api_key);
    let session = world.send("GET", "vodacomLES/getSession/", &key, "").await.json();
    world.bearer = encrypt(&world.simulator, session["output_SessionID"].as_str().unwrap());
    let mut body = c2b(ID, "26657000001", "5");
    body["input_Country"] = json!("LES");
    body["input_Currency"] = json!("LSL");
    let path = "vodacomLES/c2bPayment/singleStage/";
    is(&world.send("POST", path, &world.bearer, &body.to_string()).await, 201, "INS-0");
}

fn paybill(mut options: Options) -> Options {
    options.paybill.notify_base = Some("http://127.0.0.1:1/n/".to_owned());
    options
}

#[tokio::test(start_paused = true)]
async fn a_payment_at_the_wallet_is_validated_moved_and_confirmed() {
    let world = world(paybill(options()), no_faults()).await;
    let accepted = r#"{"ResultCode":"0","ResultDesc":"Accepted","ThirdPartyTransID":"V-1"}"#;
    world.mailbox.answer("/validation", 200, accepted);
    world.mailbox.answer("/confirmation", 200, r#"{"ResultCode":0,"ResultDesc":"Success"}"#);
    let receipt = world.simulator.pay(MSISDN, 150_000, "ln 00417").await.unwrap();
    settle().await;
    let received = world.mailbox.received();
    assert_eq!(received[0].url, "http://127.0.0.1:1/n/validation");
    assert_eq!(received[1].url, "http://127.0.0.1:1/n/confirmation");
    let confirmed = &received[1].body;
    assert_eq!(confirmed["TransID"], receipt);
    assert_eq!(confirmed["TransAmount"], "1500.00");
    assert_eq!(confirmed["TransTime"], "20260301123000");
    assert_eq!(confirmed["BillRefNumber"], "ln 00417");
    assert_eq!(confirmed["MSISDN"], "2557 ***** 001");
    assert_eq!(confirmed["ThirdPartyTransID"], "V-1");
    assert_eq!(confirmed["OrgAccountBalance"], "10000001500.00");
    assert_eq!(received[0].body["OrgAccountBalance"], "");
    assert_eq!(received[0].body["TransID"], receipt);
    assert_eq!(world.query(&receipt).await.json()["output_ResponseTransactionStatus"], "Completed");
    let movement = &world.simulator.books().movements[0];
    assert_eq!((movement.operation.as_str(), movement.label.as_str()), ("payment", "ln 00417"));
    assert_eq!(world.simulator.wrong_acknowledgements(), 0);
    let reversed = world.ask("PUT", "reversal/", &reversal("R", &receipt)).await;
    is(&reversed, 201, "INS-0");
    assert_eq!(world.balance(MSISDN), 1_000_000_000);
    world.moved();
}

#[tokio::test(start_paused = true)]
async fn a_validator_turns_payments_away_and_silence_has_a_default() {
    let world_with = async |unanswered: Unanswered| {
        let mut options = paybill(options());
        options.paybill.unanswered = unanswered;
        options.paybill.msisdn = MsisdnForm::Hashed;
        world(options, no_faults()).await
    };
    let world = world_with(Unanswered::Completed).await;
    world.mailbox.answer("/validation", 200, r#"{"ResultCode":"C2B00012"}"#);
    let refused = world.simulator.pay(MSISDN, 500, "WRONG").await;
    assert_eq!(refused, Err(PaymentRefused::TurnedAway("C2B00012".into())));
    assert_eq!(world.moved(), 0);
    world.mailbox.answer("/validation", 500, "");
    assert!(world.simulator.pay(MSISDN, 500, "S1").await.is_ok());
    settle().await;
    assert_eq!(world.moved(), 1);
    assert_eq!(world.mailbox.received()[1].body["MSISDN"].as_str().unwrap().len(), 64);
    let world = world_with(Unanswered::Cancelled).await;
    world.mailbox.answer("/validation", 200, "not json");
    assert!(world.simulator.pay(MSISDN, 500, "S1").await.is_err());
    assert_eq!(
        world.simulator.pay(MSISDN, i64::MAX, "S1").await,
        Err(PaymentRefused::InsufficientFunds)
    );
    assert_eq!(world.simulator.pay(MSISDN, -1, "S1").await, Err(PaymentRefused::InvalidAmount));
    assert_eq!(world.moved(), 0);
}

#[tokio::test(start_paused = true)]
async fn faults_of_the_answer_do_what_they_say_and_the_query_agrees_with_the_books() {
    for (fault, executed, cut) in [
        (Fault::ResetBefore, false, true),
        (Fault::ErrorBefore, false, false),
        (Fault::ResetAfter, true, true),
        (Fault::ErrorAfter, true, false),
        (Fault::HtmlAfter, true, false),
    ] {
        for operation in ["collect", "pay_out"] {
            let world = world(options(), always(operation, fault)).await;
            let answer = if operation == "collect" {
                world.collect(&c2b(ID, MSISDN, "5")).await
            } else {
                world.ask("POST", "b2cPayment/", &b2c(ID, MSISDN, "5")).await
            };
            assert_eq!(answer.cut, cut, "{fault:?}");
            assert!(cut || answer.status >= 500, "{fault:?}");
            assert_eq!(world.moved(), usize::from(executed), "{fault:?}");
            assert_eq!(code(&world.query(ID).await).1, if executed { "INS-0" } else { "INS-23" });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_customer_who_answers_late_pays_though_the_client_has_gone() {
    let world = Arc::new(world(Options { delay_ms: 90_000, ..options() }, no_faults()).await);
    let patience = Duration::from_secs(30);
    let body = c2b(ID, MSISDN, "5");
    assert!(tokio::time::timeout(patience, world.collect(&body)).await.is_err());
    is(&world.query(ID).await, 400, "INS-23");
    tokio::time::sleep(Duration::from_secs(90)).await;
    assert_eq!(world.query(ID).await.json()["output_ResponseTransactionStatus"], "Completed");
    assert_eq!(world.moved(), 1);
}

#[tokio::test(start_paused = true)]
async fn results_are_lost_doubled_early_late_and_forged() {
    for (fault, count) in [
        (Fault::CallbackLost, 0),
        (Fault::CallbackTwice, 2),
        (Fault::CallbackEarly, 1),
        (Fault::CallbackLate, 1),
        (Fault::CallbackForged, 2),
    ] {
        let world = world(asynchronous(), always("collect", fault)).await;
        let start = tokio::time::Instant::now();
        world.collect(&c2b(ID, MSISDN, "5")).await;
        assert_eq!(world.mailbox.received().len(), usize::from(fault == Fault::CallbackEarly));
        settle().await;
        let received = world.mailbox.received();
        assert_eq!(received.len(), count, "{fault:?}");
        if fault == Fault::CallbackLate {
            assert!(received[0].at - start >= Duration::from_secs(2));
        }
        if fault == Fault::CallbackForged {
            assert_eq!(received[0].body["input_ResultCode"], "INS-6");
            assert_eq!(received[1].body["input_ResultCode"], "INS-0");
            let both = [&received[0].body, &received[1].body];
            assert!(both.iter().all(|body| body["input_ThirdPartyConversationID"] == ID));
        }
        assert_eq!(world.moved(), 1, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_forged_confirmation_names_a_receipt_that_nobody_gave() {
    let faults = always("payment", Fault::CallbackForged);
    let world = world(paybill(options()), faults).await;
    let receipt = world.simulator.pay(MSISDN, 500, "S1").await.unwrap();
    settle().await;
    let received = world.mailbox.received();
    let confirmed: Vec<_> = received.iter().filter(|c| c.url.ends_with("/confirmation")).collect();
    assert_eq!(confirmed.len(), 2);
    let invented = confirmed[0].body["TransID"].as_str().unwrap();
    assert_ne!(invented, receipt);
    assert_eq!(confirmed[1].body["TransID"], receipt);
    is(&world.query(invented).await, 400, "INS-23");
    assert_eq!(world.moved(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_operation_is_not_found_at_first_and_a_status_can_puzzle() {
    let lagging = world(options(), always("inquire", Fault::IndexingLag)).await;
    lagging.collect(&c2b(ID, MSISDN, "5")).await;
    let absent = lagging.query(ID).await;
    is(&absent, 400, "INS-23");
    assert!(absent.json().get("output_TransactionID").is_none());
    tokio::time::sleep(Duration::from_secs(2)).await;
    is(&lagging.query(ID).await, 200, "INS-0");
    let strange = world(options(), always("inquire", Fault::UnknownStatus)).await;
    strange.collect(&c2b(ID, MSISDN, "5")).await;
    let found = strange.query(ID).await.json();
    assert_eq!(found["output_ResponseTransactionStatus"], "Ambiguous");
    let refusing = world(options(), always("collect", Fault::CustomerRefuses)).await;
    let refused = refusing.collect(&c2b(ID, MSISDN, "5")).await;
    assert!(["INS-6", "INS-2006"].contains(&code(&refused).1.as_str()));
    let found = refusing.query(ID).await.json()["output_ResponseTransactionStatus"].clone();
    assert!([json!("Cancelled"), json!("Failed")].contains(&found), "{found}");
    assert_eq!(refusing.moved(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_same_story_gives_the_same_receipts() {
    let mut told = Vec::new();
    for _ in 0..2 {
        let world = world(options(), no_faults()).await;
        let answer = world.collect(&c2b(ID, MSISDN, "5")).await;
        told.push((answer.text, world.simulator.books()));
    }
    assert_eq!(told[0], told[1]);
}
