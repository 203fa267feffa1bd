#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! The journal, the ledger, the inbox: everything durable.
//!
//! [`Store`] is the one way in. A [`Change`] is committed whole or not at all (rule 10), and
//! concurrent changes share a database transaction (group commit): a caller waits for its own.
//!
//! * [`action`]: actions of persons
//! * [`change`]: the changes that are committed, and the reasons for refusing one
//! * [`allowance`]: the amounts that may be moved on one day
//! * [`summary`]: the projection that queries read
//! * [`query`]: the queries
//! * [`terms`]: accounts and amounts by which transfers are found
//! * [`hold`]: operations of providers that are held as a whole
//! * [`inbox`]: the arrivals from outside, stored before they are acknowledged
//! * [`outbox`]: the news that is to be told to others, stored with the change that it follows from
//! * [`lease`]: named, time-limited ownership of tasks that only one process may do
//! * [`request`]: the requests of cores for payouts
//! * [`MemoryStore`]: for the simulated world; audits itself at every commit when asked
//! * `contract` (with the feature of that name): the one suite that every store passes
//!
//! Implementations share [`case`], [`check`], [`codec`] and [`page`]. The SQL databases are the
//! crate `kiungo-store-sql`.

pub mod action;
pub mod allowance;
pub mod case;
pub mod change;
pub mod check;
pub mod codec;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod hold;
pub mod inbox;
pub mod lease;
mod memory;
pub mod outbox;
pub mod page;
pub mod query;
pub mod request;
pub mod summary;
pub mod terms;

use async_trait::async_trait;
use kiungo_domain::hold::Condition;
use kiungo_domain::transfer::{Entry, Operation, Posting};
use kiungo_domain::{CoreId, ProviderId, Receipt, Slot, Timestamp, Transfer, TransferId};
use thiserror::Error;

pub use action::{Action, ActionId, ActionQuery, ActionState, Judgement};
pub use allowance::{Allowance, Cap, DayLimit, LimitReached, Scope};
pub use change::{Change, CommitError, IdempotencyKey, KeyHolder};
pub use hold::Hold;
pub use inbox::{Arrival, InboxId, InboxItem, InboxState, NewArrival};
pub use lease::Lease;
pub use memory::MemoryStore;
pub use outbox::{OutboxEvent, OutboxRow};
pub use query::{
    CaseRow, CollectionQuery, CoreRequestQuery, Cursor, LedgerBalance, Overview, Page,
    TransferQuery,
};
pub use request::{CoreRequestDecision, CoreRequestRow, CoreRequestState};
pub use summary::Summary;

/// The storage of all durable data. All methods are safe to call concurrently.
#[async_trait]
pub trait Store: Send + Sync {
    /// Commits a change: events, projection, postings, receipts, idempotency key, handled inbox
    /// item, due time, and what the transfer uses of a day's limits. When this returns `Ok`, all of
    /// it survives a power cut; when it returns an error, none of it was applied, except after
    /// [`StoreError`], where one cannot know: read the transfer again.
    async fn commit(&self, change: Change) -> Result<(), CommitError>;

    /// The transfer, folded from its journal.
    async fn transfer(&self, id: TransferId) -> Result<Option<Transfer>, StoreError>;

    /// The journal of a transfer in order; empty if there is none.
    async fn journal(&self, id: TransferId) -> Result<Vec<Entry>, StoreError>;

    /// The ledger postings of a transfer in order.
    async fn postings(&self, id: TransferId) -> Result<Vec<Posting>, StoreError>;

    /// The projection of a transfer.
    async fn summary(&self, id: TransferId) -> Result<Option<Summary>, StoreError>;

    /// Transfers by what is known of them, newest first.
    async fn search(&self, query: &TransferQuery) -> Result<Page<Summary>, StoreError>;

