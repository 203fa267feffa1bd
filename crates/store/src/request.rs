//! The requests of cores for payouts, once taken up: those that wait for a person, those that have
//! become transfers, the decisions, and who took them.
//!
//! A row is written whole, on the version that it was read at: of two processes that hear of one
//! request at the same time, one writes.

use async_trait::async_trait;
use kiungo_domain::{CoreId, Timestamp, TransferId};
use serde::{Deserialize, Serialize};

use crate::{CoreRequestQuery, Page, StoreError};

/// A request of a core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreRequestRow {
    /// The core.
    pub core: CoreId,
    /// Its name within the core, always the same: `loan-123`. Lower-case letters, digits and `-`.
    pub request: String,
    /// The number of times that the row was written; 0 for one that is not stored yet.
    pub version: u64,
    /// Its present state.
    pub state: CoreRequestState,
    /// The number of the attempt to pay it, from 1: part of the transfer's idempotency key.
    pub generation: u32,
    /// The transfer that it became last.
    pub transfer: Option<TransferId>,
    /// The content of the request, as JSON; the engine reads and writes it.
    pub content: String,
    /// The reason for its present state, for people; may be empty.
    pub detail: String,
    /// The decisions of persons, the oldest first.
    pub decisions: Vec<CoreRequestDecision>,
    /// The time at which it was first heard of.
    pub heard_at: Timestamp,
    /// The time at which it was last written.
    pub updated_at: Timestamp,
}

/// The state of a request of a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoreRequestState {
    /// A person has to decide.
    Waiting,
    /// It is to be paid, and may have become a transfer already.
    Accepted,
    /// It has become a transfer.
    Submitted,
    /// The core says something else now than what became a transfer: a person has to look.
    Changed,
    /// A person declined it.
    Declined,
    /// The core does not ask for it any more.
    Gone,
}

impl CoreRequestState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Waiting, Self::Accepted, Self::Submitted, Self::Changed, Self::Declined, Self::Gone];

    /// The word used in tables and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Accepted => "accepted",
            Self::Submitted => "submitted",
            Self::Changed => "changed",
            Self::Declined => "declined",
            Self::Gone => "gone",
        }
    }

    /// True if it waits for a person.
    pub const fn waits_for_a_person(self) -> bool {
        matches!(self, Self::Waiting | Self::Changed)
    }
}

/// A decision of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreRequestDecision {
    /// The time of the decision.
    pub at: Timestamp,
    /// The person: the name of the key used.
    pub by: String,
    /// True if it is to be paid.
    pub approved: bool,
    /// The reason, in the person's words. What is stored keeps the word `why`.
    #[serde(rename = "why")]
    pub reason: String,
}

/// The requests of cores for payouts.
#[async_trait]
pub trait CoreRequestStore: Send + Sync {
    /// Writes a request of a core, if it is still at the version that `row` says (0: not stored
    /// yet); returns true if it was. Its version is one more then. The time when it was first heard
    /// of stays.
    async fn put_core_request(&self, row: CoreRequestRow) -> Result<bool, StoreError>;

    /// A request of a core.
    async fn core_request(
        &self,
        core: &CoreId,
        request: &str,
    ) -> Result<Option<CoreRequestRow>, StoreError>;

    /// Those of these requests (at most 1,000) that are stored, in no order.
    async fn known_core_requests(
        &self,
        core: &CoreId,
        requests: &[String],
    ) -> Result<Vec<CoreRequestRow>, StoreError>;

    /// Requests that are to become transfers, or may have become one without its being written
    /// down, the longest unchanged first, at most `limit` (and at most 500).
    async fn accepted_core_requests(
        &self,
        core: &CoreId,
        limit: u32,
    ) -> Result<Vec<CoreRequestRow>, StoreError>;

    /// Requests of cores, the one that was heard of last first.
    async fn core_requests(
        &self,
        query: &CoreRequestQuery,
    ) -> Result<Page<CoreRequestRow>, StoreError>;
}
