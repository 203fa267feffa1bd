//! Another system of the institution, which listens to all events from the start: a durable queue of
//! its own, bound to `kiungo.events`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use kiungo_domain::TransferId;
use kiungo_queue::{DeadLetter, DeadLetters as _, Shard};
use kiungo_queue_rabbit::{RabbitOptions, RabbitQueue, Topology};
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Connection, ConnectionProperties};
use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

const QUEUE: &str = "chaos.events";
const TOPICS: [&str; 2] = ["transfer.#", "case.#"];
/// Deliveries that are under way; what is not acknowledged comes again after a loss.
const PREFETCH: u16 = 256;
const AGAIN_AFTER: Duration = Duration::from_millis(300);
/// The time without a delivery after which nothing more is under way.
const SILENCE: Duration = Duration::from_secs(2);
/// The number of dead letters that are looked at.
const LETTERS_MAX: u32 = 200;

/// An event as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReceivedEvent {
    pub(super) id: String,
    /// Its type.
    pub(super) kind: String,
    /// The transfer that it is about, if that could be read.
    pub(super) transfer: Option<TransferId>,
    /// The transfer's version that it tells of.
    pub(super) sequence: u64,
    /// The status that it tells.
    pub(super) status: String,
    /// The case, if it tells of one.
    pub(super) case: Option<String>,
}

/// The listener; it ends when this is dropped.
pub(super) struct Listener {
    broker: String,
    received: Arc<Mutex<Vec<ReceivedEvent>>>,
    last: Arc<Mutex<Instant>>,
    _listening: JoinSet<()>,
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    sequence: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    transfer: Shown,
    case: Option<Case>,
}

#[derive(Deserialize)]
struct Shown {
    status: String,
}

#[derive(Deserialize)]
struct Case {
    kind: String,
}

impl Listener {
    /// Declares what Kiungo declares, binds a queue, and begins to listen.
    ///
    /// # Errors
    /// The broker refuses.
    pub(super) async fn start(broker: &str) -> anyhow::Result<Self> {
        let queue = RabbitQueue::open(RabbitOptions::new(broker)?).await?;
        let exchange = queue.topology().events_exchange();
        queue.close().await;
        bind(broker, &exchange).await.context("the listener's queue cannot be made")?;
        let received = Arc::new(Mutex::new(Vec::new()));
        let last = Arc::new(Mutex::new(Instant::now()));
        let mut listening = JoinSet::new();
        let (url, into, at) = (broker.to_owned(), Arc::clone(&received), Arc::clone(&last));
        listening.spawn(async move {
            loop {
                // The broker was stopped, or something like it: from where it was.
                let _ = listen(&url, &into, &at).await;
                sleep(AGAIN_AFTER).await;
            }
        });
        Ok(Self { broker: broker.to_owned(), received, last, _listening: listening })
    }

    /// The number of events that were received until now.
    pub(super) fn count(&self) -> usize {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// True if nothing has come for a while.
    pub(super) fn is_silent(&self) -> bool {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed() > SILENCE
    }

    /// Returns all events that were received, in their order.
    pub(super) fn received(&self) -> Vec<ReceivedEvent> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The queues of the work that hold messages or have no consumer, for people: ready messages and
    /// consumers.
    ///
    /// # Errors
    /// The broker does not answer.
    pub(super) async fn queues(&self) -> anyhow::Result<Vec<String>> {
        let topology = Topology::new(&RabbitOptions::new(&self.broker)?);
        let connection = Connection::connect(&self.broker, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let mut found = Vec::new();
        for shard in (0..).map(Shard) {
            let Some(name) = topology.work_queue(shard) else { break };
            let look = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let queue = channel.queue_declare(name.as_str().into(), look, FieldTable::default());
            let queue = queue.await?;
            if queue.message_count() > 0 || queue.consumer_count() == 0 {
                let (messages, consumers) = (queue.message_count(), queue.consumer_count());
                found.push(format!("{name}: {messages} messages wait for {consumers} consumers"));
            }
        }
        connection.close(200, "OK".into()).await?;
        Ok(found)
    }

    /// The dead letters.
    ///
    /// # Errors
    /// The broker does not answer.
    pub(super) async fn dead_letters(&self) -> anyhow::Result<Vec<DeadLetter>> {
        let queue = RabbitQueue::open(RabbitOptions::new(&self.broker)?).await?;
        let letters = queue.list(LETTERS_MAX).await;
        queue.close().await;
        Ok(letters?)
    }
}

async fn bind(broker: &str, exchange: &str) -> lapin::Result<()> {
    let connection = Connection::connect(broker, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    channel.queue_declare(QUEUE.into(), durable, arguments).await?;
    for topic in TOPICS {
        let options = QueueBindOptions::default();
        let nothing = FieldTable::default();
        channel.queue_bind(QUEUE.into(), exchange.into(), topic.into(), options, nothing).await?;
    }
    connection.close(200, "OK".into()).await
}

async fn listen(
    broker: &str,
    received: &Mutex<Vec<ReceivedEvent>>,
    last: &Mutex<Instant>,
) -> lapin::Result<()> {
    let connection = Connection::connect(broker, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    let consumer = channel.basic_consume(QUEUE.into(), "".into(), options, FieldTable::default());
    let mut consumer = consumer.await?;
    while let Some(delivery) = consumer.next().await {
        let delivery = delivery?;
        let event = read(&delivery.data);
        received.lock().unwrap_or_else(PoisonError::into_inner).push(event);
        *last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        delivery.acker.ack(BasicAckOptions::default()).await?;
    }
    Ok(())
}

/// An event that cannot be read is kept too: it contradicts everything.
fn read(body: &[u8]) -> ReceivedEvent {
    match serde_json::from_slice::<Envelope>(body) {
        Ok(event) => ReceivedEvent {
            id: event.id,
            kind: event.kind,
            transfer: TransferId::parse(&event.subject).ok(),
            sequence: event.sequence.parse().unwrap_or(0),
            status: event.data.transfer.status,
            case: event.data.case.map(|case| case.kind),
        },
        Err(error) => ReceivedEvent {
            id: error.to_string(),
            kind: "unreadable".to_owned(),
            transfer: None,
            sequence: 0,
            status: String::new(),
            case: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_and_what_is_none_is_kept() {
        let body = r#"{"id":"a/3/completed","type":"kiungo.transfer.completed",
            "subject":"019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00","sequence":"0000000003",
            "data":{"transfer":{"status":"completed"}}}"#;
        let received = read(body.as_bytes());
        assert!(received.transfer.is_some() && received.sequence == 3 && received.case.is_none());
        assert_eq!(
            (received.status.as_str(), received.id.as_str()),
            ("completed", "a/3/completed")
        );
        assert_eq!(read(b"{}").kind, "unreadable");
    }
}
