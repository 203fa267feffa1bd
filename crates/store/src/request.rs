//! What cores ask to be paid out, as far as it was taken up: which wait for a person, which have
//! become transfers, what was decided and by whom.
//!
//! A row is written whole, on the version that it was read at: of two processes that hear of one
//! request at the same time, one writes.

use kiungo_domain::{CoreId, Timestamp, TransferId};
use serde::{Deserialize, Serialize};

/// A request of a core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreRequestRow {
    /// The core.
    pub core: CoreId,
    /// Its name within the core, always the same: `loan-123`. Lower-case letters, digits and `-`.
    pub request: String,
    /// How often the row was written; 0 for one that is not stored yet.
    pub version: u64,
    /// Where it stands.
    pub state: CoreRequestState,
    /// Which attempt to pay it is meant, from 1: part of the transfer's idempotency key.
    pub generation: u32,
    /// The transfer that it became last.
    pub transfer: Option<TransferId>,
    /// What is asked for, as JSON; the engine reads and writes it.
    pub content: String,
    /// Why it stands there, for people; may be empty.
    pub detail: String,
    /// What persons decided, the oldest first.
    pub decisions: Vec<CoreRequestDecision>,
    /// When it was first heard of.
    pub heard_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

/// Where a request of a core stands.
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

    /// Whether a person is waited for.
    pub const fn waits_for_a_person(self) -> bool {
        matches!(self, Self::Waiting | Self::Changed)
    }
}

/// What a person decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreRequestDecision {
    /// When.
    pub at: Timestamp,
    /// Who: the name of the key used.
    pub by: String,
    /// Whether it is to be paid.
    pub approved: bool,
    /// Why, in the person's words.
    pub why: String,
}
