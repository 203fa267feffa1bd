//! Commands: carried out once, answered, and only then let go.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use kiungo_api::testing::Conduct;
use kiungo_domain::transfer::StepName;
use kiungo_domain::{Currency, Kind, Money, ProviderId, Reference, TransferId};
use kiungo_engine::request::{RequestError, SubmitError};
use kiungo_messaging::{CommandConsumer, MessagingOptions};
use kiungo_queue::Events;
use kiungo_store::TransferQuery;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::broker::{Broker, Fate, Sender, Settled, commands};
use crate::world::{World, options};

struct Scene {
    world: World,
    broker: Arc<Broker>,
    sender: Sender,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

const ERP: Option<&str> = Some("amqp-erp");
const DESK: Option<&str> = Some("amqp-desk");

impl Scene {
    fn new() -> Self {
        Self::with(options())
    }

    fn with(options: MessagingOptions) -> Self {
        let (world, broker) = (World::new(), Arc::new(Broker::default()));
        let (sender, incoming) = commands();
        let stop = CancellationToken::new();
        let events = Arc::clone(&broker) as Arc<dyn Events>;
        let consumer = CommandConsumer::new(world.service(), events, options).unwrap();
        let task = tokio::spawn(consumer.run(incoming, stop.clone()));
        Self { world, broker, sender, stop, task }
    }

    /// Sends, and waits until nothing is left to do.
    async fn send(&self, user: Option<&str>, body: &Value) -> Vec<Settled> {
        let fate = self.sender.send(user, &body.to_string());
        pass(1).await;
        read(&fate)
    }

    /// The keys of the transfers that were created, and then what else was done.
    fn actions(&self) -> Vec<String> {
        let fake = &self.world.fake;
        let mut actions: Vec<String> =
            fake.created.lock().unwrap().iter().map(|key| format!("create {key}")).collect();
        actions.extend(fake.actions.lock().unwrap().iter().cloned());
        actions
    }

