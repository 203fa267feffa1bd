//! Time and chance, passed in.

use std::time::{SystemTime, UNIX_EPOCH};

use kiungo_domain::{Timestamp, TransferId};
use uuid::Uuid;

/// The source of the time of day for the engine. Waiting goes through `tokio::time`.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The source of ids for new transfers.
pub trait Ids: Send + Sync {
    /// An id that was never given before and never will be again.
    fn next(&self) -> TransferId;
}

/// Time-ordered random ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeOrderedIds;

impl Ids for TimeOrderedIds {
    fn next(&self) -> TransferId {
        TransferId::from_time_ordered(Uuid::now_v7())
    }
}