    /// Transfers whose due time has come, the longest due first, `limit` at most.
    async fn due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Timestamp)>, StoreError>;

    /// The earliest due time of all transfers and waiting inbox items.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Every transfer whose [`Summary::holds_account`] is set: read at start, to keep others off
    /// those accounts (rule 11). Few, and found by an index.
    async fn holding_accounts(&self) -> Result<Vec<Summary>, StoreError>;

    /// The collections under way that we have begun, that have no receipt yet, and that fit the
    /// query, by their ids: all of them, found by an index.
    async fn collections(&self, query: &CollectionQuery) -> Result<Vec<TransferId>, StoreError>;

    /// Moves the due time of a transfer without an event (a breaker holds it, a lane is busy). Not
    /// applied if the transfer is no longer at `version`.
    async fn postpone(
        &self,
        id: TransferId,
        version: u64,
        due: Timestamp,
    ) -> Result<(), StoreError>;

    /// The transfer that owns a receipt (rule 7).
    async fn by_receipt(
        &self,
        provider: &ProviderId,
        receipt: &Receipt,
    ) -> Result<Option<TransferId>, StoreError>;

    /// The holder of an idempotency key.
    async fn key_holder(&self, client: &str, key: &str) -> Result<Option<KeyHolder>, StoreError>;

    /// Stores something that arrived. The same thing again is [`Arrival::Seen`] and changes nothing
    /// but a counter.
    async fn arrive(&self, arrival: NewArrival) -> Result<Arrival, StoreError>;

    /// The arrival from a provider with this digest ([`NewArrival::digest`]), in any state: found
    /// by an index.
    async fn arrived(
        &self,
        provider: &ProviderId,
        digest: &str,
    ) -> Result<Option<InboxItem>, StoreError>;

    /// Waiting inbox items whose due time has come, oldest first, `limit` at most.
    async fn inbox_due(&self, now: Timestamp, limit: u32) -> Result<Vec<InboxItem>, StoreError>;

    /// An inbox item.
    async fn inbox_item(&self, id: InboxId) -> Result<Option<InboxItem>, StoreError>;

    /// Changes where an inbox item stands; `attempts` grows by one with each postponement.
    async fn set_inbox_state(&self, id: InboxId, state: InboxState) -> Result<(), StoreError>;

    /// Changes where an inbox item stands as a person decided, if a person is called because of it
    /// at that moment: it is quarantined, or waits with a concern. Judged in the change's own
    /// transaction, so that of two persons who decide at the same moment one is answered with true.
    async fn decide_inbox_state(&self, id: InboxId, state: InboxState) -> Result<bool, StoreError>;

    /// Open cases, newest first: those of transfers, and quarantined inbox items.
    async fn cases(&self, cursor: Option<&Cursor>, limit: u32)
    -> Result<Page<CaseRow>, StoreError>;

    /// The balance of every ledger account and currency.
    async fn ledger(&self) -> Result<Vec<LedgerBalance>, StoreError>;

    /// Counts for metrics and back-pressure, cheap enough to be asked every second.
    async fn overview(&self, now: Timestamp) -> Result<Overview, StoreError>;

    /// Takes transfers whose due time has come, the longest due first: their due time moves on to
    /// `until` in the same transaction, and those that another process takes at the same moment are
    /// left out. So each is taken once, and comes back if the process that took it dies.
    async fn take_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Slot)>, StoreError>;

    /// Takes waiting inbox items whose due time has come, the longest due first, as
    /// [`Store::take_due`] takes transfers. It does not count as an attempt.
    async fn take_inbox_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<InboxId>, StoreError>;

    /// Takes a lease until `until`, or renews it, if nobody else has it at `now`; returns true if
    /// `holder` has it. At most 200 bytes each for name and holder.
    async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Gives a lease back, if `holder` has it.
    async fn give_lease_back(&self, name: &str, holder: &str) -> Result<(), StoreError>;

    /// The leases whose names begin with `prefix` and that are held at `now`, by name. A lease that
    /// ended more than an hour ago may have been cleared away.
    async fn leases(&self, prefix: &str, now: Timestamp) -> Result<Vec<Lease>, StoreError>;

    /// The oldest rows of the outbox, in their order, at most `limit` (and at most 1,000). Rows are
    /// written only by stores that were opened to keep an outbox; else nobody would fetch them.
    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxRow>, StoreError>;

    /// Removes rows of the outbox that have been told; at most 1,000 at a time.
    async fn told(&self, numbers: &[i64]) -> Result<(), StoreError>;

    /// Writes an action of a person, if it is still at the version that `action` says (0: not
    /// stored yet); true if it was written. Its version is one more then.
    async fn put_action(&self, action: Action) -> Result<bool, StoreError>;

    /// Reads an action of a person.
    async fn action(&self, id: ActionId) -> Result<Option<Action>, StoreError>;

    /// Lists actions of persons, the one asked for last first.
    async fn actions(&self, query: &ActionQuery) -> Result<Page<Action>, StoreError>;

    /// Moves up to `limit` (at most 1,000 at a time) of the oldest settled transfers into the
    /// archive; how many were moved, so that a caller goes on until none is. Settled: final,
    /// received and last changed before `before`, no open case, nothing due. What is archived is
    /// found by id and by receipt, with its whole story, and by no other search; it keeps its
    /// receipts and its idempotency key, counts where it counted, and comes back with the next
    /// change committed to it. The newest transfer of all stays. Other work goes on meanwhile.
    async fn archive(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;

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

    /// Brings the due time of every transfer, and of every waiting inbox item, forward to `now` at
    /// the latest, and so the probes of holds; cuts leases that last longer than any would. After
    /// the clock was set back, what was to be done by the old time must not wait for it.
    async fn pull_due(&self, now: Timestamp) -> Result<(), StoreError>;

    /// Holds an operation of a provider under a condition. If it is held under that condition
    /// already, the time since when it is held stays.
    async fn put_hold(&self, hold: Hold) -> Result<(), StoreError>;

    /// Ends a hold; returns true if there was one.
    async fn release_hold(
        &self,
        provider: &ProviderId,
        operation: Operation,
        condition: Condition,
    ) -> Result<bool, StoreError>;

    /// Every hold, by provider, operation and condition. Few.
    async fn holds(&self) -> Result<Vec<Hold>, StoreError>;

    /// Fails if the database does not answer. If the last transaction could not be committed (a
    /// full disk), fails unless one can be now.
    async fn ping(&self) -> Result<(), StoreError>;
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
