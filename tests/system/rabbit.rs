//! A broker, and the commands that use it.

use kiungo_queue_rabbit::{RabbitOptions, RabbitQueue, Topology};
use lapin::options::{
    BasicPublishOptions, ConfirmSelectOptions, ExchangeDeleteOptions, QueueDeleteOptions,
};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use serde_json::Value;
use uuid::Uuid;

use crate::cli::read;
use crate::kiungo::Installation;
use crate::world::World;

const SHARDS: u16 = 2;

/// Names in the broker of its own, which are deleted with it.
pub(crate) struct Names {
    prefix: String,
}

impl Names {
    pub(crate) fn new() -> Self {
        Self { prefix: format!("program-{}", Uuid::now_v7().simple()) }
    }

    pub(crate) fn options(&self) -> RabbitOptions {
        let mut options = RabbitOptions::new(&url()).unwrap();
        options.prefix.clone_from(&self.prefix);
        options.shards = SHARDS;
        options
    }

    /// The environment variables that make a process use these names.
    pub(crate) fn environment(&self) -> [(&'static str, String); 3] {
        [
            ("KIUNGO__QUEUE__URL", url()),
            ("KIUNGO__QUEUE__PREFIX", self.prefix.clone()),
            ("KIUNGO__QUEUE__SHARDS", SHARDS.to_string()),
        ]
    }

    pub(crate) fn topology(&self) -> Topology {
        Topology::new(&self.options())
    }

    /// Runs a command with its queue here.
    pub(crate) async fn run(
        &self,
        installation: &Installation,
        line: &str,
    ) -> (i32, String, String) {
        let mut words: Vec<&str> = line.split(' ').collect();
        words.extend(["--config", "kiungo.toml"]);
        let mut command = installation.command(&words);
        command.envs(self.environment());
        read(command.output().await.unwrap())
    }

    pub(crate) async fn json(&self, installation: &Installation, line: &str) -> Value {
        let (code, out, complaint) = self.run(installation, &format!("--json {line}")).await;
        assert_eq!(code, 0, "{line}: {complaint}");
        serde_json::from_str(&out).unwrap()
    }

    /// A command of another system that Kiungo rejects.
    async fn rejected_command(&self) {
        let queue = RabbitQueue::open(self.options()).await.unwrap();
        let connection = connect().await;
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let published = channel.basic_publish(
            queue.topology().commands_exchange().into(),
            "transfer.create".into(),
            BasicPublishOptions::default(),
            b"{\"amount\": \"many\"}",
            BasicProperties::default().with_message_id("order-7".into()).with_delivery_mode(2),
        );
        published.await.unwrap().await.unwrap();
        let command = queue.commands().next().await.unwrap();
        command.settle.reject("not an amount", Some("data.amount")).await.unwrap();
        queue.close().await;
    }
}

/// In a thread of its own, because the test's runtime is ending.
impl Drop for Names {
    fn drop(&mut self) {
        let topology = self.topology();
        let deleted = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(delete(&topology));
        });
        let _ = deleted.join();
    }
}

async fn delete(topology: &Topology) {
    let connection = connect().await;
    let channel = connection.create_channel().await.unwrap();
    for queue in &topology.queues {
        let name = queue.name.as_str().into();
        channel.queue_delete(name, QueueDeleteOptions::default()).await.unwrap();
    }
    for exchange in &topology.exchanges {
        let name = exchange.name.as_str().into();
        channel.exchange_delete(name, ExchangeDeleteOptions::default()).await.unwrap();
    }
}

pub(crate) async fn connect() -> Connection {
    Connection::connect(&url(), ConnectionProperties::default()).await.unwrap()
}

pub(crate) fn url() -> String {
    std::env::var("KIUNGO_TEST_AMQP_URL").unwrap_or_else(|_| {
        panic!(
            "KIUNGO_TEST_AMQP_URL names no RabbitMQ broker: `cargo xtask test` starts one and sets \
             it; any virtual host in which queues may be made will do"
        )
    })
}

#[tokio::test]
async fn the_topology_is_printed_declared_and_looked_at_by_the_doctor() {
    let installation = Installation::new(&World::start().await);
    let names = Names::new();
    let (code, out, _) = names.run(&installation, "queue topology").await;
    assert!(code == 0 && out.contains(".work.v1.01") && out.contains("quorum"), "{out}");
    let topology = names.json(&installation, "queue topology").await;
    assert_eq!(topology["queues"].as_array().unwrap().len(), 4);
    let (_, out, _) = names.run(&installation, "doctor").await;
    assert!(out.contains("to be made: 8"), "{out}");
    for _ in 0..2 {
        assert_eq!(names.json(&installation, "queue topology --declare").await["declared"], true);
    }
    let (code, out, _) = names.run(&installation, "doctor").await;
    assert!(code == 0 && out.contains("everything is there"), "{out}");
    assert!(!out.contains("guest:"), "{out}");
}

