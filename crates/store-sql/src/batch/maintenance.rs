//! The work between two batches, each piece in a transaction of its own: due work that is taken,
//! leases, the outbox, the actions of persons, the requests of cores, the archive.

use kiungo_domain::hold::Condition;
use kiungo_domain::transfer::Operation;
use kiungo_domain::{ProviderId, Slot, Timestamp, TransferId};
use kiungo_store::{Action, CoreRequestRow, Hold, InboxId};

/// A piece of work to be done.
#[derive(Debug, Clone)]
pub(crate) enum Maintenance {
    /// Moves settled transfers into the archive.
    Archive { before: Timestamp, limit: u32 },
    /// Takes transfers that are due.
    TakeDue(Taking),
    /// Takes inbox items that are due.
    TakeInboxDue(Taking),
    /// Takes or renews a lease.
    TakeLease { name: String, holder: String, now: Timestamp, until: Timestamp },
    /// Gives a lease back.
    ReleaseLease { name: String, holder: String },
    /// Removes rows of the outbox.
    MarkPublished(Vec<i64>),
    /// Writes an action of a person, if it is still at its version.
    PutAction(Box<Action>),
    /// Writes a request of a core, if it is still at its version.
    PutCoreRequest(Box<CoreRequestRow>),
    /// Brings every due time forward to this moment at the latest.
    PullDue(Timestamp),
    /// Holds an operation of a provider.
    PutHold(Box<Hold>),
    /// Lets it go on.
    ReleaseHold(ProviderId, Operation, Condition),
}

/// Takes the work that is due at `now`, and moves its due time to `until`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taking {
    pub(crate) now: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) limit: u32,
}

/// The result of a maintenance task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MaintenanceResult {
    /// So many rows were moved, written or removed.
    Rows(u64),
    Transfers(Vec<(TransferId, Slot)>),
    Items(Vec<InboxId>),
}

impl MaintenanceResult {
    /// True if nothing was written, so that nothing needs to be committed.
    pub(crate) fn is_nothing(&self) -> bool {
        match self {
            Self::Rows(count) => *count == 0,
            Self::Transfers(taken) => taken.is_empty(),
            Self::Items(taken) => taken.is_empty(),
        }
    }

    /// The number of rows; 0 for work that was taken.
    pub(crate) fn rows(&self) -> u64 {
        if let Self::Rows(count) = self { *count } else { 0 }
    }
}
