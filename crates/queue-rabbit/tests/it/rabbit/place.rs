//! Names of its own for each test, and what other systems do at the broker.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use kiungo_queue::contract::fixtures::{PREFETCH, SHARDS};
use kiungo_queue::contract::{Harness, Listener, Process};
use kiungo_queue::{EventMessage, SentCommand};
use kiungo_queue_rabbit::{RabbitOptions, RabbitQueue, Topology};
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeleteOptions,
    QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use uuid::Uuid;

/// A prefix; what is called by it is deleted with it.
pub(super) struct Names {
    prefix: String,
    connection: Connection,
    other: Channel,
}

impl Names {
    pub(super) async fn new() -> Self {
        let prefix = format!("test-{}", Uuid::now_v7().simple());
        let connection = connect().await;
        let other = connection.create_channel().await.unwrap();
        other.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        Self { prefix, connection, other }
    }

    /// The options to open a queue under these names.
    pub(super) fn options(&self) -> RabbitOptions {
        self.options_at(&url())
    }

    pub(super) fn options_at(&self, url: &str) -> RabbitOptions {
        let mut options = RabbitOptions::new(url).unwrap();
        options.prefix.clone_from(&self.prefix);
        options.shards = SHARDS;
        (options.prefetch, options.commands_prefetch) = (PREFETCH, PREFETCH);
        options
    }

    pub(super) fn topology(&self) -> Topology {
        Topology::new(&self.options())
    }

    pub(super) async fn delete_queue(&self, name: &str) {
        let name = format!("{}.{name}", self.prefix);
        self.other.queue_delete(name.into(), QueueDeleteOptions::default()).await.unwrap();
    }

    /// As any system might.
    pub(super) async fn publish(
        &self,
        exchange: &str,
        routing_key: &str,
        properties: BasicProperties,
        body: &[u8],
    ) {
        let exchange = format!("{}.{exchange}", self.prefix);
        let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let published = self.other.basic_publish(
            exchange.into(),
            routing_key.into(),
            mandatory,
            body,
            properties.with_delivery_mode(2),
        );
        let confirmed = published.await.unwrap().await.unwrap();
        assert_eq!(confirmed, lapin::Confirmation::Ack(None));
    }

    pub(super) async fn listen_to(&self, topics: &str) -> Box<dyn Listener> {
        let channel = self.connection.create_channel().await.unwrap();
        let (own, none) =
            (QueueDeclareOptions { exclusive: true, ..Default::default() }, FieldTable::default);
        let queue = channel.queue_declare("".into(), own, none()).await.unwrap();
        let (name, events) = (queue.name().clone(), self.topology().events_exchange());
        let bound = channel.queue_bind(
            name.clone(),
            events.into(),
            topics.into(),
            QueueBindOptions::default(),
            none(),
        );
        bound.await.unwrap();
        let without = BasicConsumeOptions { no_ack: true, ..Default::default() };
        let consumer = channel.basic_consume(name, "".into(), without, none()).await.unwrap();
        Box::new(Heard { consumer, _channel: channel })
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
    connection.close(200, "OK".into()).await.unwrap();
}

async fn connect() -> Connection {
    Connection::connect(&url(), ConnectionProperties::default()).await.unwrap()
}

pub(super) fn url() -> String {
    std::env::var("KIUNGO_TEST_AMQP_URL").unwrap_or_else(|_| {
        panic!(
            "KIUNGO_TEST_AMQP_URL names no RabbitMQ broker: `cargo xtask test` starts one and sets \
             it; any virtual host in which queues may be made will do"
        )
    })
}

#[async_trait]
impl Harness for Names {
    async fn open(&self) -> Process {
        let queue = RabbitQueue::open(self.options()).await.unwrap();
        Process {
            work: Arc::new(queue.clone()),
            events: Arc::new(queue.clone()),
            dead: Arc::new(queue.clone()),
            commands: Box::new(move || queue.commands()),
        }
    }

    async fn restart(&self, process: Process) -> Option<Process> {
        drop(process);
        Some(self.open().await)
    }

    async fn listen(&self) -> Box<dyn Listener> {
        self.listen_to("#").await
    }

    async fn send(&self, command: SentCommand) {
        let mut properties = BasicProperties::default();
        if let Some(user) = command.user {
            properties = properties.with_user_id(user.into());
        }
        if let Some(content_type) = command.content_type {
            properties = properties.with_content_type(content_type.into());
        }
        self.publish("commands", &command.routing_key, properties, &command.body).await;
    }

    fn user(&self) -> String {
        self.options().user().to_owned()
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(300)
    }
}

struct Heard {
    consumer: Consumer,
    _channel: Channel,
}

#[async_trait]
impl Listener for Heard {
    async fn next(&mut self) -> EventMessage {
        let next = tokio::time::timeout(Duration::from_secs(20), self.consumer.next()).await;
        let message = next.expect("an event comes").unwrap().unwrap();
        EventMessage {
            id: message.properties.message_id().as_ref().unwrap().to_string(),
            topic: message.routing_key.to_string(),
            body: Bytes::from(message.data),
        }
    }
}
