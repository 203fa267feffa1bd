//! Faults, and steering the simulator over HTTP.

use std::time::Duration;

use kiungo_simulator::control::Provider as _;
use kiungo_simulator::faults::Fault;
use kiungo_simulator::testing::{always, call, settle};
use kiungo_simulator_gsma::options::{Flow, Options};

use super::{ID, MSISDN, world, world_with};

#[tokio::test(start_paused = true)]
async fn faults_of_the_answer_do_what_they_say_and_the_books_know() {
    for (fault, executed, cut) in [
        (Fault::ResetBefore, false, true),
        (Fault::ErrorBefore, false, false),
        (Fault::ResetAfter, true, true),
        (Fault::ErrorAfter, true, false),
        (Fault::HtmlAfter, true, false),
    ] {
        let options = Options { flow: Flow::Synchronous, ..Options::default() };
        let world = world_with(options, always("collect", fault));
        let answer = world.collect(ID, "5").await;
        assert_eq!(answer.cut, cut, "{fault:?}");
        assert!(cut || answer.status >= 500, "{fault:?}");
        assert_eq!(world.moved(), usize::from(executed), "{fault:?}");
        let found = world.get(&format!("/responses/{ID}")).await.status;
        assert_eq!(found, if executed { 200 } else { 404 }, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn callbacks_are_lost_doubled_early_late_and_forged() {
    for (fault, count) in [
        (Fault::CallbackLost, 0),
        (Fault::CallbackTwice, 2),
        (Fault::CallbackEarly, 1),
        (Fault::CallbackLate, 1),
        (Fault::CallbackForged, 2),
    ] {
        let world = world_with(Options::default(), always("collect", fault));
        let start = tokio::time::Instant::now();
        world.collect(ID, "5").await;
        assert_eq!(world.mailbox.received().len(), usize::from(fault == Fault::CallbackEarly));
        settle().await;
        let received = world.mailbox.received();
        assert_eq!(received.len(), count, "{fault:?}");
        assert_eq!(world.moved(), 1, "{fault:?}");
        if fault == Fault::CallbackLate {
            assert!(received[0].at - start >= Duration::from_secs(2));
        }
        if fault == Fault::CallbackForged {
            assert_eq!(received[0].body["errorCode"], "requestDeclined");
            assert_eq!(received[0].headers["x-correlationid"], ID);
            assert_eq!(received[1].body["transactionStatus"], "completed");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_forged_failure_claims_success_and_a_forged_payment_names_no_real_receipt() {
    let world = world_with(Options::default(), always("collect", Fault::CallbackForged));
    world.collect(ID, "999999999").await;
    settle().await;
    let received = world.mailbox.received();
    assert_eq!(received[0].body["transactionStatus"], "completed");
    assert_eq!(received[1].body["errorCode"], "insufficientFunds");
    let notify_base = Some("http://127.0.0.1:1/n/".to_owned());
    let world = world_with(
        Options { notify_base, ..Options::default() },
        always("payment", Fault::CallbackForged),
    );
    let receipt = world.simulator.pay(MSISDN, 500, "SAV17").await.unwrap();
    settle().await;
    let received = world.mailbox.received();
    assert_eq!(received[1].body["transactionReference"], receipt);
    let invented = received[0].body["transactionReference"].as_str().unwrap();
    assert_ne!(invented, receipt);
    assert_eq!(world.get(&format!("/transactions/{invented}")).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn a_callback_that_is_not_accepted_is_sent_again() {
    let world = world(Flow::Callback);
    world.mailbox.answer("/9d1k", 500, "");
    world.collect(ID, "5").await;
    settle().await;
    assert_eq!(world.mailbox.received().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_honest_refusal_moves_nothing_and_inquiries_lag_and_puzzle() {
    let options = || Options { flow: Flow::Synchronous, ..Options::default() };
    let world = world_with(options(), always("collect", Fault::CustomerRefuses));
    let refused = world.collect(ID, "5").await;
    let code = refused.json()["errorCode"].as_str().unwrap().to_owned();
    assert!(["requestDeclined", "insufficientFunds"].contains(&code.as_str()), "{code}");
    assert_eq!(world.moved(), 0);

    let world = world_with(options(), always("inquire", Fault::IndexingLag));
    let reference = world.collect(ID, "5").await.json()["transactionReference"].clone();
    let path = format!("/transactions/{}", reference.as_str().unwrap());
    assert_eq!(world.get(&path).await.status, 404);
    assert_eq!(world.get(&format!("/responses/{ID}")).await.status, 404);
    settle().await;
    assert_eq!(world.get(&path).await.status, 200);

    let world = world_with(options(), always("inquire", Fault::UnknownStatus));
    let reference = world.collect(ID, "5").await.json()["transactionReference"].clone();
    let found = world.get(&format!("/transactions/{}", reference.as_str().unwrap())).await;
    assert_eq!(found.json()["transactionStatus"], "underreview");
}

#[tokio::test(start_paused = true)]
async fn the_simulator_is_steered_over_http() {
    let world = world(Flow::Synchronous);
    let call = async |method: &str, path: &str, body: &str| {
        call(&world.router, method, path, &[("content-type", "application/json")], body).await
    };
    let wallet = r#"{"msisdn":"255711111111","balance_minor":5000}"#;
    assert_eq!(call("POST", "/_sim/wallets", wallet).await.status, 201);
    let payment = r#"{"msisdn":"255711111111","amount_minor":1500,"account_reference":"S1"}"#;
    let paid = call("POST", "/_sim/payments", payment).await;
    assert_eq!(paid.status, 201);
    let books = call("GET", "/_sim/books", "").await.json();
    assert_eq!(books["balances"]["255711111111"], 3_500);
    assert_eq!(books["movements"][0]["receipt"], paid.json()["receipt"]);
    let plan = r#"{"seed":9,"rates":{"collect":{"reset_after":10000}}}"#;
    assert_eq!(call("PUT", "/_sim/faults", plan).await.status, 200);
    assert_eq!(call("GET", "/_sim/faults", "").await.json()["seed"], 9);
    assert!(world.collect(ID, "5").await.cut);
}

#[tokio::test(start_paused = true)]
async fn a_gateways_refusal_is_not_in_the_providers_form_and_does_nothing() {
    let options = Options { flow: Flow::Synchronous, ..Options::default() };
    let world = world_with(options, always("collect", Fault::GatewayRefuses));
    let mut seen = std::collections::BTreeSet::new();
    for number in 1..=9 {
        let id = format!("0f2d7c1a-5b3e-4c8f-9a61-00000000000{number}");
        let refused = world.collect(&id, &number.to_string()).await;
        assert!(refused.json().get("errorCode").is_none(), "{}", refused.text);
        seen.insert(refused.status);
    }
    assert_eq!(Vec::from_iter(seen), [403, 429]);
    assert_eq!(world.moved(), 0);
}
