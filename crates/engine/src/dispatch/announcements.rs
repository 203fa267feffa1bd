//! Announcements of shared work, carried to the queue.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kiungo_domain::Slot;
use kiungo_queue::{Work, WorkQueue};
use tokio::sync::mpsc;

use crate::tasks::Tasks;

/// Announcements that share one call of the queue at most: a call waits for the broker's disk.
const ANNOUNCED_TOGETHER: usize = 1_024;

/// The wait after the queue has failed; pending announcements are left to the due table.
const PAUSE: Duration = Duration::from_millis(200);

/// Announcements on their way.
pub(crate) struct Announcements {
    queue: Arc<dyn WorkQueue>,
    tasks: Tasks,
    sender: mpsc::Sender<(Slot, Work)>,
    /// The announcements that wait to be sent.
    waiting: Mutex<Option<mpsc::Receiver<(Slot, Work)>>>,
}

impl Announcements {
    /// Announces to this queue; at most `most` announcements wait for it.
    pub(crate) fn new(queue: Arc<dyn WorkQueue>, waiting_max: usize, tasks: Tasks) -> Self {
        let (sender, waiting) = mpsc::channel(waiting_max.max(1));
        Self { queue, tasks, sender, waiting: Mutex::new(Some(waiting)) }
    }

    /// Announces work. Does not wait: if that comes to nothing, the due table brings it back.
    pub(crate) fn announce(&self, slot: Slot, work: Work) {
        if self.sender.try_send((slot, work)).is_err() {
            metrics::counter!("kiungo_announcements_put_off_total").increment(1);
        }
    }

    /// Carries announcements to the queue, those that wait together, until the engine stops.
    pub(crate) async fn keep_carrying(self: Arc<Self>) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut waiting) = waiting else { return };
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
            match self.queue.announce(&together).await {
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
