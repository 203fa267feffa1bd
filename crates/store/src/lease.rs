//! Claims to a task of which there is one, for a time: whoever does not renew its lease loses it.
//!
//! A lease says who should do something. It fences nothing: the writes of its holder are judged by
//! the same rules as everybody's.

use std::time::Duration;

use async_trait::async_trait;
use kiungo_domain::Timestamp;

use crate::StoreError;

/// The time for which a lease that has ended is kept: its row serves whoever takes it next.
const ENDED_KEPT: Duration = Duration::from_secs(3_600);

/// The largest number of leases in a list; there is one for each process and a few besides.
pub const LISTED_MAX: u32 = 1_000;

/// The largest number of bytes in a name or a holder: it stays a name.
const NAME_MAX: usize = 200;

/// A lease as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The name of the task, for example `relay` or `worker/7f3a`.
    pub name: String,
    /// The process that holds the lease.
    pub holder: String,
    /// The time at which the lease ends.
    pub until: Timestamp,
}

/// Refuses names that are none.
pub fn check_names(name: &str, holder: &str) -> Result<(), StoreError> {
    if name.len() <= NAME_MAX && holder.len() <= NAME_MAX {
        return Ok(());
    }
    Err(StoreError::Corrupt(format!("the name of a lease or holder is over {NAME_MAX} bytes")))
}

/// The longest time for which a lease goes on once the clock was set back. A holder renews its
/// lease long before that; nobody waits for a holder that is gone until the clock has caught up.
const SET_BACK_KEPT: Duration = Duration::from_mins(10);

/// The latest end of a lease after the clock was set back to `now`.
pub fn longest_lease(now: Timestamp) -> Timestamp {
    now.after(SET_BACK_KEPT)
}

/// Returns the time such that a lease that ended before it may be cleared away at `now`.
pub fn cleared_before(now: Timestamp) -> Timestamp {
    let kept = i64::try_from(ENDED_KEPT.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.as_micros().saturating_sub(kept))
}

/// The leases of tasks that only one process may do.
#[async_trait]
pub trait LeaseStore: Send + Sync {
    /// Takes a lease until `until`, or renews it, if nobody else has it at `now`; returns true if
    /// `holder` has it. At most 200 bytes each for name and holder.
    async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Releases a lease, if `holder` has it.
    async fn release_lease(&self, name: &str, holder: &str) -> Result<(), StoreError>;

    /// The leases whose names begin with `prefix` and that are held at `now`, by name. A lease that
    /// ended more than an hour ago may have been cleared away.
    async fn leases(&self, prefix: &str, now: Timestamp) -> Result<Vec<Lease>, StoreError>;
}
