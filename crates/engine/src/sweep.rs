//! Takes due work from the store, where work is shared: once, and announces it.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kiungo_domain::transfer::Status;
use kiungo_domain::{Slot, TransferId};
use kiungo_queue::Work;
use kiungo_store::StoreError;

use crate::account_locks::AccountLock;
use crate::engine::Inner;

/// The interval at which the backlog is counted, and account locks are compared with the store.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The shortest pause between two looks at what is due.
const PAUSE_MIN: Duration = Duration::from_millis(10);

impl Inner {
    /// Announces what falls due until the engine stops.
    pub(crate) async fn keep_sweeping(self: Arc<Self>) {
        loop {
            self.next_look.begins();
            let pause = match self.sweep().await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::warn!(%error, "the due table cannot be read; trying again");
                    Duration::from_secs(1)
                }
            };
            let pause = self.next_look.ended(self.clock.now(), pause);
            tokio::select! {
                biased;
                () = self.tasks.stopping() => return,
                () = tokio::time::sleep(PAUSE_MIN) => {}
            }
            tokio::select! {
                biased;
                () = self.tasks.stopping() => return,
                () = self.next_look.woken() => {}
                () = tokio::time::sleep(pause.saturating_sub(PAUSE_MIN)) => {}
            }
        }
    }

    /// Takes what is due, and announces it; how long to pause then.
    async fn sweep(self: &Arc<Self>) -> Result<Duration, StoreError> {
        let now = self.clock.now();
        let again = now.after(self.lease());
        let batch = self.options.due_batch;
        let taken = self.store.take_due(now, again, batch).await?;
        let more = taken.len() >= usize::try_from(batch).unwrap_or(usize::MAX);
        for (id, slot) in taken {
            self.announce(slot, Work::Transfer(id));
        }
        for id in self.store.take_inbox_due(now, again, batch).await? {
            self.announce(arrival_slot(id.0), Work::Arrival(id.0));
        }
        let poll = self.options.poll_interval;
        Ok(match self.store.next_due().await? {
            _ if more => PAUSE_MIN,
            Some(next) => next.since(self.clock.now()).min(poll),
            None => poll,
        })
    }

    /// Counts the backlog, for those who are to be turned away while it is full.
    pub(crate) async fn keep_counting(self: Arc<Self>) {
        loop {
            match self.store.overview(self.clock.now()).await {
                Ok(overview) => {
                    let received = overview.transfers.iter();
                    let received = received.filter(|(_, _, status, _)| *status == Status::Received);
                    let backlog = received.map(|(.., count)| count).sum();
                    self.backlog.store(backlog, Ordering::Relaxed);
                }
                Err(error) => tracing::warn!(%error, "the backlog cannot be counted"),
            }
            tokio::select! {
                biased;
                () = self.tasks.stopping() => return,
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
        }
    }

    /// Frees the account locks of transfers that another process has brought to rest.
    pub(crate) async fn reconcile_locks(self: Arc<Self>) {
        loop {
            tokio::select! {
                biased;
                () = self.tasks.stopping() => return,
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
            let resting = self.registry().resting_holders();
            if resting.is_empty() {
                continue;
            }
            match self.store.holding_accounts().await {
                Ok(holding) => {
                    let holding: HashSet<(TransferId, AccountLock)> = holding
                        .into_iter()
                        .filter_map(|it| it.account.map(|account| (it.id, (it.core, account))))
                        .collect();
                    for (id, _) in resting.into_iter().filter(|it| !holding.contains(it)) {
                        self.pass_lock_on(id);
                    }
                }
                Err(error) => tracing::warn!(%error, "held accounts cannot be read"),
            }
        }
    }

    /// Frees the account lock of a transfer that nobody works on here and that holds no account.
    fn pass_lock_on(self: &Arc<Self>, id: TransferId) {
        let next = {
            let mut registry = self.registry();
            if registry.is_working(id) { None } else { registry.release_lock(id) }
        };
        self.got_lock(next);
    }
}

/// The slot of an item of the inbox, whose transfer is not known yet.
pub(crate) fn arrival_slot(number: i64) -> Slot {
    Slot::of(&[b"arrival", &number.to_be_bytes()])
}
