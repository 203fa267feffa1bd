//! The conduct of a market that no request asks for.

use std::time::Duration;

use kiungo_simulator::control::Provider as _;
use kiungo_simulator::testing::{Answer, no_faults, settle};
use kiungo_simulator_mpesa::options::{Conduct, MsisdnForm, Options};

use super::{ID, MSISDN, World, asynchronous, b2c, c2b, is, options, receipt, world};

const ALWAYS: u16 = 10_000;

async fn with(conduct: Conduct) -> World {
    world(Options { conduct, ..options() }, no_faults()).await
}

async fn later() {
    tokio::time::sleep(Duration::from_secs(61)).await;
    settle().await;
}

fn status(answer: &Answer) -> (String, String) {
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (text("output_ResponseTransactionStatus"), text("output_Reversed"))
}

#[tokio::test(start_paused = true)]
async fn a_collection_may_be_approved_after_it_was_refused() {
    let world = with(Conduct { approved_late: ALWAYS, ..Conduct::default() }).await;
    is(&world.collect(&c2b(ID, MSISDN, "5")).await, 401, "INS-6");
    assert_eq!(status(&world.query(ID).await).0, "Cancelled");
    assert_eq!(world.moved(), 0);
    later().await;
    assert_eq!(status(&world.query(ID).await).0, "Completed");
    assert_eq!(world.moved(), 1);
    // In asynchronous mode it is told.
    let conduct = Conduct { approved_late: ALWAYS, ..Conduct::default() };
    let world = super::world(Options { conduct, ..asynchronous() }, no_faults()).await;
    world.mailbox.answer("/result", 200, "{}");
    world.collect(&c2b(ID, MSISDN, "5")).await;
    later().await;
    let codes: Vec<_> = world
        .mailbox
        .received()
        .iter()
        .map(|letter| letter.body["input_ResultCode"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(codes, ["INS-6", "INS-0"]);
}

#[tokio::test(start_paused = true)]
async fn a_collection_may_be_approved_twice_under_one_id() {
    let world = with(Conduct { approved_twice: ALWAYS, ..Conduct::default() }).await;
    let first = receipt(&world.collect(&c2b(ID, MSISDN, "5")).await);
    later().await;
    let movements = world.simulator.books().movements;
    assert_eq!(movements.len(), 2);
    assert!(movements.iter().all(|movement| movement.reference == ID));
    let second = &movements[1].receipt;
    assert_ne!(*second, first);
    assert_eq!(world.query(ID).await.json()["output_OriginalTransactionID"], first);
    assert_eq!(status(&world.query(second).await).0, "Completed");
}

#[tokio::test(start_paused = true)]
async fn the_operator_may_take_back_later_what_was_completed_and_a_query_shows_it() {
    let world = with(Conduct { reversed_later: ALWAYS, ..Conduct::default() }).await;
    is(&world.ask("POST", "b2cPayment/", &b2c(ID, MSISDN, "5")).await, 201, "INS-0");
    assert_eq!(status(&world.query(ID).await), ("Completed".to_owned(), "False".to_owned()));
    later().await;
    assert_eq!(status(&world.query(ID).await), ("Completed".to_owned(), "True".to_owned()));
    assert_eq!(world.moved(), 2);
}

#[tokio::test(start_paused = true)]
async fn payouts_are_refused_while_the_float_is_said_to_be_empty() {
    let conduct = Conduct { float_empty_ms: Some((0, 3_600_000)), ..Conduct::default() };
    let world =
        world(Options { session_lifetime_ms: 36_000_000, conduct, ..options() }, no_faults()).await;
    is(&world.ask("POST", "b2cPayment/", &b2c("A", MSISDN, "5")).await, 422, "INS-2006");
    is(&world.collect(&c2b("B", MSISDN, "5")).await, 201, "INS-0");
    tokio::time::sleep(Duration::from_hours(1)).await;
    is(&world.ask("POST", "b2cPayment/", &b2c("C", MSISDN, "5")).await, 201, "INS-0");
}

#[tokio::test(start_paused = true)]
async fn a_market_may_execute_a_repeated_id_again_and_charge_for_all_of_it() {
    let conduct = Conduct { deduplicates: false, charge_minor: 50, ..Conduct::default() };
    let world = with(conduct).await;
    let before = world.balance("float");
    for _ in 0..2 {
        is(&world.collect(&c2b(ID, MSISDN, "5")).await, 201, "INS-0");
    }
    assert_eq!(world.balance("float"), before + 2 * (500 - 50));
    assert_eq!(world.balance("charges"), 100);
    let statement = world.simulator.statement(None, None);
    assert_eq!(statement.matches("Pay Utility Charge").count(), 4, "{statement}");
    assert!(statement.contains("-0.50"), "{statement}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_state_another_receipt_than_the_books() {
    let world = with(Conduct { other_receipt: ALWAYS, ..Conduct::default() }).await;
    let stated = receipt(&world.collect(&c2b(ID, MSISDN, "5")).await);
    let booked = world.simulator.books().movements[0].receipt.clone();
    assert_ne!(stated, booked);
    assert_eq!(world.query(ID).await.json()["output_OriginalTransactionID"], booked);
    is(&world.query(&stated).await, 400, "INS-23");
}

async fn notified(conduct: Conduct) -> World {
    let mut options = Options { conduct, ..options() };
    options.paybill.notify_base = Some("http://127.0.0.1:1/".into());
    options.paybill.validation = false;
    options.paybill.msisdn = MsisdnForm::Plain;
    world(options, no_faults()).await
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_may_state_another_amount_and_wallet() {
    let conduct = Conduct { other_amount: ALWAYS, other_wallet: ALWAYS, ..Conduct::default() };
    let world = notified(conduct).await;
    world.simulator.pay(MSISDN, 500, "SV1").await.unwrap();
    settle().await;
    let body = world.mailbox.received().pop().unwrap().body;
    assert_eq!(body["TransAmount"], "6.00");
    assert_eq!(body["MSISDN"], "255700000009");
    assert_eq!(world.simulator.books().movements[0].amount_minor, 500);
}

#[tokio::test(start_paused = true)]
async fn our_own_collection_may_be_told_as_a_payment_with_and_without_reference() {
    for told_with_reference in [true, false] {
        let conduct =
            Conduct { collections_told: ALWAYS, told_with_reference, ..Conduct::default() };
        let world = notified(conduct).await;
        let receipt = receipt(&world.collect(&c2b(ID, MSISDN, "5")).await);
        settle().await;
        let body = world.mailbox.received().pop().unwrap().body;
        assert_eq!(body["TransID"], receipt);
        let (id, label) = if told_with_reference { (ID, "LOAN000417") } else { ("", "") };
        assert_eq!(
            (&body["ThirdPartyTransID"], &body["BillRefNumber"]),
            (&id.into(), &label.into())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_may_become_live_late() {
    let conduct = Conduct { activated_late: ALWAYS, ..Conduct::default() };
    let world = with(conduct).await;
    is(&world.collect(&c2b(ID, MSISDN, "5")).await, 401, "");
    tokio::time::sleep(Duration::from_secs(90)).await;
    is(&world.collect(&c2b(ID, MSISDN, "5")).await, 201, "INS-0");
}
