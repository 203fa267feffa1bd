//! The commands of other systems.

use async_trait::async_trait;
use bytes::Bytes;

use crate::QueueError;

/// The source of commands.
#[async_trait]
pub trait Commands: Send {
    /// The next command; waits for the broker to come back if it is gone. `None` once it was told to stop.
    async fn next(&mut self) -> Option<Command>;
}

/// A command as it came.
pub struct Command {
    /// The sender, as the broker knows it (the `user_id` that it checked); `None` if the sender did
    /// not say.
    pub user: Option<String>,
    /// The sender's name for the type of the content.
    pub content_type: Option<String>,
    /// The key under which it was sent.
    pub routing_key: String,
    /// The content, whole.
    pub body: Bytes,
    /// True if it may have been delivered before.
    pub redelivered: bool,
    /// The person who took it out of the dead letters, if somebody did.
    pub redriven: Option<Redriven>,
    /// To be told its outcome. Dropped untold, it is delivered again ([`Settle::later`]).
    pub settle: Box<dyn Settle>,
}

/// The redelivery of a message that was among the dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redriven {
    /// The person.
    pub by: String,
    /// The reason, in the person's words.
    pub reason: String,
}

/// The ways in which a command ends.
#[async_trait]
pub trait Settle: Send + Sync {
    /// The command was carried out, or will be: the change that it asks for is durable.
    async fn done(self: Box<Self>) -> Result<(), QueueError>;

    /// The command can never be carried out: it is put among the dead letters, whole, with the
    /// reason and the place in its JSON, and leaves the queue once that is confirmed.
    async fn reject(self: Box<Self>, reason: &str, path: Option<&str>) -> Result<(), QueueError>;

    /// Not now: it is delivered again, at once, to any process that takes commands. The broker
    /// counts, and after some twenty times puts it among the dead letters: this is for a process
    /// that stops, not for one that is busy. A busy process keeps the command, and takes no further
    /// ones meanwhile.
    async fn later(self: Box<Self>) -> Result<(), QueueError>;
}
