//! The exchanges and queues: as data, and how they are declared.
//!
//! The arguments of a queue cannot change once it exists, so its name carries their version.

use kiungo_queue::{QueueError, Shard};
use lapin::options::{
    ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions,
    QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Connection, ErrorKind, ExchangeKind};
use serde::Serialize;
use tokio::time::Instant;

use super::link::Link;
use super::{OpenError, RabbitOptions, unavailable};

/// A limit that is none: since version 4 the broker would otherwise set one, and drop dead letters
/// that have been looked at twenty times.
const NO_DELIVERY_LIMIT: i64 = 2_000_000_000;

/// Names and arguments of everything in the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Topology {
    /// The exchanges to which messages are sent.
    pub exchanges: Vec<Exchange>,
    /// The queues in which they wait.
    pub queues: Vec<Queue>,
    /// The bindings by which exchanges fill queues.
    pub bindings: Vec<Binding>,
    #[serde(skip)]
    prefix: String,
    #[serde(skip)]
    shards: u16,
}

/// A durable exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exchange {
    /// Its name.
    pub name: String,
    /// `direct`, `topic` or `fanout`.
    pub kind: &'static str,
}

/// A durable queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Its arguments, sorted by name.
    pub arguments: std::collections::BTreeMap<&'static str, Argument>,
}

/// The value of an argument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Argument {
    /// Yes or no.
    Flag(bool),
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

/// A binding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Binding {
    /// From this exchange,
    pub exchange: String,
    /// what is sent under this key,
    pub routing_key: String,
    /// to this queue.
    pub queue: String,
}

