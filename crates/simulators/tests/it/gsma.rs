//! A GSMA provider, line by line of the checklist in `gsma-mobile-money-api.md` §19.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use kiungo_simulators::faults::{Fault, Faults};
use kiungo_simulators::gsma::Simulator;
use kiungo_simulators::gsma::options::{
    Credentials, Flow, LinkForm, NotifyForm, Options, WhilePending,
};
use serde_json::{Value, json};

use crate::harness::{Answer, Mailbox, always, assert_consistent, call, clock, no_faults, settle};

const BASE: &str = "/v1.2/mm";
const ID: &str = "0f2d7c1a-5b3e-4c8f-9a61-7d2e4b9c1f30";
const OTHER: &str = "1f2d7c1a-5b3e-4c8f-9a61-7d2e4b9c1f31";
const CALLBACK: &str = "http://127.0.0.1:1/cb/9d1k";
const MSISDN: &str = "255700000001";

struct World {
    simulator: Simulator,
    router: Router,
    mailbox: Mailbox,
}

fn world_with(options: Options, faults: Faults) -> World {
    let mailbox = Mailbox::default();
    let simulator = Simulator::new(options, clock(), Arc::new(mailbox.clone()), faults);
    World { router: simulator.router(), simulator, mailbox }
}

fn world(flow: Flow) -> World {
    world_with(Options { flow, ..Options::default() }, no_faults())
}

impl World {
    async fn post(&self, path: &str, id: &str, body: &Value) -> Answer {
        let headers = [("x-correlationid", id), ("x-callback-url", CALLBACK)];
        call(&self.router, "POST", &format!("{BASE}{path}"), &headers, &body.to_string()).await
    }

    async fn get(&self, path: &str) -> Answer {
        call(&self.router, "GET", &format!("{BASE}{path}"), &[], "").await
    }

    async fn collect(&self, id: &str, amount: &str) -> Answer {
        self.post("/transactions/type/merchantpay", id, &collection(amount)).await
    }

    fn balance(&self, party: &str) -> i64 {
        let books = self.simulator.books();
        assert_consistent(&books);
        books.balances[party]
    }

    fn moved(&self) -> usize {
        let books = self.simulator.books();
        assert_consistent(&books);
        books.movements.len()
    }
}

fn collection(amount: &str) -> Value {
    json!({
        "requestingOrganisationTransactionReference": "LN000417-03",
        "debitParty": [{ "key": "msisdn", "value": "+255700000001" }],
        "amount": amount,
        "currency": "TZS",
        "descriptionText": "LN000417",
        "requestDate": "2026-03-01T09:30:00Z",
    })
}

fn payout(amount: &str) -> Value {
    json!({
        "creditParty": [{ "key": "msisdn", "value": MSISDN }],
        "amount": amount,
        "currency": "TZS",
    })
}

fn error(answer: &Answer) -> (u16, String, String) {
    let body = answer.json();
    let word = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    assert!(body["errorDateTime"].is_string(), "{body}");
    (answer.status, word("errorCategory"), word("errorCode"))
}

