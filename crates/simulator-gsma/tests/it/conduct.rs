//! The conduct of the provider that no request asks for.

use kiungo_simulator::books::Movement;
use kiungo_simulator::control::Provider as _;
use kiungo_simulator::testing::{no_faults, settle};
use kiungo_simulator_gsma::options::{Charge, Conduct, Flow, NotifyForm, Options, PaidBy, Place};
use serde_json::{Value, json};

use super::{CALLBACK, ID, MSISDN, OTHER, World, error, expected, payout, world_with};

const ALWAYS: u16 = 10_000;

fn behaving(flow: Flow, conduct: Conduct) -> World {
    let notify_base = Some("http://127.0.0.1:1/n/".to_owned());
    world_with(Options { flow, notify_base, conduct, ..Options::default() }, no_faults())
}

async fn later() {
    for _ in 0..4 {
        settle().await;
    }
}

fn operations(world: &World) -> Vec<String> {
    let movements: Vec<Movement> = world.simulator.books().movements;
    movements.into_iter().map(|movement| movement.operation).collect()
}

#[tokio::test(start_paused = true)]
async fn a_charge_is_stated_and_booked_to_whom_it_belongs() {
    for (paid_by, customer, word) in
        [(PaidBy::Customer, 10_050, "customer"), (PaidBy::Organisation, 10_000, "organisation")]
    {
        let charges = [("collect".to_owned(), Charge { minor: 50, paid_by })].into();
        let world = behaving(Flow::Synchronous, Conduct { charges, ..Conduct::default() });
        let answer = world.collect(ID, "100").await.json();
        let fee = json!([{ "feeType": word, "feeAmount": "0.5", "feeCurrency": "TZS" }]);
        assert_eq!((&answer["fees"], &answer["amount"]), (&fee, &json!("100")));
        assert_eq!(world.balance(MSISDN), 1_000_000_000 - customer);
        assert_eq!(world.balance("charges"), 50);
        assert_eq!(operations(&world), ["collect", "fee"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_customer_who_cannot_pay_the_charge_pays_nothing() {
    let charge = Charge { minor: 50, paid_by: PaidBy::Customer };
    let conduct =
        Conduct { charges: [("collect".to_owned(), charge)].into(), ..Conduct::default() };
    let world = behaving(Flow::Synchronous, conduct);
    let all = world.collect(ID, "10000000").await;
    assert_eq!(error(&all), expected(400, "businessRule", "insufficientFunds"));
    assert_eq!(world.moved(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_same_request_is_carried_out_twice_where_nothing_is_deduplicated() {
    let conduct = Conduct { deduplicates: false, ..Conduct::default() };
    let world = behaving(Flow::Synchronous, conduct);
    for _ in 0..2 {
        assert_eq!(world.collect(ID, "5").await.status, 201);
    }
    assert_eq!(operations(&world), ["collect", "collect"]);
}

#[tokio::test(start_paused = true)]
async fn payouts_are_refused_while_the_float_is_empty() {
    let conduct = Conduct { float_empty_ms: Some((0, 60_000)), ..Conduct::default() };
    let world = behaving(Flow::Synchronous, conduct);
    let path = "/transactions/type/disbursement";
    let refused = world.post(path, ID, &payout("5")).await;
    assert_eq!(error(&refused), expected(400, "businessRule", "insufficientFunds"));
    assert_eq!(world.collect(OTHER, "5").await.status, 201, "money still comes in");
    later().await;
    let id = "2f2d7c1a-5b3e-4c8f-9a61-7d2e4b9c1f32";
    assert_eq!(world.post(path, id, &payout("5")).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn a_refused_collection_is_approved_late() {
    let conduct = Conduct { approved_late: ALWAYS, ..Conduct::default() };
    let world = behaving(Flow::Requested, conduct);
    world.collect(ID, "5").await;
    settle().await;
    assert_eq!((world.moved(), world.mailbox.received().len()), (0, 1));
    later().await;
    let told = world.mailbox.received();
    assert_eq!((world.moved(), told.len()), (1, 2));
    assert_eq!(told[0].body["errorCode"], "requestDeclined");
    assert_eq!(told[1].body["transactionStatus"], "completed");
    let link = world.get(&format!("/responses/{ID}")).await.json();
    let found = world.get(link["link"].as_str().unwrap()).await.json();
    assert_eq!(found["transactionStatus"], "completed");
}

#[tokio::test(start_paused = true)]
async fn a_collection_is_approved_twice() {
    let conduct = Conduct { approved_twice: ALWAYS, ..Conduct::default() };
    let world = behaving(Flow::Synchronous, conduct);
    world.collect(ID, "5").await;
    later().await;
    let movements = world.simulator.books().movements;
    assert_eq!(movements.len(), 2);
    assert_eq!(movements[0].reference, movements[1].reference);
    let path = "/accounts/accountid/4400/transactions";
    assert_eq!(world.get(path).await.json().as_array().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_provider_reverses_by_itself_and_shows_it() {
    for told in [false, true] {
        let conduct =
            Conduct { reversed_later: ALWAYS, reversals_told: told, ..Conduct::default() };
        let world = behaving(Flow::Requested, conduct);
        world.collect(ID, "5").await;
        later().await;
        assert_eq!(world.balance(MSISDN), 1_000_000_000);
        assert_eq!(operations(&world), ["collect", "reverse"]);
        let receipt = world.simulator.books().movements[0].receipt.clone();
        let read = world.get(&format!("/transactions/{receipt}")).await.json();
        assert_eq!(read["transactionStatus"], "reversed");
        let page = world.get("/accounts/accountid/4400/transactions").await.json();
        assert_eq!(page[0]["originalTransactionReference"], receipt);
        let words: Vec<Value> = world
            .mailbox
            .received()
            .into_iter()
            .map(|received| received.body["transactionStatus"].clone())
            .collect();
        let expected: &[&str] = if told { &["completed", "reversed"] } else { &["completed"] };
        assert_eq!(words, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_transaction_is_stated_otherwise_than_it_is() {
    let all = Conduct {
        other_amount: ALWAYS,
        other_wallet: ALWAYS,
        other_reference: ALWAYS,
        other_receipt: ALWAYS,
        ..Conduct::default()
    };
    let wrong = |body: &Value| {
        body["amount"] == "6"
            && body["debitParty"][0]["value"] == "+255799999999"
            && body["requestingOrganisationTransactionReference"] != "LN000417-03"
            && body["transactionReference"].as_str().unwrap().starts_with("REF-8")
    };
    for place in [Place::Answers, Place::Inquiries, Place::Callbacks] {
        let conduct = Conduct { other_in: vec![place], ..all.clone() };
        let world = behaving(Flow::Synchronous, conduct.clone());
        let answer = world.collect(ID, "5").await.json();
        assert_eq!(wrong(&answer), place == Place::Answers);
        let receipt = world.simulator.books().movements[0].receipt.clone();
        let read = world.get(&format!("/transactions/{receipt}")).await.json();
        assert_eq!(wrong(&read), place == Place::Inquiries);
        let world = behaving(Flow::Requested, conduct);
        world.collect(ID, "5").await;
        settle().await;
        assert_eq!(wrong(&world.mailbox.received()[0].body), place == Place::Callbacks);
        assert_eq!(world.balance(MSISDN), 1_000_000_000 - 500, "the books are right");
    }
}

#[tokio::test(start_paused = true)]
async fn a_collection_is_told_as_a_payment_too() {
    for (told_with_number, told_with_reference) in [(true, true), (false, false)] {
        let conduct = Conduct {
            collections_told: ALWAYS,
            told_with_number,
            told_with_reference,
            ..Conduct::default()
        };
        let world = behaving(Flow::Requested, conduct);
        world.collect(ID, "5").await;
        settle().await;
        let received = world.mailbox.received();
        let told = received.iter().find(|received| received.url.ends_with("/n/payments")).unwrap();
        assert_eq!(told.body["amount"], "5");
        let number = told.body["debitParty"][0]["value"].as_str().unwrap();
        assert_eq!(number == "+255700000001", told_with_number, "{number}");
        let named = &told.body["requestingOrganisationTransactionReference"];
        assert_eq!(named == "LN000417-03", told_with_reference);
        assert!(received.iter().any(|received| received.url == CALLBACK));
        assert_eq!(world.moved(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_biller_that_accepts_is_asked_until_it_knows() {
    let state = |status: &str| json!({"serverCorrelationId": OTHER, "status": status}).to_string();
    for (status, moved) in [("completed", 1), ("failed", 2), ("pending", 1)] {
        let notify_base = Some("http://127.0.0.1:1/n/".to_owned());
        let options = Options {
            notify_base,
            notify: NotifyForm::Biller,
            biller_polls: 3,
            ..Options::default()
        };
        let world = world_with(options, no_faults());
        world.mailbox.answer("/bills/payments", 202, &state("pending"));
        world.mailbox.answer(&format!("/requeststates/{OTHER}"), 200, &state(status));
        world.simulator.pay(MSISDN, 500, "SV1").await.unwrap();
        settle().await;
        assert_eq!(world.moved(), moved, "{status}");
        let asked = world.mailbox.received().len() - 1;
        assert_eq!(asked, if status == "pending" { 3 } else { 1 });
        let id = &world.mailbox.received()[0].headers["x-correlationid"];
        assert_eq!(id.len(), 36, "a request has an id of its own");
    }
}
