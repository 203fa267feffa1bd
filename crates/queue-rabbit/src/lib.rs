#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! The queue in a `RabbitMQ` broker: the port `kiungo-queue`, carried out by AMQP 0-9-1.
//!
//! * [`options`]: the address of the broker, and the bounds
//! * [`topology`]: the exchanges and queues
//! * `link`: the one connection, and its recovery
//! * `confirmed`: publishing, with the broker's confirmation
//! * `announce`: announcing work; `wire`: the content of such a message
//! * `member`: taking part in a shard
//! * `events`: publishing events
//! * `commands`: taking commands
//! * `dead_letter_publisher`: giving a message up, and reading it back; `dead`: the dead letters

mod announce;
mod commands;
mod confirmed;
mod dead;
mod dead_letter_publisher;
mod events;
mod link;
mod member;
pub mod options;
pub mod topology;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use kiungo_domain::Slot;
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::Instant;

pub use options::{AddressError, RabbitOptions};
pub use topology::Topology;

use announce::Announcer;
use confirmed::Confirmed;
use dead_letter_publisher::DeadLetterPublisher;
use kiungo_queue::{Commands, Membership, QueueError, Shard, Work, WorkQueue};
use link::Link;

/// The reason that the broker cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    /// The broker does not answer, or not in time.
    #[error("{broker} cannot be reached: {why}")]
    Unreachable {
        /// The broker's address, without user and password.
        broker: String,
        /// The failure.
        why: String,
    },
    /// The broker refuses our login.
    #[error("{broker} refuses the user `{user}`: {why}; check queue.url and queue.password")]
    Refused {
        /// The broker's address.
        broker: String,
        /// The user.
        user: String,
        /// The reason, in its words.
        why: String,
    },
    /// A queue or exchange of that name exists with other arguments, which cannot be changed.
    #[error(
        "`{name}` exists in {broker} with other arguments: {why}; remove it once it is empty \
         (rabbitmqctl delete_queue), or give the setting its former value"
    )]
    Mismatch {
        /// The broker's address.
        broker: String,
        /// The queue or exchange.
        name: String,
        /// The reason, in the broker's words.
        why: String,
    },
}

/// The queue in a broker. Its clones share one connection.
#[derive(Clone)]
pub struct RabbitQueue {
    inner: Arc<Inner>,
}

struct Inner {
    options: Arc<RabbitOptions>,
    topology: Arc<Topology>,
    link: Link,
    announcer: Announcer,
    events: Mutex<Confirmed>,
    letters: Arc<DeadLetterPublisher>,
}

impl RabbitQueue {
    /// Starts connecting, and retries until it succeeds. Every operation waits for the connection
    /// within its own bound.
    pub fn start(options: RabbitOptions) -> Self {
        let topology = Arc::new(Topology::new(&options));
        let options = Arc::new(options);
        let link = Link::start(Arc::clone(&options), Arc::clone(&topology));
        let confirmed = || Confirmed::new(link.clone(), options.confirm_timeout);
        let announcer = Announcer::start(&options, Arc::clone(&topology), confirmed());
        let letters = Arc::new(DeadLetterPublisher::new(&options, &topology, confirmed()));
        let events = Mutex::new(confirmed());
        Self { inner: Arc::new(Inner { options, topology, link, announcer, events, letters }) }
    }

    /// Connects and declares the topology.
    pub async fn open(options: RabbitOptions) -> Result<Self, OpenError> {
        let queue = Self::start(options);
        queue.inner.link.first().await?;
        Ok(queue)
    }

    /// Fails if the broker does not answer: opens a channel and closes it.
    pub async fn ping(&self) -> Result<(), QueueError> {
        let channel = self.inner.link.channel(self.deadline()).await?;
        channel.close(200, "OK".into()).await.map_err(|error| unavailable(&error))
    }

    /// True if there is a connection now.
    pub fn is_up(&self) -> bool {
        self.inner.link.is_up()
    }

    /// The exchanges and queues that this queue uses.
    pub fn topology(&self) -> &Topology {
        &self.inner.topology
    }

    /// The parts of the topology that are missing in the broker.
    pub async fn missing(&self) -> Result<Vec<String>, QueueError> {
        topology::missing(&self.inner.topology, &self.inner.link, self.deadline()).await
    }

    /// Deletes all exchanges and queues of the topology, with their messages. Meant for temporary
    /// ones.
    pub async fn delete_all(&self) -> Result<(), QueueError> {
        topology::delete(&self.inner.topology, &self.inner.link, self.deadline()).await
    }

    /// Returns a consumer of commands; each command goes to one of the consumers of all processes.
    pub fn commands(&self) -> Box<dyn Commands> {
        let inner = &self.inner;
        let letters = Arc::clone(&inner.letters);
        let queue = inner.topology.commands_queue();
        Box::new(commands::RabbitCommands::start(
            inner.link.clone(),
            queue,
            inner.options.commands_prefetch,
            letters,
        ))
    }

    /// Closes the connection: memberships end, what is not acknowledged goes back.
    pub async fn close(&self) {
        self.inner.link.close().await;
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.inner.options.confirm_timeout
    }
}

#[async_trait]
impl WorkQueue for RabbitQueue {
    fn shards(&self) -> u16 {
        self.inner.options.shards
    }

    async fn announce(&self, work: &[(Slot, Work)]) -> Result<(), QueueError> {
        self.inner.announcer.announce(work).await
    }

    async fn join(&self, shard: Shard) -> Result<Box<dyn Membership>, QueueError> {
        let inner = &self.inner;
        let queue = inner
            .topology
            .work_queue(shard)
            .ok_or_else(|| QueueError::Unavailable(format!("there is no shard {}", shard.0)))?;
        let channel = inner.link.channel(self.deadline()).await?;
        let letters = Arc::clone(&inner.letters);
        let joined = member::join(channel, queue, inner.options.prefetch, letters);
        match tokio::time::timeout(inner.options.confirm_timeout, joined).await {
            Ok(joined) => Ok(Box::new(joined?)),
            Err(_) => Err(QueueError::Unavailable("it did not answer in time".to_owned())),
        }
    }
}

/// The message of the broker, or of the connection to it; it never holds a password.
fn unavailable(error: &lapin::Error) -> QueueError {
    let missing = matches!(
        error.kind(),
        lapin::ErrorKind::ProtocolError(error) if error.get_id() == 404
    );
    let advice = if missing { ": kiungo queue topology --declare" } else { "" };
    QueueError::Unavailable(format!("{error}{advice}"))
}
