//! Takes due work from the store, where work is shared: once, and announces it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::TransferId;
use kiungo_store::{Records, StoreError};

use crate::clock::Clock;
use crate::dispatch::account_locks::AccountLock;
use crate::dispatch::backlog::Backlog;
use crate::dispatch::dispatcher::Dispatcher;
use crate::next_look::NextLook;
use crate::setup::EngineOptions;
use crate::tasks::Tasks;

/// The interval at which the backlog is counted, and account locks are compared with the store.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The shortest pause between two looks at what is due.
const PAUSE_MIN: Duration = Duration::from_millis(10);

/// Takes due work, and announces it.
pub(crate) struct Sweep {
    pub(crate) store: Arc<dyn Records>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tasks: Tasks,
    pub(crate) next_look: Arc<NextLook>,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) options: EngineOptions,
}

impl Sweep {
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
    async fn sweep(&self) -> Result<Duration, StoreError> {
        let now = self.clock.now();
        let again = now.after(self.dispatcher.lease);
        let batch = self.options.due_batch;
        let taken = self.store.take_due(now, again, batch).await?;
        let more = taken.len() >= usize::try_from(batch).unwrap_or(usize::MAX);
        for (id, slot) in taken {
            self.dispatcher.announce(slot, id);
        }
        for id in self.store.take_inbox_due(now, again, batch).await? {
            self.dispatcher.announce_arrival(id);
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
            self.backlog.count_received().await;
            tokio::select! {
                biased;
                () = self.tasks.stopping() => return,
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
        }
    }

    /// Frees the account locks of transfers that another process has brought to rest.
    pub(crate) async fn keep_reconciling_locks(self: Arc<Self>) {
        loop {
            tokio::select! {
                biased;
                () = self.tasks.stopping() => return,
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
            let resting = self.dispatcher.registry().resting_holders();
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
                        self.dispatcher.pass_lock_on(id);
                    }
                }
                Err(error) => tracing::warn!(%error, "held accounts cannot be read"),
            }
        }
    }
}
