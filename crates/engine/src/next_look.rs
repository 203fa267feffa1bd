//! The moment at which the due table is looked at next.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kiungo_domain::Timestamp;
use tokio::sync::Notify;

/// The moment at which the due table is looked at next.
#[derive(Debug)]
pub(crate) struct NextLook {
    look: Mutex<Look>,
    /// There may be something due, or room for it.
    wake: Notify,
}

#[derive(Debug)]
struct Look {
    /// `None` if nothing is known for which it would have to be looked at.
    at: Option<Timestamp>,
    /// True while what is due is read: whatever is put off meanwhile may be missing in what is read.
    under_way: bool,
}

impl Default for NextLook {
    fn default() -> Self {
        Self { look: Mutex::new(Look { at: None, under_way: true }), wake: Notify::new() }
    }
}

impl NextLook {
    /// The due table is being read.
    pub(crate) fn begins(&self) {
        *self.lock() = Look { at: None, under_way: true };
    }

    /// The due table has been read, and would be read again after `sleep`. Returns how long that may
    /// be, by what was put off meanwhile.
    pub(crate) fn ended(&self, now: Timestamp, sleep: Duration) -> Duration {
        let mut look = self.lock();
        let sleep = look.at.map_or(sleep, |at| at.since(now).min(sleep));
        *look = Look { at: Some(now.after(sleep)), under_way: false };
        sleep
    }

    /// Makes sure that no task sleeps past `due`, until which work was postponed.
    pub(crate) fn remember(&self, due: Timestamp) {
        if self.is_to_be_sooner(due) {
            self.wake();
        }
    }

    /// There may be something due, or room for it: it is looked at now.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until it is woken.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Notes that work was put off until `due`; true if the next look would be past that.
    fn is_to_be_sooner(&self, due: Timestamp) -> bool {
        let mut look = self.lock();
        let sooner = look.at.is_none_or(|at| due < at);
        if sooner {
            look.at = Some(due);
        }
        sooner && !look.under_way
    }

    fn lock(&self) -> MutexGuard<'_, Look> {
        self.look.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