#[tokio::test]
async fn a_dead_letter_is_listed_shown_and_sent_again_with_who_and_why() {
    let installation = Installation::new(&World::start().await);
    let names = Names::new();
    names.rejected_command().await;
    let list = names.json(&installation, "queue dead list").await;
    let letter = &list["dead_letters"][0];
    assert_eq!((&letter["id"], &letter["path"]), (&"order-7".into(), &"data.amount".into()));
    let (code, out, _) = names.run(&installation, "queue dead list --limit 1").await;
    assert!(code == 0 && out.contains("not an amount (at"), "{out}");
    let (code, out, _) = names.run(&installation, "queue dead show order-7").await;
    assert!(code == 0 && out.ends_with("{\"amount\": \"many\"}\n"), "{out}");
    let shown = names.json(&installation, "queue dead show order-7").await;
    assert_eq!(shown["body"], "{\"amount\": \"many\"}");

    assert!(shown["given_up_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{shown}");

    let unknown =
        names.run(&installation, "queue dead redrive order-8 --by amina --why repaired").await;
    assert!(unknown.0 == 1 && unknown.2.contains("no `order-8`"), "{unknown:?}");
    let nameless = names.run(&installation, "queue dead redrive order-7 --why repaired").await;
    assert_eq!(nameless.0, 2, "{nameless:?}");
    let sent =
        names.json(&installation, "queue dead redrive order-7 --by amina --why repaired").await;
    assert_eq!(sent["redriven"]["id"], "order-7");
    let left = names.json(&installation, "queue dead list").await;
    assert_eq!(left["dead_letters"], serde_json::json!([]));
    let queue = RabbitQueue::open(names.options()).await.unwrap();
    let again = queue.commands().next().await.unwrap();
    assert_eq!(again.redriven.unwrap().by, "amina");
    again.settle.done().await.unwrap();

    names.rejected_command().await;
    let nameless = names.run(&installation, "queue dead discard order-7 --by amina").await;
    assert_eq!(nameless.0, 2, "{nameless:?}");
    let gone = names.json(&installation, "queue dead discard order-7 --by amina --why twice").await;
    assert_eq!(gone["discarded"]["body"], "{\"amount\": \"many\"}", "{gone}");
    let unknown =
        names.run(&installation, "queue dead discard order-7 --by amina --why twice").await;
    assert!(unknown.0 == 1 && unknown.2.contains("no `order-7`"), "{unknown:?}");
    let left = names.json(&installation, "queue dead list").await;
    assert_eq!(left["dead_letters"], serde_json::json!([]));

    let database = kiungo_store_sql::SqliteOptions::new(installation.path().join("kiungo.db"));
    let store = kiungo_store_sql::SqliteStore::open(&database).await.unwrap();
    let actions = kiungo_store::ActionStore::actions(&store, &kiungo_store::ActionQuery::default())
        .await
        .unwrap();
    let told: Vec<_> =
        actions.rows.iter().map(|a| (&*a.by, &*a.what, &*a.subject, &*a.reason)).collect();
    let expected =
        [("amina", "discard", "order-7", "twice"), ("amina", "redrive", "order-7", "repaired")];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn without_a_broker_there_is_nothing_to_look_at() {
    let installation = Installation::new(&World::start().await);
    for line in [&["queue", "topology"][..], &["queue", "dead", "list"]] {
        let line = [line, &["--config", "kiungo.toml"]].concat();
        let (code, _, complaint) = read(installation.command(&line).output().await.unwrap());
        assert!(code == 2 && complaint.contains("the queue is embedded"), "{complaint}");
    }
    let mut command = installation.command(&["queue", "dead", "list", "--config", "kiungo.toml"]);
    command.env("KIUNGO__QUEUE__URL", "amqp://kiungo:sesame@127.0.0.1:1/%2f");
    let (code, _, complaint) = read(command.output().await.unwrap());
    assert!(code == 1 && complaint.contains("queue.url: RabbitMQ at 127.0.0.1:1"), "{complaint}");
    assert!(!complaint.contains("sesame"), "{complaint}");
}
