//! Commands and events, as another system meets them: by the client of the documentation, and by what
//! no client should send.

use std::collections::BTreeSet;
use std::time::Duration;

use kiungo_domain::transfer::Kind;
use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use crate::kiungo::{Installation, Serving, Wanted};
use crate::rabbit::{connect, url};
use crate::workers;
use crate::world::World;

const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/amqp_client.py");
/// With the module that `cargo xtask test` provides.
const PYTHON: &str = "/usr/bin/python3";
const PATIENCE: Duration = Duration::from_secs(40);
const MEDIA_TYPE: &str = "application/cloudevents+json";

/// A Kiungo that serves, and one that works, for the broker's user as a client.
async fn start(world: &World) -> (Installation, Serving, Serving) {
    let installation = workers::installation(world).await;
    let user = installation.names().options().user().to_owned();
    installation.amend(
        "[[cores]]",
        &format!(
            "[[messaging.clients]]\nuser = \"{user}\"\nname = \"erp\"\n\
             roles = [\"write\", \"operate\"]\n[[cores]]"
        ),
    );
    let (serving, worker) = (installation.serve(&[]).await, installation.work(&[]).await);
    (installation, serving, worker)
}

/// Runs the client of the documentation: its exit code and what it says.
async fn ask(installation: &Installation, key: &str, transfer: &Value) -> (i32, String) {
    let prefix = installation.names().options().prefix;
    let mut command = Command::new(PYTHON);
    command.args([CLIENT, "--url", &url(), "--prefix", &prefix, "--key", key]);
    let output = command.args(["--timeout", "30", &transfer.to_string()]).output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(complaint.is_empty(), "{complaint} (cargo xtask test provides {PYTHON} with pika)");
    (output.status.code().unwrap(), said)
}

#[tokio::test]
async fn the_example_client_creates_a_transfer_hears_of_its_end_and_is_told_what_is_wrong() {
    let world = World::start().await;
    let (installation, serving, worker) = start(&world).await;
    let wanted = Wanted::new(&world, Kind::Deposit, "gsma-sandbox");
    let (code, said) = ask(&installation, "order-1", &wanted.body()).await;
    let lines: Vec<&str> = said.lines().collect();
    assert!(code == 0 && lines[0].starts_with("kiungo.command.accepted "), "{said}");
    let id = lines[0].split(' ').nth(1).unwrap();
    assert_eq!(lines[1], format!("kiungo.transfer.completed {id}"), "{said}");

    // The same once more, as after a lost answer: its end was told before, so nothing follows.
    let heard = Heard::begin(&installation).await;
    send(&heard.channel, &installation, &command("order-1", "transfer.create", &wanted.body()))
        .await;
    let answer = heard.answer("order-1").await;
    assert_eq!(answer["data"]["replayed"], true, "{answer}");
    assert_eq!(answer["data"]["transfer"], id, "{answer}");

    let mut wrong = wanted.body();
    wrong["amount"] = json!("0");
    let (code, said) = ask(&installation, "order-2", &wrong).await;
    assert!(code == 2 && said.starts_with("kiungo.command.rejected "), "{said}");
    let answer = heard.answer("order-2").await;
    assert_eq!(answer["data"]["path"], "/data/amount", "{answer}");
    rejected_is_kept_and_can_be_sent_again(&installation, &heard).await;

    let transfer = serving.until_final(id).await;
    let audit = world.audit(&[wanted.claim(&transfer)]);
    assert!(audit.is_clean(), "{audit:?}");
    let listed = serving.get("/v1/transfers").await.unwrap();
    assert_eq!(listed["transfers"].as_array().unwrap().len(), 1, "{listed}");
    workers::stop_both(&installation, serving, worker).await;
}