    /// The data of the last event.
    fn told(&self) -> Value {
        self.broker.last()["data"].clone()
    }
}

fn read(fate: &Fate) -> Vec<Settled> {
    fate.lock().unwrap().clone()
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[allow(clippy::needless_pass_by_value, reason = "written where it is made")]
fn command(id: &str, kind: &str, data: Value) -> Value {
    json!({ "specversion": "1.0", "id": id, "source": "/erp", "type": kind, "data": data })
}

fn transfer(amount: &str) -> Value {
    json!({
        "kind": "deposit", "provider": "mpesa-tz", "msisdn": "255712345678",
        "account": { "type": "savings", "id": 1 }, "amount": amount, "currency": "TZS",
    })
}

fn create(id: &str) -> Value {
    command(id, "transfer.create", transfer("125.50"))
}

fn rejected(reason: &str, path: Option<&str>) -> Vec<Settled> {
    vec![Settled::Rejected { reason: reason.to_owned(), path: path.map(str::to_owned) }]
}

#[tokio::test(start_paused = true)]
async fn a_transfer_is_created_once_and_answered_each_time() {
    let scene = Scene::new();
    assert_eq!(scene.send(ERP, &create("k-1")).await, [Settled::Done]);
    let first = scene.broker.last();
    let id = first["data"]["transfer"].clone();
    assert_eq!(
        first["data"],
        json!({
            "command": "k-1", "type": "transfer.create", "client": "erp", "transfer": id,
            "replayed": false,
        })
    );
    assert_eq!((&first["id"], &first["subject"]), (&json!("command/erp/k-1/accepted"), &id));
    // The same again, delivered twice at the same moment.
    let fates = [1, 2].map(|_| scene.sender.send(ERP, &create("k-1").to_string()));
    pass(1).await;
    assert!(fates.iter().all(|fate| read(fate) == [Settled::Done]));
    assert_eq!((&scene.told()["transfer"], &scene.told()["replayed"]), (&id, &json!(true)));
    assert_eq!(scene.actions(), ["create k-1"]);
    assert_eq!(scene.broker.topics(), ["command.accepted"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_client_moves_what_is_in_its_scope_alone() {
    let most = Money::parse("100", Currency::from_code("TZS").unwrap()).unwrap();
    let mut options = options();
    for client in &mut options.clients {
        client.scope.amount_max = Some([(most.currency(), most)].into());
        client.scope.kinds = Some([Kind::Deposit].into());
    }
    let scene = Scene::with(options);
    let told = |scene: &Scene| {
        let told = scene.told();
        format!("{} {}", told["code"].as_str().unwrap(), told["reason"].as_str().unwrap())
    };
    let fate = scene.send(ERP, &create("k-1")).await;
    let why = "forbidden: this key moves 100.00 TZS at most";
    assert_eq!(fate, rejected(why, Some("/data/amount")));
    assert_eq!(
        scene.send(ERP, &command("k-1", "transfer.create", transfer("100"))).await,
        [Settled::Done]
    );
    // Money in suspense is 2,500.
    let id = scene.world.suspended().await.to_string();
    let reversal = json!({ "transfer": id, "reason": "x" });
    scene.send(DESK, &command("k-2", "transfer.reverse", reversal)).await;
    assert_eq!(told(&scene), "forbidden this key moves 100.00 TZS at most");
    let account = json!({ "transfer": id, "account": { "type": "loan", "id": 7 } });
    scene.send(DESK, &command("k-3", "suspense.assign", account)).await;
    assert_eq!(told(&scene), "forbidden a repayment is not in the scope of this key");
    assert_eq!(scene.actions(), ["create k-1"]);
}

#[tokio::test(start_paused = true)]
async fn objects_outside_a_clients_scope_do_not_exist_for_it() {
    let mut options = options();
    options.clients[1].scope.providers = Some([ProviderId::new("gsma-sandbox").unwrap()].into());
    let scene = Scene::with(options);
    let id = scene.world.suspended().await.to_string();
    let reversal = json!({ "transfer": id, "reason": "x" });
    scene.send(DESK, &command("k-2", "transfer.reverse", reversal)).await;
    assert_eq!(scene.told()["code"], "transfer_not_found");
    assert!(scene.actions().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_key_with_another_content_is_rejected_with_what_it_made() {
    let scene = Scene::new();
    scene.send(ERP, &create("k-1")).await;
    let id = scene.told()["transfer"].clone();
    let fate = scene.send(ERP, &command("k-1", "transfer.create", transfer("7"))).await;
    assert!(matches!(&fate[..], [Settled::Rejected { reason, path: None }]
        if reason.starts_with("idempotency_key_reused: ")));
    let told = scene.told();
    assert_eq!((&told["code"], &told["transfer"]), (&json!("idempotency_key_reused"), &id));
    // A command of another type under the same key is another content too.
    let reversal = json!({ "transfer": id, "reason": "x" });
    scene.world.fake.created.lock().unwrap().clear();
    let both = MessagingOptions {
        clients: vec![kiungo_messaging::Client {
            roles: [kiungo_api::Role::Operate].into(),
            ..options().clients[0].clone()
        }],
        ..options()
    };
    let (sender, incoming) = commands();
    let events = Arc::clone(&scene.broker) as Arc<dyn Events>;
    let consumer = CommandConsumer::new(scene.world.service(), events, both).unwrap();
    tokio::spawn(consumer.run(incoming, CancellationToken::new()));
    sender.send(ERP, &command("k-1", "transfer.reverse", reversal).to_string());
    pass(1).await;
    assert_eq!(scene.told()["code"], "idempotency_key_reused");
    assert!(scene.actions().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_delivered_again_is_not_made_again() {
    let scene = Scene::new();
    let id = scene.world.suspended().await;
    let account = json!({ "type": "savings", "id": 7 });
    let assign = command(
        "a-1",
        "suspense.assign",
        json!({ "transfer": id.to_string(), "account": account }),
    );
    for replayed in [false, true, true] {
        assert_eq!(scene.send(DESK, &assign).await, [Settled::Done]);
        assert_eq!(scene.told()["replayed"], replayed);
    }
    assert_eq!(scene.actions(), [format!("assign {id} to Id(7) by desk")]);
    // Under another key it is another wish, which the state does not allow.
    let other = command("a-2", "suspense.assign", assign["data"].clone());
    scene.send(DESK, &other).await;
    assert_eq!(
        (&scene.told()["code"], &scene.told()["transfer"]),
        (&json!("conflict"), &json!(id.to_string()))
    );
}

#[tokio::test(start_paused = true)]
async fn a_change_that_another_process_makes_at_the_same_moment_counts_as_made() {
    let scene = Scene::new();
    let id = scene.world.suspended().await.to_string();
    scene.world.fake.overtaken.store(true, SeqCst);
    let reverse = command("r-1", "transfer.reverse", json!({ "transfer": id, "reason": "asked" }));
    assert_eq!(scene.send(DESK, &reverse).await, [Settled::Done]);
    assert_eq!((&scene.told()["transfer"], &scene.told()["replayed"]), (&json!(id), &json!(true)));
}

#[tokio::test(start_paused = true)]
async fn an_inquiry_is_passed_on() {
    let scene = Scene::new();
    let id = scene.world.suspended().await;
    let inquire = command("i-1", "transfer.inquire", json!({ "transfer": id.to_string() }));
    assert_eq!(scene.send(ERP, &inquire).await, [Settled::Done]);
    assert_eq!(scene.actions(), [format!("inquire {id} by erp")]);
    let unknown = TransferId::new(uuid::Uuid::from_u128(1 << 64));
    let inquire = command("i-2", "transfer.inquire", json!({ "transfer": unknown.to_string() }));
    let reason = format!("transfer_not_found: there is no transfer {unknown}");
    assert_eq!(scene.send(ERP, &inquire).await, rejected(&reason, None));
}

/// A mistyped reference must not name another transfer than it seems to: as in the API.
#[tokio::test(start_paused = true)]
async fn a_reference_that_was_never_used_names_no_transfer() {
    let scene = Scene::new();
    let id = scene.world.suspended().await;
    let unused = Reference::new(id, StepName::First, 7).to_string();
    let account = json!({ "type": "savings", "id": 1 });
    let commands = |transfer: &str| {
        [
            (ERP, "transfer.inquire", json!({ "transfer": transfer })),
            (DESK, "transfer.reverse", json!({ "transfer": transfer, "reason": "x" })),
            (DESK, "suspense.assign", json!({ "transfer": transfer, "account": account })),
            (
                DESK,
                "transfer.decide",
                json!({ "transfer": transfer, "decision": "give_up", "reason": "x" }),
            ),
        ]
    };
    let refused = rejected(&format!("transfer_not_found: there is no transfer {unused}"), None);
    for (number, (user, kind, data)) in commands(&unused).into_iter().enumerate() {
        let body = command(&format!("u{number}"), kind, data);
        assert_eq!(scene.send(user, &body).await, refused, "{kind}");
    }
    assert!(scene.actions().is_empty());
    for number in 0..commands(&unused).len() {
        // Each changes the state of what it is about.
        let id = scene.world.suspended().await;
        let reference = Reference::new(id, StepName::First, 0).to_string();
        let (user, kind, data) = commands(&reference)[number].clone();
        let body = command(&format!("k{number}"), kind, data);
        assert_eq!(scene.send(user, &body).await, [Settled::Done], "{kind}");
    }
    assert_eq!(scene.actions().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_client_without_the_role_is_turned_away() {
    let scene = Scene::new();
    let reverse = command("r", "transfer.reverse", json!({ "transfer": "x", "reason": "y" }));
    for (user, body, code, client) in [
        (None, create("1"), "unauthenticated", Value::Null),
        (Some("guest"), create("2"), "unauthenticated", Value::Null),
        (Some("guest"), json!({ "id": "3" }), "unauthenticated", Value::Null),
        (ERP, reverse, "forbidden", json!("erp")),
        (DESK, create("4"), "forbidden", json!("desk")),
    ] {
        let fate = scene.send(user, &body).await;
        assert!(
            matches!(&fate[..], [Settled::Rejected { reason, .. }] if reason.starts_with(code))
        );
        assert_eq!((&scene.told()["code"], &scene.told()["client"]), (&json!(code), &client));
        assert_eq!(scene.told()["command"], body["id"]);
    }
    assert!(scene.actions().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_impossible_command_is_rejected_with_the_place_of_the_mistake() {
    let scene = Scene::new();
    for (body, code, path) in [
        (command("1", "transfer.create", transfer("0")), "invalid_request", Some("/data/amount")),
        (command("1", "transfer.make", json!({})), "invalid_request", Some("/type")),
        (command("1", "transfer.create", json!([])), "invalid_request", Some("/data")),
        (
            json!({ "id": "1", "specversion": "1.0", "type": "x", "data": {} }),
            "invalid_request",
            Some("/source"),
        ),
        (json!([1]), "invalid_request", Some("")),
    ] {
        scene.send(ERP, &body).await;
        let told = scene.told();
        assert_eq!((&told["code"], told["path"].as_str()), (&json!(code), path), "{body}");
    }
    let fate = scene.sender.send(ERP, "{\"id\":");
    pass(1).await;
    assert!(matches!(&read(&fate)[..], [Settled::Rejected { reason, .. }]
        if reason.starts_with("malformed_request")));
    assert_eq!(scene.told().get("command"), None);
    let long = create(&"x".repeat(70_000));
    let reason = "payload_too_large: the body has more than 65536 bytes";
    assert_eq!(scene.send(ERP, &long).await, rejected(reason, None));
    for content_type in [None, Some("application/json"), Some("text/plain")] {
        scene.sender.send_as(ERP, content_type, &create("1").to_string());
        pass(1).await;
        assert_eq!(scene.told()["code"], "unsupported_media_type");
    }
    let both = json!({ "kind": "deposit", "provider": "B!", "msisdn": "12",
        "account": { "type": "loan", "id": 1 }, "amount": "5", "currency": "TZS" });
    scene.send(ERP, &command("1", "transfer.create", both)).await;
    let faults = scene.told()["faults"].clone();
    let paths: Vec<_> = faults.as_array().unwrap().iter().map(|fault| &fault["path"]).collect();
    assert_eq!(paths, ["/data/provider", "/data/msisdn", "/data/account/type"]);
    assert!(scene.actions().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_command_that_the_engine_refuses_for_good_is_rejected() {
    let scene = Scene::new();
    let provider = kiungo_domain::ProviderId::new("nowhere").unwrap();
    scene
        .world
        .fake
        .submit_errors
        .lock()
        .unwrap()
        .push_back(SubmitError::UnknownProvider(provider));
    let reason = "unknown_provider: no provider `nowhere` is configured";
    assert_eq!(scene.send(ERP, &create("1")).await, rejected(reason, Some("/data/provider")));
    assert_eq!(scene.broker.topics(), ["command.rejected"]);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_impossible_for_now_is_held_and_tried_again() {
    let scene = Scene::new();
    let busy = || SubmitError::Busy { retry_after: Duration::from_secs(5) };
    scene.world.fake.submit_errors.lock().unwrap().extend([busy(), SubmitError::Stopping, busy()]);
    let fate = scene.sender.send(ERP, &create("1").to_string());
    scene.world.books.down.store(true, SeqCst);
    pass(60).await;
    assert_eq!((read(&fate), scene.broker.topics().len()), (vec![], 0));
    scene.world.books.down.store(false, SeqCst);
    pass(6).await;
    assert_eq!(read(&fate), [Settled::Done]);
    assert_eq!(scene.actions(), ["create 1"]);

    let id = scene.world.suspended().await;
    scene.world.fake.request_errors.lock().unwrap().push_back(RequestError::Busy(id));
    let reverse = json!({ "transfer": id.to_string(), "reason": "asked" });
    assert_eq!(scene.send(DESK, &command("2", "transfer.reverse", reverse)).await, [Settled::Done]);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_takes_too_long_is_tried_again_and_replayed() {
    let scene = Scene::new();
    *scene.world.fake.conduct.lock().unwrap() = Conduct::Slow(Duration::from_secs(45));
    let fate = scene.sender.send(ERP, &create("1").to_string());
    pass(29).await;
    *scene.world.fake.conduct.lock().unwrap() = Conduct::Prompt;
    pass(2).await;
    assert_eq!(read(&fate), [Settled::Done]);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_stays_impossible_goes_back_to_the_broker() {
    let scene = Scene::new();
    scene.world.books.down.store(true, SeqCst);
    let fate = scene.sender.send(ERP, &create("1").to_string());
    pass(590).await;
    assert_eq!(read(&fate), []);
    pass(15).await;
    assert_eq!(read(&fate), [Settled::Later]);
    assert!(scene.broker.topics().is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_let_go_before_its_answer_is_confirmed() {
    let scene = Scene::new();
    scene.broker.down.store(true, SeqCst);
    let good = scene.sender.send(ERP, &create("1").to_string());
    let bad = scene.sender.send(ERP, "{}");
    pass(30).await;
    assert_eq!((read(&good), read(&bad)), (vec![], vec![]));
    scene.broker.down.store(false, SeqCst);
    pass(6).await;
    assert_eq!(read(&good), [Settled::Done]);
    assert!(matches!(read(&bad)[..], [Settled::Rejected { .. }]));
    assert_eq!(scene.broker.topics().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn at_the_end_what_runs_is_finished_and_what_waits_goes_back() {
    let scene = Scene::new();
    *scene.world.fake.conduct.lock().unwrap() = Conduct::Slow(Duration::from_secs(5));
    let running = scene.sender.send(ERP, &create("1").to_string());
    pass(1).await;
    let stopping = SubmitError::Stopping;
    scene.world.fake.submit_errors.lock().unwrap().push_back(stopping);
    *scene.world.fake.conduct.lock().unwrap() = Conduct::Prompt;
    let waiting = scene.sender.send(ERP, &create("2").to_string());
    tokio::time::sleep(Duration::from_millis(50)).await;
    scene.stop.cancel();
    let late = scene.sender.send(ERP, &create("3").to_string());
    scene.task.await.unwrap();
    assert_eq!((read(&running), read(&waiting)), (vec![Settled::Done], vec![Settled::Later]));
    assert_eq!(read(&late), []);
}

#[tokio::test(start_paused = true)]
async fn no_more_are_carried_out_at_a_time_than_the_bound() {
    let scene = Scene::with(MessagingOptions { commands_in_flight_max: 8, ..options() });
    *scene.world.fake.conduct.lock().unwrap() = Conduct::Slow(Duration::from_secs(1));
    let fates: Vec<Fate> =
        (0..50).map(|n| scene.sender.send(ERP, &create(&format!("k-{n}")).to_string())).collect();
    pass(30).await;
    assert!(fates.iter().all(|fate| read(fate) == [Settled::Done]));
    assert_eq!(*scene.world.fake.in_flight.lock().unwrap(), (0, 8));
    let query = TransferQuery { limit: 100, ..TransferQuery::default() };
    let all = scene.world.service().store().search(&query).await.unwrap();
    assert_eq!(all.rows.len(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_phone_number_in_the_wrong_place_is_not_passed_on() {
    let scene = Scene::new();
    let mut data = transfer("5");
    data["account"] = json!("255712345678");
    data["255712345678"] = json!(1);
    let fate = scene.send(ERP, &command("1", "transfer.create", data)).await;
    let event = scene.broker.last().to_string();
    assert!(!event.contains("255712345678"), "{event}");
    assert!(!format!("{fate:?}").contains("255712345678"));
}

#[tokio::test(start_paused = true)]
async fn actions_of_persons_are_commands_of_operators() {
    let scene = Scene::new();
    scene.send(ERP, &command("0", "transfer.create", transfer("500"))).await;
    let id = scene.told()["transfer"].as_str().unwrap().to_owned();
    let reason = "seen in the portal";
    let commands = [
        (
            "transfer.decide",
            json!({ "transfer": id, "decision": "give_up", "reason": reason }),
            "give_up",
        ),
        (
            "provider.hold",
            json!({ "provider": "mpesa-tz", "operation": "pay_out", "reason": reason }),
            "hold",
        ),
        (
            "provider.release",
            json!({ "provider": "mpesa-tz", "operation": "collect", "reason": reason }),
            "release",
        ),
        (
            "payment.claim",
            json!({
                "provider": "mpesa-tz", "receipt": "QX1", "amount": "5", "currency": "TZS",
                "reason": reason,
            }),
            "claim",
        ),
        ("arrival.handle_again", json!({ "arrival": 7, "reason": reason }), "handle_again"),
        ("arrival.dismiss", json!({ "arrival": 7, "reason": reason }), "dismiss"),
    ];
    for (number, (kind, data, action)) in commands.into_iter().enumerate() {
        let body = command(&format!("a{number}"), kind, data);
        assert_eq!(scene.send(DESK, &body).await, [Settled::Done], "{kind}");
        assert_eq!(scene.told()["state"], "done", "{kind}");
        let done = scene.actions().pop().unwrap();
        assert!(done.starts_with(action) && done.contains(&format!("by desk: {reason}")), "{done}");
        // A client that may only create is refused before anything happens.
        let actions = scene.actions().len();
        scene.send(ERP, &body).await;
        assert_eq!(
            (scene.told()["code"].as_str(), scene.actions().len()),
            (Some("forbidden"), actions)
        );
    }
    let action = "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00";
    for kind in ["action.approve", "action.decline"] {
        let data = json!({ "action": action, "reason": reason });
        scene.send(DESK, &command(kind, kind, data)).await;
        assert_eq!(scene.told()["code"], "action_not_found", "{kind}");
    }
}
