//! Operations that move money.

use kiungo_simulator::control::Provider as _;
use kiungo_simulator::testing::{call, no_faults};
use kiungo_simulator_mpesa::options::Options;
use serde_json::json;

use super::{ID, MSISDN, b2b, b2c, c2b, is, options, receipt, reversal, world};

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
async fn the_same_story_gives_the_same_receipts() {
    let mut told = Vec::new();
    for _ in 0..2 {
        let world = world(options(), no_faults()).await;
        let answer = world.collect(&c2b(ID, MSISDN, "5")).await;
        told.push((answer.text, world.simulator.books()));
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test(start_paused = true)]
async fn a_reversal_by_the_operator_shows_up_later() {
    let world = world(options(), no_faults()).await;
    let first = receipt(&world.collect(&c2b("A", MSISDN, "100")).await);
    assert_eq!(world.query("A").await.json()["output_Reversed"], "False");
    let body = json!({ "receipt": first }).to_string();
    let json_type = [("content-type", "application/json")];
    let reverse = async || call(&world.router, "POST", "/_sim/reversals", &json_type, &body).await;
    let answer = reverse().await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let found = world.query("A").await.json();
    assert_eq!(found["output_Reversed"], "True");
    assert_eq!(found["output_ResponseTransactionStatus"], "Completed");
    assert_eq!(found["output_OriginalTransactionID"], first);
    assert_eq!(world.balance(MSISDN), 1_000_000_000);
    let movement = &world.simulator.books().movements[1];
    assert_eq!((&movement.takes_back, movement.reference.as_str()), (&first, ""));
    assert_eq!((reverse().await.status, world.simulator.reverse("NONE")), (422, Err("INS-35")));
    assert_eq!(world.moved(), 2);
}
