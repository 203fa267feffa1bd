//! Business rules, reversals, and the amounts that act as switches.

use kiungo_simulator::control::Provider as _;
use kiungo_simulator::testing::{call, no_faults, settle};
use kiungo_simulator_gsma::options::{Flow, Options};
use serde_json::{Value, json};

use super::{ID, MSISDN, OTHER, collection, error, expected, payout, world, world_with};

#[tokio::test(start_paused = true)]
async fn business_rules_refuse_with_their_codes() {
    let options = Options {
        flow: Flow::Synchronous,
        opening_balance_minor: None,
        float_minor: 10_000,
        amount_minor_min: 100,
        amount_minor_max: 500_000,
        balance_minor_max: 50_000,
        ..Options::default()
    };
    let world = world_with(options, no_faults());
    world.simulator.open_wallet("+255 700 000 001", 45_000);
    let mut same = collection("5");
    same["creditParty"] = same["debitParty"].clone();
    let mut stranger = collection("5");
    stranger["debitParty"] = json!([{ "key": "msisdn", "value": "255799999999" }]);
    for (number, (kind, body, status, category, code)) in [
        ("merchantpay", collection("450.01"), 400, "businessRule", "insufficientFunds"),
        ("merchantpay", collection("0.5"), 400, "businessRule", "lessThanTransactionMinValue"),
        (
            "merchantpay",
            collection("5000.5"),
            400,
            "businessRule",
            "greaterThanTransactionMaxValue",
        ),
        ("merchantpay", same, 400, "businessRule", "samePartiesError"),
        ("merchantpay", stranger, 404, "identification", "identifierError"),
        ("disbursement", payout("50.01"), 400, "businessRule", "maxBalanceExceeded"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("0f2d7c1a-5b3e-4c8f-9a61-00000000000{number}");
        let answer = world.post(&format!("/transactions/type/{kind}"), &id, &body).await;
        assert_eq!(error(&answer), expected(status, category, code));
    }
    assert_eq!(world.moved(), 0);
    assert_eq!(world.balance(MSISDN), 45_000);
}

#[tokio::test(start_paused = true)]
async fn a_transaction_is_reversed_once_and_wholly() {
    let world = world(Flow::Synchronous);
    let first = world.collect(ID, "125.5").await.json();
    let reference = first["transactionReference"].as_str().unwrap();
    let path = format!("/transactions/{reference}/reversals");
    let bad = world.post(&path, OTHER, &json!({ "type": "merchantpay" })).await;
    assert_eq!(error(&bad), expected(400, "validation", "formatError"));
    let part = json!({ "type": "reversal", "amount": "25.5", "currency": "TZS" });
    let refused = world.post(&path, OTHER, &part).await;
    assert_eq!(error(&refused), expected(400, "businessRule", "underPaymentNotAllowed"));
    let id = "2f2d7c1a-5b3e-4c8f-9a61-7d2e4b9c1f32";
    let answer = world.post(&path, id, &json!({ "type": "reversal" })).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let body = answer.json();
    assert_eq!(body["originalTransactionReference"], reference);
    assert_eq!((&body["type"], &body["amount"]), (&json!("reversal"), &json!("125.5")));
    assert_eq!(body["creditParty"], first["debitParty"]);
    assert_ne!(body["transactionReference"], first["transactionReference"]);
    assert_eq!(world.balance(MSISDN), 1_000_000_000);
    let movement = &world.simulator.books().movements[1];
    assert_eq!((movement.operation.as_str(), movement.takes_back.as_str()), ("reverse", reference));
    let id = "3f2d7c1a-5b3e-4c8f-9a61-7d2e4b9c1f33";
    let twice = world.post(&path, id, &json!({ "type": "reversal" })).await;
    assert_eq!(error(&twice), expected(400, "businessRule", "incorrectState"));
    let id = "4f2d7c1a-5b3e-4c8f-9a61-7d2e4b9c1f34";
    let unknown =
        world.post("/transactions/REF-0/reversals", id, &json!({ "type": "reversal" })).await;
    assert_eq!(error(&unknown), expected(404, "identification", "identifierError"));
    assert_eq!(world.moved(), 2);
}

#[tokio::test(start_paused = true)]
async fn parts_are_reversed_where_the_provider_can() {
    let options =
        Options { flow: Flow::Synchronous, partial_reversals: true, ..Options::default() };
    let world = world_with(options, no_faults());
    let first = world.collect(ID, "100").await.json();
    let path =
        format!("/transactions/{}/reversals", first["transactionReference"].as_str().unwrap());
    let part = |amount: &str| json!({ "type": "reversal", "amount": amount, "currency": "TZS" });
    let ids = ["1", "2", "3", "4"].map(|last| format!("0f2d7c1a-5b3e-4c8f-9a61-00000000000{last}"));
    assert_eq!(world.post(&path, &ids[0], &part("60")).await.status, 201);
    let over = world.post(&path, &ids[1], &part("41")).await;
    assert_eq!(error(&over), expected(400, "businessRule", "overPaymentNotAllowed"));
    assert_eq!(world.post(&path, &ids[2], &part("40")).await.status, 201);
    let none = world.post(&path, &ids[3], &part("1")).await;
    assert_eq!(error(&none), expected(400, "businessRule", "incorrectState"));
    assert_eq!(world.balance(MSISDN), 1_000_000_000);
}

#[tokio::test(start_paused = true)]
async fn the_compliance_amounts_act_only_when_switched_on() {
    let triggers = [
        ("merchantpay", "10.00", Some("genericError")),
        ("merchantpay", "17", Some("insufficientFunds")),
        ("merchantpay", "5.00", None),
        ("disbursement", "51", Some("insufficientFunds")),
        ("disbursement", "50", None),
        ("adjustment", "61.00", Some("mandatoryValueNotSupplied")),
        ("adjustment", "60.00", None),
    ];
    for on in [true, false] {
        let world = world_with(Options { triggers: on, ..Options::default() }, no_faults());
        for (number, (kind, amount, code)) in triggers.into_iter().enumerate() {
            let id = format!("0f2d7c1a-5b3e-4c8f-9a61-00000000000{number}");
            let body = if kind == "disbursement" { payout(amount) } else { collection(amount) };
            let path = format!("/transactions/type/{kind}");
            assert_eq!(world.post(&path, &id, &body).await.status, 202);
            settle().await;
            let last = world.mailbox.received().pop().unwrap().body;
            let code = code.filter(|_| on);
            assert_eq!(last.get("errorCode").and_then(Value::as_str), code, "{kind} {amount}");
        }
        let triggered = world.simulator.books().movements;
        let triggered = triggered.iter().filter(|moved| moved.operation != "transfer").count();
        assert_eq!(triggered, if on { 3 } else { 7 });
    }
}

#[tokio::test(start_paused = true)]
async fn the_label_is_read_from_custom_data_or_else_from_the_description() {
    let world = world(Flow::Synchronous);
    let mut body = collection("5");
    body["customData"] = json!([{ "key": "accountreference", "value": "S17" }]);
    world.post("/transactions/type/merchantpay", ID, &body).await;
    world.collect(OTHER, "5").await;
    let books = world.simulator.books();
    let labels: Vec<_> = books.movements.iter().map(|movement| movement.label.as_str()).collect();
    assert_eq!(labels, ["S17", "LN000417"]);
}

#[tokio::test(start_paused = true)]
async fn a_customers_day_has_a_limit() {
    let options = Options { flow: Flow::Synchronous, daily_minor_max: 1_000, ..Options::default() };
    let world = world_with(options, no_faults());
    let id = |number: u32| format!("0f2d7c1a-5b3e-4c8f-9a61-00000000000{number}");
    assert_eq!(world.collect(&id(1), "6").await.status, 201);
    let over = world.collect(&id(2), "4.01").await;
    assert_eq!(error(&over), expected(400, "businessRule", "dailyValueLimitExceeded"));
    assert_eq!(world.collect(&id(3), "4").await.status, 201);
    tokio::time::sleep(std::time::Duration::from_hours(24)).await;
    assert_eq!(world.collect(&id(4), "10").await.status, 201);
    assert_eq!(world.moved(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_out_of_use_moves_nothing() {
    let world = world(Flow::Synchronous);
    let path = format!("/accounts/msisdn/{MSISDN}/status");
    for (number, status) in ["unavailable", "unregistered"].into_iter().enumerate() {
        let body = json!({ "account": "+255700000001", "status": status }).to_string();
        let headers = [("content-type", "application/json")];
        let set = call(&world.router, "PUT", "/_sim/account-status", &headers, &body).await;
        assert_eq!(set.status, 204);
        assert_eq!(world.get(&path).await.json(), json!({ "accountStatus": status }));
        for (way, body) in [("merchantpay", collection("5")), ("disbursement", payout("5"))] {
            let id = format!("0f2d7c1a-5b3e-4c8f-9a61-0000000000{number}{}", way.len() % 10);
            let answer = world.post(&format!("/transactions/type/{way}"), &id, &body).await;
            assert_eq!(error(&answer), expected(400, "businessRule", "incorrectState"));
        }
    }
    assert_eq!(world.moved(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_accounts_of_published_suites_exist_where_their_triggers_do() {
    let history = "/accounts/accountid/2999/transactions?offset=0&limit=20";
    for on in [true, false] {
        let options = Options { triggers: on, ..Options::default() };
        let world = world_with(options, no_faults());
        for account in ["walletid/1", "accountid/1", "accountid/2000"] {
            let answer = world.get(&format!("/accounts/{account}/balance")).await;
            assert_eq!(answer.status, if on { 200 } else { 404 }, "{account}");
        }
        let answer = world.get(history).await;
        if on {
            assert_eq!(answer.json().as_array().map(Vec::len), Some(20));
            assert_eq!(answer.headers["x-records-returned-count"], "20");
        }
        assert_eq!(world.moved(), if on { 20 } else { 0 });
    }
}
