//! The due times of transfers, and of what else waits for its time.

use async_trait::async_trait;
use kiungo_domain::{Slot, Timestamp, TransferId};

use crate::StoreError;

/// The due times of transfers: the store is the queue of due work.
#[async_trait]
pub trait DueStore: Send + Sync {
    /// Transfers whose due time has come, the longest due first, `limit` at most.
    async fn due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Timestamp)>, StoreError>;

    /// The earliest due time of all transfers and waiting inbox items.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Moves the due time of a transfer without an event (a breaker holds it, an account lock is busy). Not
    /// applied if the transfer is no longer at `version`.
    async fn postpone(
        &self,
        id: TransferId,
        version: u64,
        due: Timestamp,
    ) -> Result<(), StoreError>;

    /// Takes transfers whose due time has come, the longest due first: their due time moves on to
    /// `until` in the same transaction, and those that another process takes at the same moment are
    /// left out. So each is taken once, and comes back if the process that took it dies.
    async fn take_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Slot)>, StoreError>;

    /// Brings the due time of every transfer, and of every waiting inbox item, forward to `now` at
    /// the latest, and so the probes of holds; cuts leases that last longer than any would. After
    /// the clock was set back, what was to be done by the old time must not wait for it.
    async fn pull_due(&self, now: Timestamp) -> Result<(), StoreError>;
}
