#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! The journal, the ledger, the inbox: everything durable.
//!
//! A [`Change`] is committed whole or not at all (rule 10), and concurrent changes share a database
//! transaction (group commit): a caller waits for its own. There is a trait for each subject.
//! [`Records`] is all of them save the commit of a transfer, and [`Store`] is that besides:
//!
//! * [`transfer`]: transfers ([`TransferStore`]), committed by a [`change`] ([`TransferCommits`]);
//!   their projection is a [`summary`], the amounts that may be moved on one day are an
//!   [`allowance`]
//! * [`query`]: the queries over everything ([`Reports`]); [`terms`] are accounts and amounts by
//!   which transfers are found
//! * [`due`]: the due times of transfers ([`DueStore`])
//! * [`inbox`]: the arrivals from outside, stored before they are acknowledged ([`InboxStore`])
//! * [`outbox`]: the events that are to be told to others, stored with the change that they follow from
//!   ([`OutboxStore`])
//! * [`lease`]: named, time-limited ownership of tasks that only one process may do ([`LeaseStore`])
//! * [`hold`]: operations of providers that are held as a whole ([`HoldStore`])
//! * [`action`]: actions of persons ([`ActionStore`])
//! * [`request`]: the requests of cores for payouts ([`CoreRequestStore`])
//! * [`archive`]: settled transfers, moved out of the way ([`ArchiveStore`])
//! * [`health`]: the health of the database ([`Health`])
//!
//! [`MemoryStore`] is for the simulated world, and audits itself at every commit when asked. With
//! the feature `contract` there is the one suite that every store passes, with `intercept` a store
//! whose calls are seen, delayed and failed by whoever tests or measures.
//!
//! Implementations share [`case`], [`check`], [`codec`] and [`page`]. The SQL databases are the
//! crate `kiungo-store-sql`.

pub mod action;
pub mod allowance;
pub mod archive;
pub mod case;
pub mod change;
pub mod check;
pub mod codec;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod due;
pub mod health;
pub mod hold;
pub mod inbox;
#[cfg(feature = "intercept")]
pub mod intercept;
pub mod lease;
mod memory;
pub mod outbox;
pub mod page;
pub mod query;
pub mod request;
pub mod summary;
pub mod terms;
pub mod transfer;

use thiserror::Error;

pub use action::{Action, ActionId, ActionQuery, ActionState, ActionStore, Judgement};
pub use allowance::{Allowance, Cap, DayLimit, LimitReached, Scope};
pub use archive::ArchiveStore;
pub use change::{Change, CommitError, IdempotencyKey, KeyHolder};
pub use due::DueStore;
pub use health::Health;
pub use hold::{Hold, HoldStore};
pub use inbox::{Arrival, InboxId, InboxItem, InboxState, InboxStore, NewArrival};
pub use lease::{Lease, LeaseStore};
pub use memory::MemoryStore;
pub use outbox::{OutboxEvent, OutboxRow, OutboxStore};
pub use query::{
    CaseRow, CollectionQuery, CoreRequestQuery, Cursor, LedgerBalance, Overview, Page, Reports,
    TransferQuery,
};
pub use request::{CoreRequestDecision, CoreRequestRow, CoreRequestState, CoreRequestStore};
pub use summary::{Summary, SummaryFacts, SummaryState};
pub use transfer::{TransferCommits, TransferStore};

/// The storage of all durable data, as it is opened once. Whoever uses one or two of its subjects
/// takes their traits. All methods are safe to call concurrently.
pub trait Store: Records + TransferCommits {}

impl<T> Store for T where T: Records + TransferCommits {}

/// All subjects of a store, save the commit of a transfer: what is passed on to all those who do
/// not decide about transfers.
pub trait Records:
    TransferStore
    + Reports
    + DueStore
    + InboxStore
    + OutboxStore
    + LeaseStore
    + HoldStore
    + ActionStore
    + CoreRequestStore
    + ArchiveStore
    + Health
{
}

impl<T> Records for T where
    T: TransferStore
        + Reports
        + DueStore
        + InboxStore
        + OutboxStore
        + LeaseStore
        + HoldStore
        + ActionStore
        + CoreRequestStore
        + ArchiveStore
        + Health
{
}

/// The database failed. Whether a change was applied is not known.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// It did not answer, or not as it should.
    #[error("the database failed: {0}")]
    Unavailable(String),
    /// A stored row cannot be read back: a bug, or somebody changed it by hand.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(String),
}
