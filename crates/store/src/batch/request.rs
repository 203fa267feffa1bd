//! What is asked of the committer.

use kiungo_domain::{Timestamp, TransferId};

use crate::{Arrival, Change, CommitError, InboxId, InboxState, NewArrival};

/// Everything that writes.
#[derive(Debug)]
pub(crate) enum Request {
    Commit(Box<Change>),
    Postpone { id: TransferId, version: u64, due: Timestamp },
    Arrive(NewArrival),
    SetInboxState(InboxId, InboxState),
}

/// What a request that was not refused came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Applied,
    Arrived(Arrival),
}

pub(crate) type Verdict = Result<Done, CommitError>;
