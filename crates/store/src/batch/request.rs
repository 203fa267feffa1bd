//! What is asked of the committer.

use kiungo_domain::{Timestamp, TransferId};

use super::rows::{EventRow, TransferRow, event_rows, transfer_row};
use crate::{Arrival, Change, CommitError, InboxId, InboxState, NewArrival, StoreError};

/// Everything that writes.
#[derive(Debug)]
pub(crate) enum Request {
    Commit(Box<Commit>),
    Postpone { id: TransferId, version: u64, due: Timestamp },
    Arrive(NewArrival),
    SetInboxState(InboxId, InboxState),
}

/// A change with its largest rows, made by the caller: many of those run side by side, while there
/// is one committer.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) change: Change,
    pub(crate) events: Vec<EventRow>,
    pub(crate) transfer: TransferRow,
}

impl Request {
    /// The request to commit a change.
    pub(crate) fn commit(change: Change) -> Result<Self, StoreError> {
        let events = event_rows(&change.decision)?;
        let transfer = transfer_row(&change.decision, change.due)?;
        Ok(Self::Commit(Box::new(Commit { change, events, transfer })))
    }
}

/// What a request that was not refused came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Applied,
    Arrived(Arrival),
}

pub(crate) type Verdict = Result<Done, CommitError>;
