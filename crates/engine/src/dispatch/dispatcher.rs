//! Assigns the work: which task, of this process or of another, works on which transfer, and which
//! transfer may operate on which core account.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use kiungo_domain::transfer::{Next, Transfer};
use kiungo_domain::{Slot, Timestamp, TransferId};
use kiungo_queue::Work;
use kiungo_store::{InboxId, TransferStore};

use crate::clock::Clock;
use crate::counterparties::ports::Ports;
use crate::dispatch::account_locks::{AccountLock, Registry, lock_for};
use crate::dispatch::announcements::Announcements;
use crate::dispatch::deliveries::DeliveryGuard;
use crate::dispatch::distribution::Distribution;
use crate::next_look::NextLook;
use crate::request::RequestError;
use crate::tasks::Tasks;

/// Assigns the work.
pub(crate) struct Dispatcher {
    pub(crate) store: Arc<dyn TransferStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ports: Arc<Ports>,
    pub(crate) tasks: Tasks,
    pub(crate) next_look: Arc<NextLook>,
    pub(crate) registry: Mutex<Registry>,
    pub(crate) distribution: Distribution,
    /// The time after which the store is to bring back a transfer in flight.
    pub(crate) lease: Duration,
    /// The time for which a caller waits for a transfer that is being worked on.
    pub(crate) busy_wait: Duration,
    /// The worker on transfers; weak, because it hands on work itself.
    pub(crate) worker: Weak<dyn Advance>,
}

/// Works on transfers that were assigned to it.
pub(crate) trait Advance: Send + Sync {
    /// Works on a transfer for as long as there is something to do, then gives it back.
    fn advance(self: Arc<Self>, transfer: Transfer) -> BoxFuture<'static, ()>;
}

impl Dispatcher {
    pub(crate) fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if other processes may be at work on the same transfers.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self.distribution, Distribution::Shared { .. })
    }

    /// Where work is shared, the time after which a transfer that waits here for its account is
    /// announced to other processes.
    pub(crate) const fn queued_again(&self) -> Option<Duration> {
        match self.distribution {
            Distribution::InProcess(_) => None,
            Distribution::Shared { queued_again, .. } => Some(queued_again),
        }
    }

    /// True if a new transfer would be worked on at once.
    fn room_for_one_more(&self) -> bool {
        self.is_shared() || self.distribution.has_room_beside(self.registry().in_flight())
    }

    /// The time at which the store is to bring back a transfer that is received now.
    pub(crate) fn first_due(&self, now: Timestamp) -> Timestamp {
        if self.room_for_one_more() { now.after(self.lease) } else { now }
    }

    /// The schedule begins to take up what is due: it uses whatever room there is.
    pub(crate) fn begin_taking_up(&self) {
        self.distribution.want_room(false);
    }

    /// Has a task work on a transfer; `false` if there is no room.
    pub(crate) fn dispatch(self: &Arc<Self>, id: TransferId) -> bool {
        {
            let mut registry = self.registry();
            if registry.is_queued(id) || registry.is_working(id) {
                return true;
            }
            if !self.distribution.has_room_beside(registry.in_flight()) {
                return false;
            }
            registry.take(id);
        }
        self.read_and_advance(id);
        true
    }

    /// The same; if there is no room, the next that is free is made use of at once.
    pub(crate) fn dispatch_or_want_room(self: &Arc<Self>, id: TransferId) -> bool {
        let dispatched = self.dispatch(id);
        if !dispatched {
            self.distribution.want_room(true);
        }
        dispatched
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
        let dispatcher = Arc::clone(self);
        self.tasks.spawn(async move {
            if let Ok(Some(transfer)) = dispatcher.store.transfer(id).await
                && !dispatcher.still_waits(&transfer)
            {
                let taken = {
                    let mut registry = dispatcher.registry();
                    registry.leave_queue_unless(id, None);
                    registry.take_delivered(id, guard)
                };
                match taken {
                    Ok(()) => dispatcher.read_and_advance(id),
                    Err(known) => dispatcher.rested(known),
                }
                return;
            }
            dispatcher.rested([guard]);
        });
    }

    fn read_and_advance(self: &Arc<Self>, id: TransferId) {
        let Some(worker) = self.worker(id) else { return };
        let dispatcher = Arc::clone(self);
        self.tasks.spawn(async move {
            match dispatcher.store.transfer(id).await {
                Ok(Some(transfer)) => worker.advance(transfer).await,
                Ok(None) => dispatcher.release(id),
                Err(error) => {
                    tracing::error!(transfer = %id, %error, "the transfer cannot be read");
                    dispatcher.release(id);
                }
            }
        });
    }

    /// The worker for this transfer, which has been taken; `None` once the engine is gone: its
    /// deliveries come again to the next consumer.
    fn worker(&self, id: TransferId) -> Option<Arc<dyn Advance>> {
        let worker = self.worker.upgrade();
        if worker.is_none() {
            drop(self.registry().drop_work(id));
        }
        worker
    }

    /// Has a transfer worked on that has just been received, if there is room; otherwise its due
    /// time brings it back.
    pub(crate) fn dispatch_new(self: &Arc<Self>, transfer: Transfer) {
        if let Distribution::Shared { announcements, .. } = &self.distribution {
            return announcements.announce(transfer.slot(), Work::Transfer(transfer.id()));
        }
        if self.room_for_one_more() && self.registry().take(transfer.id()) {
            self.go_on_with(transfer);
        } else {
            self.distribution.want_room(true);
            self.next_look.wake();
        }
    }

    /// Starts work on a transfer that has been taken already; where work is shared, the process
    /// that its shard belongs to does the work.
    pub(crate) fn go_on_with(self: &Arc<Self>, transfer: Transfer) {
        if let Distribution::Shared { announcements, .. } = &self.distribution {
            self.release(transfer.id());
            return announcements.announce(transfer.slot(), Work::Transfer(transfer.id()));
        }
        let Some(worker) = self.worker(transfer.id()) else { return };
        self.tasks.spawn(async move { worker.advance(transfer).await });
    }

    /// Announcements on their way, if work is shared.
    pub(crate) const fn announcements(&self) -> Option<&Arc<Announcements>> {
        match &self.distribution {
            Distribution::InProcess(_) => None,
            Distribution::Shared { announcements, .. } => Some(announcements),
        }
    }

    /// Announces a transfer that has fallen due, if work is shared.
    pub(crate) fn announce(&self, slot: Slot, id: TransferId) {
        if let Distribution::Shared { announcements, .. } = &self.distribution {
            announcements.announce(slot, Work::Transfer(id));
        }
    }

    /// Announces an arrival, if work is shared; `false` if it is for this process to handle.
    pub(crate) fn announce_arrival(&self, id: InboxId) -> bool {
        match &self.distribution {
            Distribution::InProcess(_) => false,
            Distribution::Shared { announcements, .. } => {
                announcements.announce(arrival_slot(id), Work::Arrival(id.0));
                true
            }
        }
    }

    /// Takes a transfer, after waiting a while for the task that works on it.
    pub(crate) async fn take_patiently(&self, id: TransferId) -> Result<(), RequestError> {
        let pause = Duration::from_millis(20);
        let mut waited = Duration::ZERO;
        while !self.registry().take(id) {
            if waited >= self.busy_wait {
                return Err(RequestError::Busy(id));
            }
            tokio::time::sleep(pause).await;
            waited += pause;
        }
        Ok(())
    }

    /// Releases a transfer; a transfer that waits for its account lock, or for room, goes on.
    pub(crate) fn release(&self, id: TransferId) {
        let guards = self.registry().drop_work(id);
        self.rested(guards);
        if self.distribution.is_room_wanted() {
            self.next_look.wake();
        }
    }

    /// Work that rests: its store knows when it is due again.
    pub(crate) fn rested(&self, guards: impl IntoIterator<Item = DeliveryGuard>) {
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
}

