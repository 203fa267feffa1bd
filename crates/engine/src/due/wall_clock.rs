//! The time of day can be set back; due work, holds and leases must not wait for it to catch up.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::Timestamp;
use kiungo_store::{DueStore, Reports, StoreError, TransferQuery};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::next_look::NextLook;
use crate::tasks::Tasks;

/// The interval at which the time of day is compared with the process's own clock.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// A smaller step back is not worth the work: clocks are disciplined all the time.
const STEP_MIN: Duration = Duration::from_secs(2);

/// The time by which the time of day lags behind what it should be after `elapsed` since `then`.
fn step_back(then: Timestamp, elapsed: Duration, now: Timestamp) -> Duration {
    then.after(elapsed).since(now)
}

/// Watches the time of day.
pub(crate) struct WallClock {
    pub(crate) reports: Arc<dyn Reports>,
    pub(crate) dues: Arc<dyn DueStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tasks: Tasks,
    pub(crate) next_look: Arc<NextLook>,
}

impl WallClock {
    /// After a start: a transfer that was received later than now was received by a clock that ran
    /// ahead.
    pub(crate) async fn mend_at_start(&self) -> Result<(), StoreError> {
        let newest = TransferQuery { limit: 1, ..TransferQuery::default() };
        let newest = self.reports.search(&newest).await?.rows;
        let now = self.clock.now();
        if newest.first().is_some_and(|row| row.received_at.since(now) >= STEP_MIN) {
            tracing::warn!("the clock was set back: due work is read again");
            self.dues.pull_due(now).await?;
        }
        Ok(())
    }

    /// Brings everything that is due forward once the clock has been set back; each transfer then
    /// finds its own due time anew ([`kiungo_domain::Transfer::plan`]).
    pub(crate) async fn keep_watching(self: Arc<Self>) {
        let (mut wall, mut own) = (self.clock.now(), Instant::now());
        loop {
            tokio::select! {
                biased;
                () = self.tasks.stopping() => return,
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
            let now = self.clock.now();
            let step = step_back(wall, own.elapsed(), now);
            (wall, own) = (now, Instant::now());
            if step < STEP_MIN {
                continue;
            }
            tracing::warn!(
                by.seconds = step.as_secs(),
                "the clock was set back: due work is read again"
            );
            match self.dues.pull_due(now).await {
                Ok(()) => self.next_look.wake(),
                Err(error) => tracing::error!(%error, "due times cannot be brought forward"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clock_that_lags_behind_was_set_back() {
        let then = Timestamp::from_micros(10_000_000);
        let after = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let five = Duration::from_secs(5);
        assert_eq!(step_back(then, five, after(15)), Duration::ZERO);
        assert_eq!(step_back(then, five, after(400)), Duration::ZERO, "ahead, or suspended");
        assert_eq!(step_back(then, five, after(-5)), Duration::from_secs(20));
    }
}
