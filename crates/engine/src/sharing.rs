//! Shares the work between processes: announces it, and gives it back once it rests.
//!
//! The queue says who should work; the store decides at each commit who may
//! (`docs/decisions/0008`).

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::Slot;
use kiungo_queue::{Work, WorkQueue};
use tokio::sync::mpsc;

use crate::deliveries::DeliveryGuard;
use crate::engine::Inner;

/// The means by which a process shares the work with others.
#[derive(Clone)]
pub struct Sharing {
    /// The queue in which work is announced and taken up.
    pub queue: Arc<dyn WorkQueue>,
    /// True if this process takes part in the work; else it only accepts transfers that others work
    /// on.
    pub works: bool,
    /// Its name among the others, never used twice.
    pub name: String,
    /// Bounds and waits.
    pub options: SharingOptions,
}

/// Bounds and waits of sharing (rule 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharingOptions {
    /// After this, what was announced and has not changed since is announced again: an announcement
    /// can be lost with the process that was to make it, and a second one does no harm.
    pub announce_again: Duration,
    /// After this, a transfer that waits for its account is announced again: longer than most
    /// operations, so that it rarely is, and short, should its worker die.
    pub queued_again: Duration,
    /// Announcements that wait for the queue at most; one that finds no place is announced again
    /// later.
    pub announcements_max: usize,
    /// The time for which a silent worker counts as present when shards are divided.
    pub presence: Duration,
}

impl Default for SharingOptions {
    fn default() -> Self {
        Self {
            announce_again: Duration::from_secs(30),
            queued_again: Duration::from_secs(10),
            announcements_max: 65_536,
            presence: Duration::from_secs(6),
        }
    }
}

/// Announcements that share one call of the queue at most: a call waits for the broker's disk.
const ANNOUNCED_TOGETHER: usize = 1_024;

/// The wait after the queue has failed; pending announcements are left to the due table.
const PAUSE: Duration = Duration::from_millis(200);

impl Inner {
    /// The time after which the store is to bring back a transfer in flight.
    pub(crate) fn lease(&self) -> Duration {
        self.sharing.as_ref().map_or(self.options.lease, |sharing| sharing.options.announce_again)
    }

    /// Announces work, if it is shared. Does not wait: if that comes to nothing, the due table
    /// brings it back.
    pub(crate) fn announce(&self, slot: Slot, work: Work) {
        let Some(announcements) = &self.announcements else { return };
        if announcements.try_send((slot, work)).is_err() {
            metrics::counter!("kiungo_announcements_put_off_total").increment(1);
        }
    }

    /// Work that rests: its store knows when it is due again.
    pub(crate) fn rested(self: &Arc<Self>, guards: impl IntoIterator<Item = DeliveryGuard>) {
        // A transfer that stops here may be parked in flight: the next process looks at it at once.
        if self.tasks.are_stopping() {
            return;
        }
        for guard in guards {
            if let Some(ack) = guard.rested() {
                self.tasks.spawn(async move { ack.acknowledge().await });
            }
        }
    }

    /// Carries announcements to the queue, those that wait together.
    pub(crate) async fn carry_announcements(
        self: Arc<Self>,
        queue: Arc<dyn WorkQueue>,
        mut waiting: mpsc::Receiver<(Slot, Work)>,
    ) {
        let mut together = Vec::with_capacity(ANNOUNCED_TOGETHER);
        let mut down = false;
        loop {
            together.clear();
            tokio::select! {
                biased;
                taken = waiting.recv_many(&mut together, ANNOUNCED_TOGETHER) => {
                    if taken == 0 {
                        return;
                    }
                }
                // Transfers that were accepted until now are announced first.
                () = self.tasks.stopping() => return,
            }
            let count = u64::try_from(together.len()).unwrap_or(u64::MAX);
            match queue.announce(&together).await {
                Ok(()) => {
                    down = false;
                    metrics::counter!("kiungo_announced_total").increment(count);
                }
                Err(error) => {
                    if !down {
                        tracing::warn!(%error, "work cannot be announced; the due table keeps it");
                    }
                    down = true;
                    metrics::counter!("kiungo_announcements_put_off_total").increment(count);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
