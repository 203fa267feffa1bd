//! Results of asynchronous operations and queries.

use std::time::Duration;

use kiungo_simulator::control::Provider as _;
use kiungo_simulator::faults::Fault;
use kiungo_simulator::testing::{always, call, no_faults, settle};
use kiungo_simulator_mpesa::options::Options;
use serde_json::json;

use super::{ID, MSISDN, RESULT, asynchronous, c2b, is, world};

#[tokio::test(start_paused = true)]
async fn an_asynchronous_market_accepts_first_and_posts_the_result() {
    let world = world(asynchronous(), no_faults()).await;
    // The same story gives the same conversation: learnt from a first telling.
    let first = super::world(asynchronous(), no_faults()).await;
    let conversation = first.collect(&c2b(ID, MSISDN, "5")).await.json();
    let right = json!({
        "output_OriginalConversationID": conversation["output_ConversationID"],
        "output_ThirdPartyConversationID": ID,
        "output_ResponseCode": "0",
        "output_ResponseDesc": "Successfully Accepted Result",
    });
    world.mailbox.answer("/result", 200, &right.to_string());
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
    // Of something else: wrong too, and tolerated.
    world.mailbox.answer(
        "/result",
        200,
        r#"{"output_ResponseCode":"0","output_ThirdPartyConversationID":"Z"}"#,
    );
    world.collect(&c2b("Z", MSISDN, "5")).await;
    settle().await;
    assert_eq!((world.mailbox.received().len(), world.simulator.wrong_acknowledgements()), (2, 2));
    world.mailbox.answer("/result", 500, "");
    world.collect(&c2b("B", MSISDN, "5")).await;
    settle().await;
    assert_eq!(world.mailbox.received().len(), 5);
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
async fn the_callback_of_a_query_says_also_that_nothing_was_found() {
    let options = Options { asynchronous_queries: true, ..asynchronous() };
    let world = world(options, no_faults()).await;
    is(&world.query("NEVERSEEN").await, 200, "INS-0");
    settle().await;
    let body = world.mailbox.received().pop().unwrap().body;
    assert_eq!(
        (&body["input_ResultCode"], &body["input_TransactionID"]),
        (&json!("INS-23"), &json!("N/A"))
    );
    assert_eq!(body["input_ThirdPartyConversationID"], "QS1");
}
