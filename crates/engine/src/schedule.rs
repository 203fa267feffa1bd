//! Takes up due work from the store, also after a restart.

use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::transfer::Draft;
use kiungo_domain::{Transfer, TransferId};
use kiungo_queue::Work;
use kiungo_store::StoreError;
use tokio::time::Instant;

use crate::deliveries::DeliveryGuard;
use crate::engine::Inner;

/// The longest sleep of the schedule when nothing is due: a lost wake-up costs no more.
const SLEEP_MAX: Duration = Duration::from_secs(30);

/// The interval at which the backlog is counted at most: the count reads more than a look at what
/// is due does.
const COUNT_EVERY: Duration = Duration::from_secs(1);

impl Inner {
    /// Keeps the accounts on which an operation may be running away from other transfers.
    pub(crate) async fn hold_accounts_again(&self) -> Result<(), StoreError> {
        for holder in self.store.holding_accounts().await? {
            if let Some(account) = holder.account {
                self.registry().try_lock(&(holder.core, account), holder.id);
            }
        }
        Ok(())
    }

    /// After a start, what was in flight is due at once: nobody works on it any more.
    pub(crate) async fn take_up_everything(self: &Arc<Self>) -> Result<(), StoreError> {
        let horizon = self.clock.now().after(self.options.lease);
        let batch = self
            .options
            .due_batch
            .max(u32::try_from(self.options.in_flight_max).unwrap_or(u32::MAX));
        for (id, _) in self.store.due(horizon, batch).await? {
            self.dispatch(id);
        }
        Ok(())
    }

    /// Works on what is due until the engine stops.
    pub(crate) async fn keep_schedule(self: Arc<Self>) {
        let mut counted: Option<Instant> = None;
        loop {
            if counted.is_none_or(|at| at.elapsed() >= COUNT_EVERY) {
                self.count_backlog().await;
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

    /// Counts what is due, for those who are to be turned away while it is too much.
    async fn count_backlog(&self) {
        match self.store.overview(self.clock.now()).await {
            Ok(overview) => self.backlog.store(overview.due, Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "the backlog cannot be counted"),
        }
    }

    /// Takes up what is due; how long to sleep then.
    async fn take_up_due(self: &Arc<Self>) -> Result<Duration, StoreError> {
        self.starved.store(false, Ordering::Release);
        let now = self.clock.now();
        for item in self.store.inbox_due(now, self.options.due_batch).await? {
            self.handle_arrival(item);
        }
        // Transfers in flight, or waiting for their account lock, can be due too: look past them.
        let busy = u32::try_from(self.registry().busy()).unwrap_or(u32::MAX);
        let batch = self.options.due_batch.saturating_add(busy);
        for (id, _) in self.store.due(now, batch).await? {
            if !self.dispatch(id) {
                self.starved.store(true, Ordering::Release);
                break;
            }
        }
        let calls = self.registry().take_calls(now);
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
    fn call_about(self: &Arc<Self>, id: TransferId) {
        let inner = Arc::clone(self);
        self.tasks.spawn(async move {
            let nothing_else = |_: &mut Draft| Ok(());
            if inner.exclusively(id, None, nothing_else).await.is_err() {
                let again = inner.clock.now().after(SLEEP_MAX);
                inner.registry().call_at(id, again);
            }
        });
    }

    /// Has a task work on a transfer; `false` if there is no room.
    pub(crate) fn dispatch(self: &Arc<Self>, id: TransferId) -> bool {
        {
            let mut registry = self.registry();
            if registry.is_queued(id) || registry.is_working(id) {
                return true;
            }
            if registry.in_flight() >= self.options.in_flight_max {
                return false;
            }
            registry.take(id);
        }
        self.read_and_advance(id);
        true
    }

    /// Has a task work on a transfer whose turn it is, whether or not there is room.
    pub(crate) fn dispatch_anyway(self: &Arc<Self>, id: TransferId) {
        if self.registry().take(id) {
            self.read_and_advance(id);
        }
    }

    /// Has a task work on a transfer that was delivered and has its place.
    pub(crate) fn dispatch_delivered(self: &Arc<Self>, id: TransferId, guard: DeliveryGuard) {
        let taken = self.registry().take_delivered(id, guard);
        match taken {
            Ok(()) => self.read_and_advance(id),
            Err(None) => {}
            Err(Some(guard)) => self.look_at_queued(id, guard),
        }
    }

    /// A transfer that waits here for its account lock was delivered: another process may have
    /// brought it past that, and then it must not go on waiting.
    fn look_at_queued(self: &Arc<Self>, id: TransferId, guard: DeliveryGuard) {
        let inner = Arc::clone(self);
        self.tasks.spawn(async move {
            if let Ok(Some(transfer)) = inner.store.transfer(id).await
                && !inner.still_waits(&transfer)
            {
                let taken = {
                    let mut registry = inner.registry();
                    registry.leave_queue_unless(id, None);
                    registry.take_delivered(id, guard)
                };
                match taken {
                    Ok(()) => inner.read_and_advance(id),
                    Err(known) => inner.rested(known),
                }
                return;
            }
            inner.rested([guard]);
        });
    }

    fn read_and_advance(self: &Arc<Self>, id: TransferId) {
        let inner = Arc::clone(self);
        self.tasks.spawn(async move {
            match inner.store.transfer(id).await {
                Ok(Some(transfer)) => inner.advance(transfer).await,
                Ok(None) => inner.release(id),
                Err(error) => {
                    tracing::error!(transfer = %id, %error, "the transfer cannot be read");
                    inner.release(id);
                }
            }
        });
    }

    /// True if a new transfer would be worked on at once.
    pub(crate) fn room_for_one_more(&self) -> bool {
        self.sharing.is_some() || self.registry().in_flight() < self.options.in_flight_max
    }

    /// Has a task work on a transfer that has just been received, if there is room; otherwise its
    /// due time brings it back.
    pub(crate) fn dispatch_new(self: &Arc<Self>, transfer: Transfer) {
        if self.sharing.is_some() {
            return self.announce(transfer.slot(), Work::Transfer(transfer.id()));
        }
        if self.room_for_one_more() && self.registry().take(transfer.id()) {
            self.go_on_with(transfer);
        } else {
            self.starved.store(true, Ordering::Release);
            self.next_look.wake();
        }
    }

    /// Works on a transfer that has been taken already; where work is shared, whoever it belongs to
    /// does.
    pub(crate) fn go_on_with(self: &Arc<Self>, transfer: Transfer) {
        if self.sharing.is_some() {
            self.release(transfer.id());
            return self.announce(transfer.slot(), Work::Transfer(transfer.id()));
        }
        let inner = Arc::clone(self);
        self.tasks.spawn(async move { inner.advance(transfer).await });
    }

    /// Gives a transfer back; whoever waits for its account lock or for room gets it.
    pub(crate) fn release(self: &Arc<Self>, id: TransferId) {
        let guards = self.registry().drop_work(id);
        self.rested(guards);
        if self.starved.load(Ordering::Acquire) {
            self.next_look.wake();
        }
    }
}