fn expected(status: u16, category: &str, code: &str) -> (u16, String, String) {
    (status, category.to_owned(), code.to_owned())
}

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
async fn a_second_use_of_a_correlation_id_is_refused_and_changes_nothing() {
    let world = world(Flow::Synchronous);
    assert_eq!(world.collect(ID, "5").await.status, 201);
    let again = world.collect(&ID.to_uppercase(), "5").await;
    assert_eq!(error(&again), expected(400, "businessRule", "duplicateRequest"));
    assert_eq!(world.moved(), 1);
    // On GET the header is ignored.
    let path = format!("{BASE}/accounts/balance");
    let read = call(&world.router, "GET", &path, &[("x-correlationid", ID)], "").await;
    assert_eq!(read.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_simultaneous_duplicates_move_money_once() {
    let world = Arc::new(world_with(
        Options { flow: Flow::Synchronous, delay_ms: 50, ..Options::default() },
        no_faults(),
    ));
    let tasks: Vec<_> = (0..1_000)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move { world.collect(ID, "5").await.status })
        })
        .collect();
    let mut created = 0;
    for task in tasks {
        created += usize::from(task.await.unwrap() == 201);
    }
    assert_eq!((created, world.moved()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_rejection_of_a_duplicate_can_come_by_callback() {
    let options = Options { asynchronous_duplicates: true, ..Options::default() };
    let world = world_with(options, no_faults());
    world.collect(ID, "5").await;
    settle().await;
    assert_eq!(world.collect(ID, "5").await.status, 202);
    settle().await;
    let received = world.mailbox.received();
    assert_eq!(received[1].body["errorCode"], "duplicateRequest");
    assert_eq!(received[1].headers["x-correlationid"], ID);
    let link = world.get(&format!("/responses/{ID}")).await.json();
    assert!(link["link"].as_str().unwrap().starts_with("/transactions/"));
    assert_eq!(world.moved(), 1);
}

#[tokio::test(start_paused = true)]
async fn responses_lead_to_the_object_in_either_form_of_link() {
    for (form, while_pending) in
        [(LinkForm::Relative, WhilePending::NotFound), (LinkForm::Absolute, WhilePending::Link)]
    {
        let world =
            world_with(Options { link: form, while_pending, ..Options::default() }, no_faults());
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
async fn malformed_requests_are_refused_with_the_field_and_leave_no_trace() {
    let world = world(Flow::Synchronous);
    let with = |name: &str, value: Value| {
        let mut body = collection("5");
        body[name] = value;
        body
    };
    let without = |name: &str| {
        let mut body = collection("5");
        body.as_object_mut().unwrap().remove(name);
        body
    };
    for (body, code, field) in [
        (with("amount", json!("00.00")), "formatError", "amount"),
        (with("amount", json!("5.005")), "formatError", "amount"),
        (with("amount", json!(5)), "formatError", "amount"),
        (with("amount", json!("-5.5")), "negativeValue", "amount"),
        (without("amount"), "mandatoryValueNotSupplied", "amount"),
        (without("currency"), "mandatoryValueNotSupplied", "currency"),
        (with("currency", json!("KES")), "currencyNotSupported", "currency"),
        (with("currency", json!("tzs")), "formatError", "currency"),
        (without("debitParty"), "mandatoryValueNotSupplied", "debitParty"),
        (with("debitParty", json!([])), "formatError", "debitParty"),
        (with("debitParty", json!([{"key": "shoe", "value": "1"}])), "formatError", "debitParty"),
        (with("debitParty", json!([{"key": "msisdn", "value": "x"}])), "formatError", "debitParty"),
        (with("descriptionText", json!("x".repeat(161))), "lengthError", "descriptionText"),
        (with("requestDate", json!("soon")), "formatError", "requestDate"),
        (with("metadata", json!([{"key": "a"}])), "formatError", "metadata"),
    ] {
        let answer = world.post("/transactions/type/merchantpay", ID, &body).await;
        assert_eq!(error(&answer), expected(400, "validation", code), "{field}");
        assert_eq!(answer.json()["errorParameters"][0]["key"], field);
    }
    let answer = world.post("/transactions/type/barter", ID, &collection("5")).await;
    assert_eq!(answer.json()["errorParameters"][0]["key"], "type");
    for body in ["", "[]", "{\"amount\":", "\u{0}"] {
        let path = format!("{BASE}/transactions/type/merchantpay");
        let answer = call(&world.router, "POST", &path, &[("x-correlationid", ID)], body).await;
        assert_eq!(error(&answer), expected(400, "validation", "formatError"));
    }
    let headless = [("x-callback-url", CALLBACK)];
    let path = format!("{BASE}/transactions/type/merchantpay");
    let answer = call(&world.router, "POST", &path, &headless, &collection("5").to_string()).await;
    assert_eq!(error(&answer), expected(400, "validation", "mandatoryValueNotSupplied"));
    let answer = world.collect("not-a-uuid", "5").await;
    assert_eq!(answer.json()["errorParameters"][0]["key"], "X-CorrelationID");
    assert_eq!(world.moved(), 0);
    assert_eq!(world.collect(ID, "5").await.status, 201, "the id was not used up");
}

#[tokio::test(start_paused = true)]
async fn each_version_has_its_own_amounts_and_properties() {
    let world = world(Flow::Synchronous);
    let post = async |base: &str, id: &str, body: Value| {
        let path = format!("{base}/transactions/type/merchantpay");
        call(&world.router, "POST", &path, &[("x-correlationid", id)], &body.to_string()).await
    };
    assert_eq!(post("/v1.1/mm", ID, collection("5.50")).await.status, 400);
    assert_eq!(post("/v1.1/mm", ID, collection("5.5")).await.status, 201);
    assert_eq!(post("/v1.2/mm", OTHER, collection("5.50")).await.status, 201);
    let mut newer = collection("5");
    newer["customData"] = json!([{ "key": "a", "value": "b" }]);
    let id = "2f2d7c1a-5b3e-4c8f-9a61-7d2e4b9c1f32";
    assert_eq!(post("/v1.1/mm", id, newer.clone()).await.status, 400);
    let accepted = post("/v1.2/mm", id, newer.clone()).await;
    assert_eq!(accepted.json()["customData"], newer["customData"]);
}

#[tokio::test(start_paused = true)]
async fn the_older_untyped_path_takes_its_type_from_the_body() {
    let world = world(Flow::Synchronous);
    let mut body = payout("10");
    let refused = world.post("/transactions", ID, &body).await;
    assert_eq!(error(&refused), expected(400, "validation", "mandatoryValueNotSupplied"));
    body["type"] = json!("disbursement");
    assert_eq!(world.post("/transactions", ID, &body).await.json()["type"], "disbursement");
}

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
async fn accounts_are_addressed_in_every_form_of_a_path() {
    let world = world(Flow::Synchronous);
    world.simulator.open_wallet(MSISDN, 5_000);
    for path in [
        "/accounts/msisdn/%2B255700000001/balance",
        "/accounts/msisdn/+255700000001/balance",
        "/accounts/msisdn/255700000001/balance",
        "/accounts/msisdn@+255700000001/balance",
        "/accounts/msisdn@%2B255700000001$walletid@9/balance",
    ] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert_eq!(answer.json()["availableBalance"], "50", "{path}");
    }
    assert_eq!(
        world.get("/accounts/msisdn/255700000001/status").await.json(),
        json!({"accountStatus": "available"})
    );
    let name = world.get("/accounts/msisdn/255700000001/accountname").await.json();
    assert!(name["name"]["fullName"].is_string());
    assert_eq!(world.get("/accounts/balance").await.json()["currency"], "TZS");
    let unknown = world.get("/accounts/walletid/77/balance").await;
    assert_eq!(error(&unknown), expected(404, "identification", "identifierError"));
    let bad = world.get("/accounts/shoe/77/transactions").await;
    assert_eq!(error(&bad), expected(400, "validation", "formatError"));
    for path in ["/accounts/msisdn/255700000001/shoes", "/accounts/x", "/nowhere"] {
        assert_eq!(world.get(path).await.status, 404, "{path}");
    }
    let wrong_method =
        call(&world.router, "DELETE", &format!("{BASE}/transactions"), &[], "").await;
    assert_eq!(wrong_method.status, 404);
}

#[tokio::test(start_paused = true)]
async fn transactions_are_listed_newest_first_in_pages() {
    let world = world(Flow::Synchronous);
    for number in 1..=5 {
        let id = format!("0f2d7c1a-5b3e-4c8f-9a61-00000000000{number}");
        world.collect(&id, &number.to_string()).await;
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    let amounts = |answer: &Answer| -> Vec<String> {
        let list = answer.json();
        list.as_array().unwrap().iter().map(|t| t["amount"].as_str().unwrap().into()).collect()
    };
    let count = |answer: &Answer, which: &str| {
        answer.headers[&format!("x-records-{which}-count")].to_str().unwrap().to_owned()
    };
    let page = world.get("/accounts/accountid/4400/transactions?offset=1&limit=2").await;
    assert_eq!(amounts(&page), ["4", "3"]);
    assert_eq!((count(&page, "available"), count(&page, "returned")), ("5".into(), "2".into()));
    let bounded = "/accounts/msisdn/+255700000001/transactions\
        ?fromDateTime=2026-03-01T09:31:00Z&toDateTime=2026-03-01T09:33:00Z&transactionStatus=Completed";
    assert_eq!(amounts(&world.get(bounded).await), ["4", "3", "2"]);
    let empty = world.get("/accounts/accountid/4400/transactions?transactionType=billpay").await;
    assert_eq!((empty.text.as_str(), count(&empty, "available")), ("[]", "0".into()));
    let bad = world.get("/accounts/accountid/4400/transactions?fromDateTime=soon").await;
    assert_eq!(error(&bad), expected(400, "validation", "formatError"));
    let bad = world.get("/accounts/accountid/4400/transactions?limit=-1").await;
    assert_eq!(error(&bad), expected(400, "validation", "formatError"));
}

#[tokio::test(start_paused = true)]
async fn basic_and_api_key_are_checked_and_ids_kept_per_client() {
    let mut options = Options { flow: Flow::Synchronous, ..Options::default() };
    options.security.basic = Some(Credentials { name: "mfi".into(), secret: "s3".into() });
    options.security.api_key = Some("k1".into());
    let world = world_with(options, no_faults());
    let path = format!("{BASE}/accounts/balance");
    for headers in [
        &[][..],
        &[("x-api-key", "k1")],
        &[("authorization", "Basic bWZpOnMz")],
        &[("authorization", "Basic bWZpOnMz"), ("x-api-key", "k2")],
        &[("authorization", "Basic bWZpOng="), ("x-api-key", "k1")],
        &[("authorization", "Bearer x"), ("x-api-key", "k1")],
    ] {
        let answer = call(&world.router, "GET", &path, headers, "").await;
        assert_eq!(error(&answer), expected(401, "authorisation", "clientAuthorisationError"));
    }
    let good = [("authorization", "Basic bWZpOnMz"), ("x-api-key", "k1")];
    assert_eq!(call(&world.router, "GET", &path, &good, "").await.status, 200);
    assert_eq!(world.get("/heartbeat").await.json(), json!({ "serviceStatus": "available" }));
}

#[tokio::test(start_paused = true)]
async fn tokens_are_given_expire_and_are_revoked() {
    let mut options = Options::default();
    options.security.oauth = Some(Credentials { name: "key".into(), secret: "secret".into() });
    options.security.token_lifetime_s = 60;
    let world = world_with(options, no_faults());
    let basic = ("authorization", "Basic a2V5OnNlY3JldA==");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let ask = |basic: (&'static str, &'static str), body: &'static str| {
        let router = world.router.clone();
        async move { call(&router, "POST", "/v1/oauth/accesstoken", &[basic, form], body).await }
    };
    assert_eq!(
        ask(("authorization", "Basic x"), "grant_type=client_credentials").await.status,
        401
    );
    assert_eq!(ask(basic, "grant_type=password").await.status, 400);
    let token = ask(basic, "grant_type=client_credentials").await;
    assert_eq!(token.headers["cache-control"], "no-store");
    assert_eq!(token.json()["expires_in"], 60);
    let bearer = format!("Bearer {}", token.json()["access_token"].as_str().unwrap());
    let path = format!("{BASE}/accounts/balance");
    let read = async || call(&world.router, "GET", &path, &[("authorization", &bearer)], "").await;
    assert_eq!(read().await.status, 200);
    tokio::time::sleep(Duration::from_secs(61)).await;
    let expired = read().await;
    assert_eq!(expired.status, 401);
    assert!(expired.json()["fault"].is_object(), "the gateway's own form: {}", expired.text);
    let fresh = ask(basic, "grant_type=client_credentials").await.json();
    let fresh = format!("Bearer {}", fresh["access_token"].as_str().unwrap());
    assert_eq!(call(&world.router, "DELETE", "/_sim/tokens", &[], "").await.status, 204);
    let revoked = call(&world.router, "GET", &path, &[("authorization", &fresh)], "").await;
    assert_eq!(revoked.status, 401);
}

#[tokio::test(start_paused = true)]
async fn a_content_hash_is_checked_where_it_is_sent() {
    let world = world(Flow::Synchronous);
    let path = format!("{BASE}/transactions/type/disbursement");
    let body = r#"{"creditParty":[{"key":"msisdn","value":"255700000001"}],"amount":"5","currency":"TZS"}"#;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes());
    let hex: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    let wrong = [("x-correlationid", ID), ("x-content-hash", "00")];
    assert_eq!(call(&world.router, "POST", &path, &wrong, body).await.status, 400);
    let right = [("x-correlationid", ID), ("x-content-hash", &hex.concat())];
    assert_eq!(call(&world.router, "POST", &path, &right, body).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn quirks_are_switched_on_one_by_one() {
    let mut options = Options { flow: Flow::Callback, ..Options::default() };
    options.quirks.dates_without_offset = true;
    options.quirks.pascal_case_errors = true;
    options.quirks.lower_case_error_text = true;
    options.quirks.request_state_callbacks = true;
    options.quirks.string_integers = true;
    options.quirks.canonical_parties = true;
    options.quirks.provisional_object_reference = false;
    options.quirks.no_correlation_on_callback = true;
    options.quirks.capital_statuses = true;
    options.quirks.own_receipts = true;
    let world = world_with(options, no_faults());
    let state = world.collect(ID, "5").await.json();
    assert_eq!(state["pollLimit"], "100");
    assert_eq!(state["expiryTime"], "2026-03-01T09:40:00");
    assert!(state.get("objectReference").is_none());
    settle().await;
    let received = &world.mailbox.received()[0];
    assert!(!received.headers.contains_key("x-correlationid"));
    assert_eq!(received.body["serverCorrelationId"], state["serverCorrelationId"]);
    let reference = received.body["objectReference"].as_str().unwrap();
    let found = world.get(&format!("/transactions/{reference}")).await.json();
    assert_eq!(found["transactionStatus"], "Completed");
    assert_eq!(found["debitParty"].as_array().unwrap().len(), 2);
    assert!(found["transactionReceipt"].as_str().unwrap().starts_with('R'));
    let unknown = world.get("/transactions/REF-0").await.json();
    assert_eq!(unknown["errorCategory"], "Identification");
    assert!(unknown["errordescription"].is_string());
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
        assert_eq!(world.moved(), if on { 3 } else { 7 });
    }
}

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