/// Whole, with its reason; sent again, it is rejected again.
async fn rejected_is_kept_and_can_be_sent_again(installation: &Installation, heard: &Heard) {
    let names = installation.names();
    let list = names.json(installation, "queue dead list").await;
    let [letter] = list["dead_letters"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!((&letter["id"], &letter["path"]), (&json!("order-2"), &json!("/data/amount")));
    let shown = names.json(installation, "queue dead show order-2").await;
    let body: Value = serde_json::from_str(shown["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["data"]["amount"], "0", "{shown}");
    names.json(installation, "queue dead redrive order-2 --by amina --why tried").await;
    assert_eq!(heard.answer("order-2").await["type"], "kiungo.command.rejected");
    let list = dead_letters(installation, 1).await;
    assert_eq!(list[0]["id"], "order-2", "{list:?}");
}

#[tokio::test]
async fn poison_of_every_kind_is_kept_with_a_reason_and_stops_nothing() {
    let world = World::start().await;
    let (installation, serving, worker) = start(&world).await;
    let heard = Heard::begin(&installation).await;
    let good = Wanted::new(&world, Kind::Withdrawal, "gsma-sandbox");
    let poison = poison(&good.body());
    for (number, (content_type, named, body)) in poison.iter().enumerate() {
        let mut properties =
            BasicProperties::default().with_message_id(format!("poison-{number}").into());
        if let Some(content_type) = content_type {
            properties = properties.with_content_type((*content_type).into());
        }
        if *named {
            properties = properties.with_user_id(user(&installation));
        }
        publish(
            &heard.channel,
            &installation.names().topology().commands_exchange(),
            "transfer.create",
            body,
            properties,
        )
        .await;
    }
    let works: [&[u8]; 10] = [
        b"",
        b"null",
        b"[1]",
        b"\xff\xfe{\0}\0",
        br#"{"work":{}}"#,
        br#"{"work":[]}"#,
        br#"{"work":[1.5]}"#,
        br#"{"work":[0]}"#,
        br#"{"work":[1],"work":[2]}"#,
        br#"{"work":["a transfer"]}"#,
    ];
    let work = installation.names().topology().work_exchange();
    for (number, body) in works.iter().enumerate() {
        let id = format!("work-{number}");
        let properties = BasicProperties::default().with_message_id(id.into());
        publish(&heard.channel, &work, "00", body, properties).await;
    }
    let letters = dead_letters(&installation, poison.len() + works.len()).await;
    let ids: BTreeSet<&str> = letters.iter().map(|l| l["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), letters.len(), "{letters:#?}");
    for letter in &letters {
        assert!(!letter["reason"].as_str().unwrap().is_empty(), "{letter}");
    }
    let (code, said) = ask(&installation, "good", &good.body()).await;
    assert_eq!(code, 0, "{said}");
    let listed = serving.get("/v1/transfers").await.unwrap();
    assert_eq!(listed["transfers"].as_array().unwrap().len(), 1, "{listed}");
    workers::stop_both(&installation, serving, worker).await;
}

/// Content type, whether the sender is named, and body.
type Poison = (Option<&'static str>, bool, Vec<u8>);

fn poison(good: &Value) -> Vec<Poison> {
    let whole = |change: fn(&mut Value)| {
        let mut command = command("poison", "transfer.create", good);
        change(&mut command);
        command.to_string().into_bytes()
    };
    let fine = whole(|_| {});
    let twice = String::from_utf8(fine.clone()).unwrap().replacen('{', "{\"id\":\"other\",", 1);
    let cloud_event = |body: Vec<u8>| (Some(MEDIA_TYPE), true, body);
    vec![
        cloud_event(Vec::new()),
        cloud_event(b"not json".to_vec()),
        cloud_event(b"\xff\xfe{\0}\0".to_vec()),
        cloud_event(b"[]".to_vec()),
        cloud_event("[".repeat(30_000).into_bytes()),
        cloud_event(whole(|command| command["specversion"] = json!("9"))),
        cloud_event(whole(|command| command["type"] = json!("transfer.destroy"))),
        cloud_event(whole(|command| command["data"]["amount"] = json!(12.5))),
        cloud_event(whole(|command| command["data"]["colour"] = json!("red"))),
        cloud_event(whole(|command| command["extra"] = json!("x".repeat(70_000)))),
        cloud_event(twice.into_bytes()),
        (Some("text/plain"), true, fine.clone()),
        (None, true, fine.clone()),
        (Some(MEDIA_TYPE), false, fine),
    ]
}

fn command(id: &str, kind: &str, data: &Value) -> Value {
    json!({ "specversion": "1.0", "id": id, "source": "/tests", "type": kind, "data": data })
}

/// The dead letters, once there are this many.
async fn dead_letters(installation: &Installation, count: usize) -> Vec<Value> {
    let mut letters = Vec::new();
    let listed = async {
        while letters.len() < count {
            sleep(Duration::from_millis(100)).await;
            let list = installation.names().json(installation, "queue dead list").await;
            letters.clone_from(list["dead_letters"].as_array().unwrap());
        }
    };
    let in_time = timeout(PATIENCE, listed).await.is_ok();
    assert!(in_time && letters.len() == count, "{} of {count}: {letters:#?}", letters.len());
    letters
}

/// A listener of answers, with a channel to send by.
struct Heard {
    channel: Channel,
    queue: ShortString,
    _connection: lapin::Connection,
}

impl Heard {
    async fn begin(installation: &Installation) -> Self {
        let connection = connect().await;
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let exclusive = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        let declared = channel.queue_declare("".into(), exclusive, FieldTable::default());
        let queue = declared.await.unwrap().name().clone();
        let events = installation.names().topology().events_exchange();
        let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
        let bound = channel.queue_bind(
            queue.clone(),
            events.as_str().into(),
            "command.*".into(),
            options,
            arguments,
        );
        bound.await.unwrap();
        Self { channel, queue, _connection: connection }
    }

    /// The next answer to this command.
    async fn answer(&self, command: &str) -> Value {
        let next = async {
            loop {
                let options = BasicGetOptions { no_ack: true };
                let Some(message) =
                    self.channel.basic_get(self.queue.clone(), options).await.unwrap()
                else {
                    sleep(Duration::from_millis(50)).await;
                    continue;
                };
                let event: Value = serde_json::from_slice(&message.data).unwrap();
                if event["data"]["command"] == command {
                    return event;
                }
            }
        };
        timeout(PATIENCE, next).await.expect("no answer in time")
    }
}

fn user(installation: &Installation) -> ShortString {
    installation.names().options().user().into()
}

async fn send(channel: &Channel, installation: &Installation, command: &Value) {
    let properties = BasicProperties::default()
        .with_content_type(MEDIA_TYPE.into())
        .with_user_id(user(installation))
        .with_delivery_mode(2);
    let kind = command["type"].as_str().unwrap();
    let body = command.to_string();
    publish(
        channel,
        &installation.names().topology().commands_exchange(),
        kind,
        body.as_bytes(),
        properties,
    )
    .await;
}

async fn publish(
    channel: &Channel,
    exchange: &str,
    key: &str,
    body: &[u8],
    properties: BasicProperties,
) {
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let published = channel.basic_publish(exchange.into(), key.into(), options, body, properties);
    let confirmed = published.await.unwrap().await.unwrap();
    assert!(confirmed.is_ack(), "{confirmed:?}");
}
