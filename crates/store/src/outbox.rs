//! The outbox: events about transfers that are to be told to others. They are written in the transaction
//! of the change it follows from, so that nothing is told that is not committed, and nothing that
//! is committed is left untold.

use async_trait::async_trait;
use kiungo_domain::Timestamp;
use kiungo_domain::transfer::{CaseKind, Decision, Event};
use serde::{Deserialize, Serialize};

use crate::{StoreError, Summary};

/// The largest number of rows that are read, or removed, at a time: a few megabytes.
pub const READ_MAX: u32 = 1_000;

/// A row of the outbox. Of one transfer, a later row never has a smaller number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its number.
    pub no: i64,
    /// The time of the event that it tells of.
    pub at: Timestamp,
    /// The event.
    pub event: OutboxEvent,
    /// The transfer as it was then.
    pub transfer: Summary,
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub enum OutboxEvent {
    /// The transfer has this status now, and had another one before, or none.
    Status,
    /// A person is needed.
    CaseOpened {
        /// The kind of question.
        kind: CaseKind,
        /// The evidence, for people.
        detail: String,
    },
}

impl OutboxEvent {
    /// The cases that a decision opens, in order, and when.
    pub fn cases(decision: &Decision) -> impl Iterator<Item = (Timestamp, Self)> {
        decision.entries.iter().filter_map(|entry| match &entry.event {
            Event::CaseOpened { case, detail, .. } => {
                Some((entry.at, Self::CaseOpened { kind: *case, detail: detail.clone() }))
            }
            _ => None,
        })
    }
}

/// The outbox. Rows are written only by stores that were opened to keep one, in the transaction of
/// [`TransferCommits::commit`](crate::TransferCommits::commit).
#[async_trait]
pub trait OutboxStore: Send + Sync {
    /// The oldest rows of the outbox, in their order, at most `limit` (and at most 1,000). Rows are
    /// written only by stores that were opened to keep an outbox; else nobody would fetch them.
    async fn outbox_rows(&self, limit: u32) -> Result<Vec<OutboxRow>, StoreError>;

    /// Removes rows of the outbox that have been published; at most 1,000 at a time.
    async fn mark_published(&self, numbers: &[i64]) -> Result<(), StoreError>;
}
