//! Bounds the time for which the relay may work: its lease, judged by two clocks.
//!
//! The database decides by the time of day which process has the lease. A process judges whether it
//! still has it by the monotonic clock, which nobody sets, *and* by the time of day, which goes on
//! while a machine is suspended: a process that was frozen in any way finds its term over.

use std::time::Duration;

use kiungo_domain::Timestamp;
use kiungo_store::{LeaseStore, StoreError};
use tokio::time::Instant;

use crate::options::LEASE_MARGIN;

/// The largest difference between the clocks of two machines: so much earlier publishing that is
/// under way is given up, before the next process may begin.
const CLOCKS_APART: Duration = Duration::from_secs(1);

/// The name of the lease.
pub(crate) const LEASE: &str = "relay";

/// A lease that was taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term {
    renew_at: Instant,
    ends: Instant,
    ends_by_day: Timestamp,
}

impl Term {
    /// Takes the lease, or renews it, at `now` by the time of day; `None` if another process has it.
    pub(crate) async fn take(
        leases: &dyn LeaseStore,
        holder: &str,
        now: Timestamp,
        length: Duration,
    ) -> Result<Option<Self>, StoreError> {
        // Before asking, so that the term is over here before it is over in the database.
        let asked = Instant::now();
        let until = now.after(length);
        let taken = leases.take_lease(LEASE, holder, now, until).await?;
        let term = Self { renew_at: asked + length / 2, ends: asked + length, ends_by_day: until };
        Ok(taken.then_some(term))
    }

    /// True if it is time to renew it.
    pub(crate) fn is_to_be_renewed(&self) -> bool {
        Instant::now() >= self.renew_at
    }

    /// The time by which publishing that begins now has to end; `None` if it may not begin.
    pub(crate) fn open_until(&self, now: Timestamp) -> Option<Instant> {
        let open =
            self.ends - LEASE_MARGIN > Instant::now() && now.after(LEASE_MARGIN) < self.ends_by_day;
        open.then(|| self.ends - CLOCKS_APART)
    }
}
