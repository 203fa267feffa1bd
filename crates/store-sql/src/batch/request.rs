//! The requests to the committer, and its answers.

use kiungo_domain::{Timestamp, TransferId};
use kiungo_store::{
    Arrival, Change, CommitError, InboxId, InboxState, NewArrival, StoreError, Summary, terms,
};

use super::rows::{
    EventRow, OutboxRows, StateRow, TransferRow, event_rows, json, outbox_rows, state_row,
    transfer_row,
};
use super::table::Cell;

/// A request to write.
#[derive(Debug)]
pub(crate) enum Request {
    Commit(Box<Commit>),
    Postpone {
        id: TransferId,
        version: u64,
        due: Timestamp,
    },
    Arrive(NewArrival),
    SetInboxState(InboxId, InboxState),
    /// The state that a person decided on, for an item that still has a case.
    DecideInboxState(InboxId, InboxState),
}

/// A change with its largest rows, made by the caller: many of those run side by side, while there
/// is one committer.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) change: Change,
    pub(crate) events: Vec<EventRow>,
    /// The unchanging part of a new transfer.
    pub(crate) transfer: Option<TransferRow>,
    pub(crate) state: StateRow,
    /// The terms by which the transfer is found, where some may be new.
    pub(crate) terms: Vec<String>,
    /// For a store that keeps an outbox.
    pub(crate) outbox: Option<OutboxRows>,
}

impl Request {
    /// The request to commit a change, and the events of it if they are `told`.
    pub(crate) fn commit(change: Change, told: bool) -> Result<Self, StoreError> {
        let decision = &change.decision;
        let events = event_rows(decision)?;
        let summary = Summary::of(&decision.transfer);
        let stored = Cell::from(json(&summary.state())?);
        let outbox = told.then(|| outbox_rows(decision, &stored)).transpose()?;
        let begins = decision.base_version == 0;
        let transfer = begins.then(|| transfer_row(&summary)).transpose()?;
        let state = state_row(&summary, decision.transfer.slot(), change.due, stored);
        let terms = if terms::are_new(decision) { terms::terms(&summary) } else { Vec::new() };
        Ok(Self::Commit(Box::new(Commit { change, events, transfer, state, terms, outbox })))
    }
}

/// The result of a request that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Applied,
    Arrived(Arrival),
    /// It was not as it had to be, and nothing was written.
    Unchanged,
}

pub(crate) type CommitResult = Result<Done, CommitError>;
