//! Payments that customers start at the wallet.

use kiungo_simulator::control::Provider as _;
use kiungo_simulator::testing::{no_faults, settle};
use kiungo_simulator_gsma::options::{NotifyForm, Options};
use serde_json::json;

use super::{MSISDN, world_with};

#[tokio::test(start_paused = true)]
async fn a_payment_at_the_wallet_moves_money_and_is_notified() {
    for (form, method, url) in [
        (NotifyForm::Put, "PUT", "http://127.0.0.1:1/n/payments"),
        (NotifyForm::Post, "POST", "http://127.0.0.1:1/n/payments"),
        (
            NotifyForm::Biller,
            "POST",
            "http://127.0.0.1:1/n/accounts/consumerno/SAV%2017/bills/payments",
        ),
    ] {
        let notify_base = Some("http://127.0.0.1:1/n/".to_owned());
        let world =
            world_with(Options { notify_base, notify: form, ..Options::default() }, no_faults());
        let receipt = world.simulator.pay("+255700000001", 12_550, "SAV 17").await.unwrap();
        settle().await;
        let received = &world.mailbox.received()[0];
        assert_eq!((received.method.as_str(), received.url.as_str()), (method, url));
        let body = &received.body;
        if form == NotifyForm::Biller {
            assert_eq!((&body["amountPaid"], &body["currency"]), (&json!("125.5"), &json!("TZS")));
            assert_eq!(body["requestingOrganisationTransactionReference"], receipt);
        } else {
            assert_eq!(body["transactionReference"], receipt);
            assert_eq!(body["debitParty"], json!([{"key": "msisdn", "value": "+255700000001"}]));
            assert_eq!(body["creditParty"][1], json!({"key": "consumerno", "value": "SAV 17"}));
        }
        let movement = &world.simulator.books().movements[0];
        assert_eq!((movement.operation.as_str(), movement.label.as_str()), ("payment", "SAV 17"));
        assert_eq!(world.get(&format!("/transactions/{receipt}")).await.json()["amount"], "125.5");
        assert_eq!(world.balance(MSISDN), 1_000_000_000 - 12_550);
    }
}

#[tokio::test(start_paused = true)]
async fn a_biller_that_turns_a_payment_away_gets_nothing() {
    let notify_base = Some("http://127.0.0.1:1/n/".to_owned());
    let options = Options { notify_base, notify: NotifyForm::Biller, ..Options::default() };
    let world = world_with(options, no_faults());
    world.mailbox.answer("/bills/payments", 404, "{}");
    let receipt = world.simulator.pay(MSISDN, 500, "NOBODY").await.unwrap();
    settle().await;
    assert_eq!(world.balance(MSISDN), 1_000_000_000);
    assert_eq!(world.simulator.books().movements[1].takes_back, receipt);
    assert!(world.simulator.pay(MSISDN, 0, "X").await.is_err());
    assert!(world.simulator.pay(MSISDN, i64::MAX, "X").await.is_err());
    assert_eq!(world.moved(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_biller_can_be_asked_before_a_payment_is_taken() {
    let notify_base = Some("http://127.0.0.1:1/n/".to_owned());
    let options = Options { notify_base, asks_for_bills: true, ..Options::default() };
    let world = world_with(options, no_faults());
    world.mailbox.answer("/accounts/consumerno/NOBODY/bills", 404, "{}");
    assert!(world.simulator.pay(MSISDN, 500, "NOBODY").await.is_err());
    assert_eq!(world.moved(), 0);
    world.mailbox.answer("/accounts/consumerno/SAV17/bills", 200, "[]");
    assert!(world.simulator.pay(MSISDN, 500, "SAV17").await.is_ok());
    settle().await;
    let urls: Vec<_> = world.mailbox.received().into_iter().map(|callback| callback.url).collect();
    assert_eq!(urls.len(), 3);
    assert!(urls[2].ends_with("/n/payments"));
    assert_eq!(world.moved(), 1);
}
