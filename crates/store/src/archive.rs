//! The archive: settled transfers, out of the way of work that goes on.

use async_trait::async_trait;
use kiungo_domain::Timestamp;

use crate::StoreError;

/// The archive of settled transfers.
#[async_trait]
pub trait ArchiveStore: Send + Sync {
    /// Moves up to `limit` (at most 1,000 at a time) of the oldest settled transfers into the
    /// archive; how many were moved, so that a caller goes on until none is. Settled: final,
    /// received and last changed before `before`, no open case, nothing due. What is archived is
    /// found by id and by receipt, with its whole story, and by no other search; it keeps its
    /// receipts and its idempotency key, counts where it counted, and comes back with the next
    /// change committed to it. The newest transfer of all stays. Other work goes on meanwhile.
    async fn archive(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