/// Account locks (rule 11).
impl Dispatcher {
    /// Takes an account lock, or queues for it and says `false`; any other account lock is left.
    pub(crate) fn lock_or_queue(self: &Arc<Self>, lock: &AccountLock, id: TransferId) -> bool {
        let next = self.registry().release_lock_unless(id, lock);
        self.got_lock(next);
        self.registry().lock_or_queue(lock, id)
    }

    /// The store says that another transfer has the lock: this one waits for it.
    pub(crate) fn lock_is_with(
        self: &Arc<Self>,
        lock: &AccountLock,
        owner: TransferId,
        id: TransferId,
    ) {
        let next = self.registry().lock_is_with(lock, owner, id);
        self.got_lock(next);
    }

    /// True if the transfer needs the account lock that it waits for.
    fn still_waits(&self, transfer: &Transfer) -> bool {
        let wanted = self.wanted_lock(transfer);
        wanted.is_some() && self.registry().waits_for(transfer.id()) == wanted.as_ref()
    }

    /// The account lock that the transfer needs for its next operation; `None` if that is none of
    /// the core.
    fn wanted_lock(&self, transfer: &Transfer) -> Option<AccountLock> {
        let port = self.ports.provider(&transfer.instruction().provider)?;
        match transfer.plan(port.rules.policy(), self.clock.now())?.next {
            Next::Send(step) => lock_for(transfer, step),
            Next::Check
            | Next::Recover(_)
            | Next::Inquire(_)
            | Next::CallPerson(_)
            | Next::BringIn
            | Next::Tell(_) => None,
        }
    }

    /// Leaves the queue of an account lock that the transfer no longer needs: it would go on with
    /// nothing until it is its turn there.
    pub(crate) fn leave_queue_if_unwanted(&self, transfer: &Transfer) {
        if self.registry().is_queued(transfer.id()) && !self.still_waits(transfer) {
            self.registry().leave_queue_unless(transfer.id(), None);
        }
    }

    /// Releases the account lock unless an operation on the account may be running (rule 11).
    pub(crate) fn release_lock_if_free(self: &Arc<Self>, transfer: &Transfer) {
        if !transfer.holds_account() {
            let next = self.registry().release_lock(transfer.id());
            self.got_lock(next);
        }
    }

    /// Frees the account lock of a transfer that no task works on here and that holds no account.
    pub(crate) fn pass_lock_on(self: &Arc<Self>, id: TransferId) {
        let next = {
            let mut registry = self.registry();
            if registry.is_working(id) { None } else { registry.release_lock(id) }
        };
        self.got_lock(next);
    }

    /// Has a task work on the transfer to which an account lock was passed on; where work is
    /// shared, whether or not there is room.
    fn got_lock(self: &Arc<Self>, next: Option<TransferId>) {
        let Some(next) = next else { return };
        match self.distribution {
            Distribution::InProcess(_) => {
                self.dispatch_or_want_room(next);
            }
            Distribution::Shared { .. } => {
                if self.registry().take(next) {
                    self.read_and_advance(next);
                }
            }
        }
    }
}

/// The slot of an item of the inbox, whose transfer is not known yet.
fn arrival_slot(id: InboxId) -> Slot {
    Slot::of(&[b"arrival", &id.0.to_be_bytes()])
}
