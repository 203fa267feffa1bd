//! Takes up due work from the store, also after a restart.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::TransferId;
use kiungo_domain::transfer::TransferUpdate;
use kiungo_store::{Records, StoreError};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::dispatch::backlog::Backlog;
use crate::dispatch::dispatcher::Dispatcher;
use crate::intake::inbox::Inbox;
use crate::next_look::NextLook;
use crate::run::changes::Changes;
use crate::setup::EngineOptions;
use crate::tasks::Tasks;

/// The longest sleep of the schedule when nothing is due: a lost wake-up costs no more.
const SLEEP_MAX: Duration = Duration::from_secs(30);

/// The interval at which the backlog is counted at most: the count reads more than a look at what
/// is due does.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// Takes up due work, where this process does all of it.
pub(crate) struct Schedule {
    pub(crate) store: Arc<dyn Records>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tasks: Tasks,
    pub(crate) next_look: Arc<NextLook>,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) changes: Arc<Changes>,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) options: EngineOptions,
}

impl Schedule {
    /// Keeps the accounts on which an operation may be running away from other transfers.
    pub(crate) async fn hold_accounts_again(&self) -> Result<(), StoreError> {
        for holder in self.store.holding_accounts().await? {
            if let Some(account) = holder.account {
                self.dispatcher.registry().try_lock(&(holder.core, account), holder.id);
            }
        }
        Ok(())
    }

    /// After a start, transfers that were in flight are due at once: no task works on them any
    /// more.
    pub(crate) async fn take_up_everything(&self) -> Result<(), StoreError> {
        let horizon = self.clock.now().after(self.options.lease);
        let batch = self
            .options
            .due_batch
            .max(u32::try_from(self.options.in_flight_max).unwrap_or(u32::MAX));
        for (id, _) in self.store.due(horizon, batch).await? {
            self.dispatcher.dispatch(id);
        }
        Ok(())
    }

    /// Works on what is due until the engine stops.
    pub(crate) async fn keep_taking_up(self: Arc<Self>) {
        let mut counted: Option<Instant> = None;
        loop {
            if counted.is_none_or(|at| at.elapsed() >= COUNT_EVERY) {
                self.backlog.count_due().await;
                counted = Some(Instant::now());
            }
            self.next_look.begins();
            let sleep = match self.take_up_due().await {
                Ok(sleep) => sleep,
                Err(error) => {
                    tracing::error!(%error, "the due table cannot be read; trying again");
                    Duration::from_secs(1)
                }
            };
            let sleep = self.next_look.ended(self.clock.now(), sleep);
            tokio::select! {
                biased;
                () = self.tasks.stopping() => return,
                () = self.next_look.woken() => {}
                () = tokio::time::sleep(sleep) => {}
            }
        }
    }

    /// Takes up what is due; how long to sleep then.
    async fn take_up_due(&self) -> Result<Duration, StoreError> {
        self.dispatcher.begin_taking_up();
        let now = self.clock.now();
        for item in self.store.inbox_due(now, self.options.due_batch).await? {
            self.inbox.handle_arrival(item);
        }
        // Transfers in flight, or waiting for their account lock, can be due too: look past them.
        let busy = u32::try_from(self.dispatcher.registry().busy()).unwrap_or(u32::MAX);
        let batch = self.options.due_batch.saturating_add(busy);
        for (id, _) in self.store.due(now, batch).await? {
            if !self.dispatcher.dispatch_or_want_room(id) {
                break;
            }
        }
        let calls = self.dispatcher.registry().take_calls(now);
        for id in calls {
            self.call_about(id);
        }
        Ok(match self.store.next_due().await? {
            Some(next) if next > self.clock.now() => next.since(now).min(SLEEP_MAX),
            Some(_) => self.options.poll_interval,
            None => SLEEP_MAX,
        })
    }

    /// Calls a person about a transfer that waits for its account lock; it keeps its place.
    fn call_about(&self, id: TransferId) {
        let (changes, dispatcher) = (Arc::clone(&self.changes), Arc::clone(&self.dispatcher));
        let clock = Arc::clone(&self.clock);
        self.tasks.spawn(async move {
            let nothing_else = |_: &mut TransferUpdate| Ok(());
            if changes.exclusively(id, None, nothing_else).await.is_err() {
                let again = clock.now().after(SLEEP_MAX);
                dispatcher.registry().call_at(id, again);
            }
        });
    }
}
