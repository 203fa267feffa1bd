//! The backlog: transfers whose time has come and that no task works on yet, as last counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kiungo_domain::transfer::Status;
use kiungo_store::Reports;

use crate::clock::Clock;

/// The backlog, for those who are to be turned away while it is full.
pub(crate) struct Backlog {
    store: Arc<dyn Reports>,
    clock: Arc<dyn Clock>,
    count: AtomicU64,
}

impl Backlog {
    pub(crate) fn new(store: Arc<dyn Reports>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, count: AtomicU64::new(0) }
    }

    /// Transfers whose time has come, as last counted.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Counts what is due.
    pub(crate) async fn count_due(&self) {
        match self.store.overview(self.clock.now()).await {
            Ok(overview) => self.count.store(overview.due, Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "the backlog cannot be counted"),
        }
    }

    /// Counts the due transfers that no task has begun: where work is shared, due work is announced
    /// at once, and no longer due then.
    pub(crate) async fn count_received(&self) {
        match self.store.overview(self.clock.now()).await {
            Ok(overview) => {
                let received = overview.transfers.iter();
                let received = received.filter(|(_, _, status, _)| *status == Status::Received);
                let backlog = received.map(|(.., count)| count).sum();
                self.count.store(backlog, Ordering::Relaxed);
            }
            Err(error) => tracing::warn!(%error, "the backlog cannot be counted"),
        }
    }
}
