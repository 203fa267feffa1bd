//! The dead letters: messages that were given up, whole and with their reasons (rule 12).

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use kiungo_domain::Timestamp;

use crate::QueueError;

/// Dead letters that are listed at once at most: a page for a person, and some megabytes.
pub const LIST_MAX: u32 = 1_000;

/// The name of a dead letter: its message id, else a digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeadLetterId(pub String);

impl fmt::Display for DeadLetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its name.
    pub id: DeadLetterId,
    /// The exchange that it was sent to.
    pub exchange: String,
    /// The key under which it was sent.
    pub routing_key: String,
    /// The queue that it was in.
    pub queue: String,
    /// The time at which it was given up, to the second; `None` for what a sender put there itself.
    pub given_up_at: Option<Timestamp>,
    /// The reason that it was given up.
    pub reason: String,
    /// The place in its JSON that is wrong, where that is the reason.
    pub path: Option<String>,
    /// The sender, as the broker knows it.
    pub user: Option<String>,
    /// The sender's name for the type of the content.
    pub content_type: Option<String>,
    /// The content, whole.
    pub body: Bytes,
}

/// The dead letters.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// The oldest ones, at most `limit` (and at most 1,000). They stay where they are.
    async fn list(&self, limit: u32) -> Result<Vec<DeadLetter>, QueueError>;

    /// Sends one (the oldest of that name) to where it was sent first, marked with who does it and why, and removes it once that
    /// is confirmed; `None` if there is none of that name.
    async fn redrive(
        &self,
        id: &DeadLetterId,
        by: &str,
        reason: &str,
    ) -> Result<Option<DeadLetter>, QueueError>;

    /// Removes one (the oldest of that name) for good; `None` if there is none of that name. The
    /// removed command is never carried out: the person who removes it answers for that.
    async fn discard(&self, id: &DeadLetterId) -> Result<Option<DeadLetter>, QueueError>;
}
