//! Time and ids of a world.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use kiungo_domain::{Timestamp, TransferId};
use kiungo_engine::{Clock, Ids};
use kiungo_simulator::faults::hash;
use uuid::Uuid;

/// The time of day by which Kiungo lives: it may run ahead of, or lag behind, everybody else's.
pub(super) struct VirtualClock {
    epoch: Timestamp,
    origin: tokio::time::Instant,
    /// By how many microseconds it is ahead of the true time.
    ahead: AtomicI64,
}

impl VirtualClock {
    /// A clock that shows `epoch` at `origin`, plus the time by which it is ahead.
    pub(super) fn new(epoch: Timestamp, origin: tokio::time::Instant, ahead: Duration) -> Self {
        Self { epoch, origin, ahead: AtomicI64::new(micros(ahead)) }
    }

    /// Sets it back.
    pub(super) fn set_back(&self, by: Duration) {
        self.ahead.fetch_sub(micros(by), Ordering::Relaxed);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let now = self.epoch.after(self.origin.elapsed()).as_micros();
        Timestamp::from_micros(now.saturating_add(self.ahead.load(Ordering::Relaxed)))
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// Ids by counting, so that a seed replays exactly.
pub(super) struct CountedIds {
    seed: u64,
    /// True if they have the layout of Kiungo 0.1.
    old: bool,
    given: AtomicU64,
}

impl CountedIds {
    pub(super) const fn new(seed: u64, old: bool) -> Self {
        Self { seed, old, given: AtomicU64::new(0) }
    }
}

impl Ids for CountedIds {
    fn next(&self) -> TransferId {
        let number = self.given.fetch_add(1, Ordering::Relaxed) + 1;
        let high = u128::from(hash(self.seed, &[b"ids"])) << 64;
        let version = 0x7_u128 << 76;
        let mask = !(0xf_u128 << 76);
        // The last two bytes are the place of references.
        let low = 0x8000_0000_0000_0000_u128 | (u128::from(number) << 16);
        let uuid = Uuid::from_u128(((high & mask) | version) | low);
        if self.old { TransferId::new(uuid) } else { TransferId::from_time_ordered(uuid) }
    }
}