impl Topology {
    /// The topology of a broker with these options.
    pub fn new(options: &RabbitOptions) -> Self {
        let (prefix, shards) = (options.prefix.clone(), options.shards.max(1));
        let exchange = |name: &str, kind| Exchange { name: format!("{prefix}.{name}"), kind };
        let exchanges = vec![
            exchange("work", "direct"),
            exchange("commands", "topic"),
            exchange("events", "topic"),
            exchange("dead", "fanout"),
        ];
        let dead = format!("{prefix}.dead");
        let given_up = |more: &[(&'static str, Argument)]| {
            let mut arguments = quorum(i64::from(options.delivery_limit));
            arguments.insert("x-dead-letter-exchange", Argument::Text(dead.clone()));
            // A message leaves its queue once the dead letters have it; that needs the overflow.
            let strategy = Argument::Text("at-least-once".to_owned());
            arguments.insert("x-dead-letter-strategy", strategy);
            arguments.insert("x-overflow", Argument::Text("reject-publish".to_owned()));
            arguments.extend(more.iter().cloned());
            arguments
        };
        let mut topology = Self {
            exchanges,
            queues: Vec::new(),
            bindings: Vec::new(),
            prefix: prefix.clone(),
            shards,
        };
        for shard in (0..shards).map(Shard) {
            let name = format!("{prefix}.work.v1.{}", routing_key(shard));
            let alone = ("x-single-active-consumer", Argument::Flag(true));
            topology.add("work", &routing_key(shard), name, given_up(&[alone]));
        }
        topology.add("commands", "#", topology.commands_queue(), given_up(&[]));
        topology.add("dead", "", topology.dead_queue(), quorum(NO_DELIVERY_LIMIT));
        topology
    }

    fn add(
        &mut self,
        exchange: &str,
        routing_key: &str,
        name: String,
        arguments: std::collections::BTreeMap<&'static str, Argument>,
    ) {
        self.bindings.push(Binding {
            exchange: format!("{}.{exchange}", self.prefix),
            routing_key: routing_key.to_owned(),
            queue: name.clone(),
        });
        self.queues.push(Queue { name, arguments });
    }

    /// The exchange to which work is announced, and the key.
    pub(super) fn work(&self, shard: Shard) -> (String, String) {
        (self.work_exchange(), routing_key(shard))
    }

    /// The exchange to which work is announced.
    pub fn work_exchange(&self) -> String {
        format!("{}.work", self.prefix)
    }

    /// The queue of a shard.
    pub fn work_queue(&self, shard: Shard) -> Option<String> {
        let name = || format!("{}.work.v1.{}", self.prefix, routing_key(shard));
        (shard.0 < self.shards).then(name)
    }

    /// The exchange to which other systems send commands.
    pub fn commands_exchange(&self) -> String {
        format!("{}.commands", self.prefix)
    }

    /// The queue in which commands wait.
    pub fn commands_queue(&self) -> String {
        format!("{}.commands.v1", self.prefix)
    }

    /// The exchange to which events are published.
    pub fn events_exchange(&self) -> String {
        format!("{}.events", self.prefix)
    }

    /// The exchange to which given-up messages are sent.
    pub fn dead_exchange(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    /// The queue that holds the dead letters.
    pub fn dead_queue(&self) -> String {
        format!("{}.dead.v1", self.prefix)
    }

    /// As rows of a table: what, name, and how it is.
    pub fn rows(&self) -> Vec<[String; 3]> {
        let exchanges = self.exchanges.iter().map(|exchange| {
            ["exchange".to_owned(), exchange.name.clone(), format!("{}, durable", exchange.kind)]
        });
        let queues = self.queues.iter().map(|queue| {
            let arguments = queue.arguments.iter().map(|(name, value)| match value {
                Argument::Flag(flag) => format!("{name}={flag}"),
                Argument::Number(number) => format!("{name}={number}"),
                Argument::Text(text) => format!("{name}={text}"),
            });
            let arguments: Vec<_> = arguments.collect();
            ["queue".to_owned(), queue.name.clone(), arguments.join(" ")]
        });
        let bindings = self.bindings.iter().map(|binding| {
            let key = format!("`{}` to {}", binding.routing_key, binding.queue);
            ["binding".to_owned(), binding.exchange.clone(), key]
        });
        exchanges.chain(queues).chain(bindings).collect()
    }
}

fn quorum(delivery_limit: i64) -> std::collections::BTreeMap<&'static str, Argument> {
    [
        ("x-queue-type", Argument::Text("quorum".to_owned())),
        ("x-delivery-limit", Argument::Number(delivery_limit)),
    ]
    .into()
}

/// The shard's number, of two digits at least so that names sort.
fn routing_key(shard: Shard) -> String {
    format!("{:02}", shard.0)
}

impl Queue {
    fn table(&self) -> FieldTable {
        let mut table = FieldTable::default();
        for (name, value) in &self.arguments {
            let value = match value {
                Argument::Flag(flag) => AMQPValue::Boolean(*flag),
                Argument::Number(number) => AMQPValue::LongLongInt(*number),
                Argument::Text(text) => AMQPValue::LongString(text.as_str().into()),
            };
            table.insert(ShortString::from(*name), value);
        }
        table
    }
}

/// A name for the wire; the configuration bounds the prefix far below what fits.
pub(super) fn short(text: &str) -> ShortString {
    ShortString::try_new(text).unwrap_or_default()
}

/// Declares everything; parts that are there already and as they should be stay.
pub(super) async fn declare(
    topology: &Topology,
    connection: &Connection,
    options: &RabbitOptions,
) -> Result<(), OpenError> {
    let fault = |name: &str, error: lapin::Error| fault(options, name, &error);
    let channel = connection.create_channel().await.map_err(|error| fault("a channel", error))?;
    for exchange in &topology.exchanges {
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let kind = match exchange.kind {
            "direct" => ExchangeKind::Direct,
            "fanout" => ExchangeKind::Fanout,
            _ => ExchangeKind::Topic,
        };
        let declared =
            channel.exchange_declare(short(&exchange.name), kind, durable, FieldTable::default());
        declared.await.map_err(|error| fault(&exchange.name, error))?;
    }
    for queue in &topology.queues {
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let declared = channel.queue_declare(short(&queue.name), durable, queue.table()).await;
        declared.map_err(|error| fault(&queue.name, error))?;
    }
    for binding in &topology.bindings {
        let bound = channel.queue_bind(
            short(&binding.queue),
            short(&binding.exchange),
            short(&binding.routing_key),
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        bound.await.map_err(|error| fault(&binding.queue, error))?;
    }
    let _ = channel.close(200, "OK".into()).await;
    Ok(())
}

fn fault(options: &RabbitOptions, name: &str, error: &lapin::Error) -> OpenError {
    let (broker, why) = (options.shown(), error.to_string());
    match error.kind() {
        // PRECONDITION_FAILED
        ErrorKind::ProtocolError(error) if error.get_id() == 406 => {
            OpenError::Mismatch { broker, name: name.to_owned(), why }
        }
        // ACCESS_REFUSED
        ErrorKind::ProtocolError(error) if error.get_id() == 403 => {
            OpenError::Refused { broker, user: options.user().to_owned(), why }
        }
        _ => OpenError::Unreachable { broker, why: format!("{name}: {why}") },
    }
}

/// The queues and exchanges that the broker does not have. Asking for a missing one closes the
/// channel.
pub(super) async fn missing(
    topology: &Topology,
    link: &Link,
    deadline: Instant,
) -> Result<Vec<String>, QueueError> {
    let mut missing = Vec::new();
    let mut channel = link.channel(deadline).await?;
    let exchanges = topology.exchanges.iter().map(|exchange| (&exchange.name, true));
    let queues = topology.queues.iter().map(|queue| (&queue.name, false));
    for (name, is_exchange) in exchanges.chain(queues) {
        match look(&channel, name, is_exchange).await {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::ProtocolError(e) if e.get_id() == 404) =>
            {
                missing.push(name.clone());
                channel = link.channel(deadline).await?;
            }
            Err(error) => return Err(unavailable(&error)),
        }
    }
    Ok(missing)
}

/// Deletes everything, with its contents; a part that is not there is no failure.
pub(super) async fn delete(
    topology: &Topology,
    link: &Link,
    deadline: Instant,
) -> Result<(), QueueError> {
    let channel = link.channel(deadline).await?;
    for queue in &topology.queues {
        let deleted = channel.queue_delete(short(&queue.name), QueueDeleteOptions::default());
        deleted.await.map_err(|error| unavailable(&error))?;
    }
    for exchange in &topology.exchanges {
        let name = short(&exchange.name);
        let deleted = channel.exchange_delete(name, ExchangeDeleteOptions::default());
        deleted.await.map_err(|error| unavailable(&error))?;
    }
    Ok(())
}

async fn look(channel: &Channel, name: &str, is_exchange: bool) -> lapin::Result<()> {
    if is_exchange {
        let look = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
        let kind = ExchangeKind::Direct;
        return channel.exchange_declare(short(name), kind, look, FieldTable::default()).await;
    }
    let look = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(short(name), look, FieldTable::default()).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topology() -> Topology {
        let mut options = RabbitOptions::new("amqp://localhost").unwrap();
        options.shards = 2;
        Topology::new(&options)
    }

    #[test]
    fn every_queue_is_bound_and_gives_up_into_the_dead_letters() {
        let topology = topology();
        let names: Vec<_> = topology.queues.iter().map(|queue| queue.name.as_str()).collect();
        let wanted =
            ["kiungo.work.v1.00", "kiungo.work.v1.01", "kiungo.commands.v1", "kiungo.dead.v1"];
        assert_eq!(names, wanted);
        for queue in &topology.queues {
            assert!(topology.bindings.iter().any(|binding| binding.queue == queue.name));
            let dead = queue.arguments.get("x-dead-letter-exchange");
            assert_eq!(dead.is_none(), queue.name == topology.dead_queue(), "{}", queue.name);
        }
        assert_eq!(topology.work_queue(Shard(1)).as_deref(), Some("kiungo.work.v1.01"));
        assert_eq!(topology.work_queue(Shard(2)), None);
    }

    #[test]
    fn it_can_be_printed() {
        let topology = topology();
        let rows = topology.rows();
        assert_eq!(rows.len(), 4 + 4 + 4);
        assert!(rows[4][2].contains("x-single-active-consumer=true"), "{rows:?}");
        let json = serde_json::to_value(&topology).unwrap();
        assert_eq!(json["queues"][0]["arguments"]["x-delivery-limit"], 20);
        assert_eq!(json["bindings"][1]["routing_key"], "01");
    }
}
