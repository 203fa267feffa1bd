//! The three flows, and what becomes of a request.

use std::time::Duration;

use kiungo_simulator::control::Provider as _;
use kiungo_simulator::faults::Fault;
use kiungo_simulator::testing::{always, call, no_faults, settle};
use kiungo_simulator_gsma::options::{Flow, LinkForm, Options, WhilePending};
use serde_json::json;

use super::{BASE, CALLBACK, ID, MSISDN, OTHER, error, expected, payout, world, world_with};

#[tokio::test(start_paused = true)]
async fn a_synchronous_collection_moves_money_and_answers_with_the_object() {
    let world = world(Flow::Synchronous);
    let answer = world.collect(ID, "125.5").await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8");
    assert!(answer.headers.contains_key("x-date"));
    let body = answer.json();
    assert_eq!(body["transactionStatus"], "completed");
    assert_eq!(body["type"], "merchantpay");
    assert_eq!(body["amount"], "125.5");
    assert_eq!(body["creditParty"], json!([{ "key": "accountid", "value": "4400" }]));
    assert_eq!(body["creationDate"], "2026-03-01T09:30:00Z");
    let read = world
        .get(&format!("/transactions/{}", body["transactionReference"].as_str().unwrap()))
        .await;
    assert_eq!(read.json(), body);
    let books = world.simulator.books();
    assert_eq!(books.balances[MSISDN], books.opening[MSISDN] - 12_550);
    assert_eq!(books.balances["float"], books.opening["float"] + 12_550);
    let movement = &books.movements[0];
    assert_eq!((movement.reference.as_str(), movement.operation.as_str()), (ID, "collect"));
    assert_eq!((movement.party.as_str(), movement.label.as_str()), (MSISDN, "LN000417"));
    assert!(world.mailbox.received().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_callback_flow_answers_pending_and_puts_the_object() {
    let world = world(Flow::Requested);
    let answer = world.collect(ID, "125.50").await;
    assert_eq!(answer.status, 202);
    let state = answer.json();
    assert_eq!(
        (&state["status"], &state["notificationMethod"]),
        (&json!("pending"), &json!("callback"))
    );
    assert_eq!(state["pollLimit"], 100);
    assert!(state["objectReference"].is_string());
    assert_eq!(world.moved(), 0);
    settle().await;
    let received = world.mailbox.received();
    assert_eq!(received.len(), 1);
    assert_eq!((received[0].method.as_str(), received[0].url.as_str()), ("PUT", CALLBACK));
    assert_eq!(received[0].headers["x-correlationid"], ID);
    assert_eq!(received[0].body["transactionStatus"], "completed");
    let poll = world
        .get(&format!("/requeststates/{}", state["serverCorrelationId"].as_str().unwrap()))
        .await;
    let poll = poll.json();
    assert_eq!(poll["status"], "completed");
    assert_eq!(poll["objectReference"], received[0].body["transactionReference"]);
    assert_eq!(world.moved(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_callback_address_the_client_polls() {
    let world = world(Flow::Requested);
    let path = format!("{BASE}/transactions/type/disbursement");
    let answer = call(&world.router, "POST", &path, &[], &payout("2000").to_string()).await;
    assert_eq!(answer.json()["notificationMethod"], "polling");
    let state =
        format!("/requeststates/{}", answer.json()["serverCorrelationId"].as_str().unwrap());
    assert_eq!(world.get(&state).await.json()["status"], "pending");
    settle().await;
    let done = world.get(&state).await.json();
    assert_eq!(done["status"], "completed");
    assert_eq!(world.balance(MSISDN), 1_000_000_000 + 200_000);
    assert_eq!(world.simulator.books().movements[0].operation, "pay_out");
    let unknown = world.get(&format!("/requeststates/{OTHER}")).await;
    assert_eq!(error(&unknown), expected(404, "identification", "identifierError"));
}

#[tokio::test(start_paused = true)]
async fn a_failure_arrives_by_callback_and_is_found_under_errors() {
    let world = world(Flow::Callback);
    world.collect(ID, "999999999").await;
    settle().await;
    let received = world.mailbox.received();
    assert_eq!(received[0].body["errorCode"], "insufficientFunds");
    assert!(received[0].body.get("transactionReference").is_none());
    assert_eq!(received[0].headers["x-correlationid"], ID);
    let link = world.get(&format!("/responses/{ID}")).await.json();
    let link = link["link"].as_str().unwrap().to_owned();
    assert!(link.starts_with("/errors/"), "{link}");
    assert_eq!(world.get(&link).await.json(), received[0].body);
    assert_eq!(world.moved(), 0);
}

#[tokio::test(start_paused = true)]
async fn responses_lead_to_the_object_in_either_form_of_link() {
    for (form, while_pending) in
        [(LinkForm::Relative, WhilePending::NotFound), (LinkForm::Absolute, WhilePending::Link)]
    {
        let options =
            Options { link: form, while_pending: Some(while_pending), ..Options::default() };
        let world = world_with(options, no_faults());
        let path = format!("{BASE}/responses/{ID}");
        let ask = || call(&world.router, "GET", &path, &[("host", "sim:1")], "");
        assert_eq!(ask().await.status, 404);
        world.collect(ID, "5").await;
        let pending = ask().await;
        assert_eq!(pending.status, if while_pending == WhilePending::Link { 200 } else { 404 });
        settle().await;
        let link = ask().await.json()["link"].as_str().unwrap().to_owned();
        let root = if form == LinkForm::Absolute { "http://sim:1/v1.2/mm" } else { "" };
        let path = link.strip_prefix(root).unwrap().to_owned();
        assert_eq!(world.get(&path).await.json()["transactionStatus"], "completed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_expires_fails_and_moves_nothing() {
    let options =
        Options { delay_ms: 20_000, expiry_ms: 5_000, flow: Flow::Polling, ..Options::default() };
    let world = world_with(options, no_faults());
    let state = world.collect(ID, "5").await.json();
    let path = format!("/requeststates/{}", state["serverCorrelationId"].as_str().unwrap());
    tokio::time::sleep(Duration::from_secs(6)).await;
    let failed = world.get(&path).await.json();
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["error"]["errorCode"], "requestDeclined");
    assert_eq!(failed["errorReference"], failed["error"]);
    settle().await;
    assert_eq!(world.moved(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_poll_limit_can_be_enforced() {
    let options = Options {
        poll_limit: 2,
        enforce_poll_limit: true,
        flow: Flow::Polling,
        ..Options::default()
    };
    let world = world_with(options, no_faults());
    let state = world.collect(ID, "5").await.json();
    let path = format!("/requeststates/{}", state["serverCorrelationId"].as_str().unwrap());
    assert_eq!(world.get(&path).await.status, 200);
    assert_eq!(world.get(&path).await.status, 200);
    let refused = world.get(&path).await;
    assert_eq!(error(&refused), expected(400, "businessRule", "rateLimitError"));
}

#[tokio::test(start_paused = true)]
async fn the_same_story_gives_the_same_ids() {
    let mut told = Vec::new();
    for _ in 0..2 {
        let world = world(Flow::Requested);
        let state = world.collect(ID, "5").await.text;
        settle().await;
        told.push((state, world.mailbox.received()[0].body.clone(), world.simulator.books()));
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test(start_paused = true)]
async fn an_accepted_request_can_stay_without_an_answer_until_it_expires() {
    let options = Options { expiry_ms: 60_000, ..Options::default() };
    let world = world_with(options, always("collect", Fault::Silence));
    let state = world.collect(ID, "5").await;
    assert_eq!(state.status, 202);
    let path = format!("/requeststates/{}", state.json()["serverCorrelationId"].as_str().unwrap());
    settle().await;
    assert_eq!(world.get(&path).await.json()["status"], "pending");
    settle().await;
    settle().await;
    let failed = world.get(&path).await.json();
    assert_eq!(
        (&failed["status"], &failed["error"]["errorCode"]),
        (&json!("failed"), &json!("requestDeclined"))
    );
    assert!(world.mailbox.received().is_empty());
    assert_eq!(world.moved(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_link_can_name_a_host_that_only_the_provider_knows() {
    let world = world_with(
        Options { flow: Flow::Synchronous, link: LinkForm::Internal, ..Options::default() },
        no_faults(),
    );
    world.collect(ID, "5").await;
    let link = world.get(&format!("/responses/{ID}")).await.json()["link"].to_string();
    assert!(link.starts_with("\"http://mm.internal:8080/v1.2/mm/transactions/REF-"), "{link}");
}
