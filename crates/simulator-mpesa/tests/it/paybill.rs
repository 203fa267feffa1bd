//! Payments that customers start at the wallet.

use kiungo_simulator::control::Provider as _;
use kiungo_simulator::faults::Fault;
use kiungo_simulator::payment::PaymentRefused;
use kiungo_simulator::testing::{always, no_faults, settle};
use kiungo_simulator_mpesa::options::{MsisdnForm, Options, Unanswered};

use super::{MSISDN, is, options, reversal, world};

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
