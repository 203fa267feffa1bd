//! Assigns the work in this process: one task per transfer, and one operation at a time per core
//! account (rule 11).

use std::collections::{BTreeMap, HashMap, VecDeque};

use kiungo_domain::policy::Side;
use kiungo_domain::transfer::{StepName, Transfer};
use kiungo_domain::{CoreAccount, CoreId, Timestamp, TransferId};

use crate::dispatch::deliveries::DeliveryGuard;

/// The lock of a core account, which one transfer at a time may hold.
pub(crate) type AccountLock = (CoreId, CoreAccount);

/// The account lock that a step needs: its core account, if it is an operation of the core.
pub(crate) fn lock_for(transfer: &Transfer, step: StepName) -> Option<AccountLock> {
    let account = transfer.account()?;
    let core = transfer.operation(step).side() == Side::Core;
    core.then(|| (transfer.instruction().core.clone(), account))
}

/// The assignment of transfers to tasks. Nothing here is durable: after a restart it is rebuilt
/// from the store.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    working: HashMap<TransferId, Mailbox>,
    locks: HashMap<AccountLock, Queue>,
    /// The lock that a transfer waits for: one at a time.
    queued: HashMap<TransferId, AccountLock>,
    /// The time to call a person about a transfer that waits for a lock, whichever transfer holds
    /// it.
    calls: BTreeMap<TransferId, Timestamp>,
    /// The lock that a transfer has: one at a time.
    held: HashMap<TransferId, AccountLock>,
}

/// The messages that came for a transfer while a task was working on it.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    /// Hints at a result.
    pub(crate) hints: Vec<String>,
    /// Deliveries that end with the work.
    guards: Vec<DeliveryGuard>,
    /// Another process may have changed it: it is to be read again before it rests.
    changed: bool,
}

/// The result of releasing a transfer.
#[derive(Debug)]
pub(crate) enum Released {
    /// The transfer is released; these deliveries end with it.
    Free(Vec<DeliveryGuard>),
    /// A hint at a result came: the task keeps it.
    Hinted,
    /// Another process may have changed it: the task keeps it.
    Changed,
}

#[derive(Debug)]
struct Queue {
    holder: TransferId,
    waiting: VecDeque<TransferId>,
}

impl Registry {
    /// The number of transfers that tasks work on.
    pub(crate) fn in_flight(&self) -> usize {
        self.working.len()
    }

    /// The number of transfers that tasks work on or that wait for a lock.
    pub(crate) fn busy(&self) -> usize {
        self.working.len() + self.queued.len()
    }

    /// True if a task works on this transfer.
    pub(crate) fn is_working(&self, id: TransferId) -> bool {
        self.working.contains_key(&id)
    }

    /// True if this transfer waits for a lock.
    pub(crate) fn is_queued(&self, id: TransferId) -> bool {
        self.queued.contains_key(&id)
    }

    /// The lock that this transfer waits for.
    pub(crate) fn waits_for(&self, id: TransferId) -> Option<&AccountLock> {
        self.queued.get(&id)
    }

    /// Takes a transfer; `false` if a task has it already.
    pub(crate) fn take(&mut self, id: TransferId) -> bool {
        if self.working.contains_key(&id) {
            return false;
        }
        self.working.insert(id, Mailbox::default());
        true
    }

    /// Takes a transfer with the delivery that brought it. `Err` if a task has it already, which
    /// then reads it again before it rests, or if it waits for a lock.
    pub(crate) fn take_delivered(
        &mut self,
        id: TransferId,
        guard: DeliveryGuard,
    ) -> Result<(), Option<DeliveryGuard>> {
        if self.is_queued(id) {
            return Err(Some(guard));
        }
        if let Some(mailbox) = self.working.get_mut(&id) {
            mailbox.guards.push(guard);
            mailbox.changed = true;
            return Err(None);
        }
        self.working.insert(id, Mailbox { guards: vec![guard], ..Mailbox::default() });
        Ok(())
    }

    /// Leaves a hint with the task that works on the transfer; `false` if none does.
    pub(crate) fn leave_hint(&mut self, id: TransferId, hint: &str) -> bool {
        let Some(mailbox) = self.working.get_mut(&id) else { return false };
        if mailbox.hints.len() < 8 {
            mailbox.hints.push(hint.to_owned());
        }
        true
    }

    /// The hints that came meanwhile.
    pub(crate) fn collect_hints(&mut self, id: TransferId) -> Vec<String> {
        self.working
            .get_mut(&id)
            .map(|mailbox| std::mem::take(&mut mailbox.hints))
            .unwrap_or_default()
    }

    /// Gives a transfer back, unless something came meanwhile that its task has not seen.
    pub(crate) fn release(&mut self, id: TransferId) -> Released {
        if let Some(mailbox) = self.working.get_mut(&id) {
            if std::mem::take(&mut mailbox.changed) {
                return Released::Changed;
            }
            if !mailbox.hints.is_empty() {
                return Released::Hinted;
            }
        }
        Released::Free(self.drop_work(id))
    }

    /// Gives a transfer back whatever came; its deliveries.
    pub(crate) fn drop_work(&mut self, id: TransferId) -> Vec<DeliveryGuard> {
        self.working.remove(&id).map(|mailbox| mailbox.guards).unwrap_or_default()
    }

    /// Takes a lock, or keeps it; `false` if another transfer has it, or this one has another lock.
    pub(crate) fn try_lock(&mut self, lock: &AccountLock, id: TransferId) -> bool {
        if let Some(held) = self.held.get(&id) {
            return held == lock;
        }
        if self.locks.contains_key(lock) {
            return false;
        }
        self.locks.insert(lock.clone(), Queue { holder: id, waiting: VecDeque::new() });
        self.held.insert(id, lock.clone());
        true
    }

    /// Takes a lock, or queues for it and says `false`: the transfer is named by
    /// [`Registry::release_lock`] once it is its turn. It waits for no other lock any more.
    pub(crate) fn lock_or_queue(&mut self, lock: &AccountLock, id: TransferId) -> bool {
        self.leave_queue_unless(id, Some(lock));
        if self.try_lock(lock, id) {
            return true;
        }
        if !self.is_queued(id)
            && let Some(queue) = self.locks.get_mut(lock)
        {
            queue.waiting.push_back(id);
            self.queued.insert(id, lock.clone());
        }
        false
    }

    /// The store says that another transfer has the lock: this one waits for it, before all others.
    /// Returns the transfer whose turn it is on the lock that the owner had here until now.
    pub(crate) fn lock_is_with(
        &mut self,
        lock: &AccountLock,
        owner: TransferId,
        id: TransferId,
    ) -> Option<TransferId> {
        if self.held.get(&id) == Some(lock) {
            self.held.remove(&id);
        }
        // Another process gave the lock to `owner`: it is removed from the local queue, or it would
        // be holder and waiter at once, and the lock would never be given on.
        self.leave_queue_unless(owner, None);
        self.leave_queue_unless(id, Some(lock));
        let next = self.release_lock_unless(owner, lock);
        self.held.insert(owner, lock.clone());
        let new = || Queue { holder: owner, waiting: VecDeque::new() };
        let queue = self.locks.entry(lock.clone()).or_insert_with(new);
        queue.holder = owner;
        if self.queued.insert(id, lock.clone()).is_none() {
            queue.waiting.push_front(id);
        }
        next
    }

    /// A person is to be called about this transfer at `due`, should it still wait for its lock.
    pub(crate) fn call_at(&mut self, id: TransferId, due: Timestamp) {
        if self.is_queued(id) {
            self.calls.insert(id, due);
        }
    }

    /// Returns the transfers that wait for a lock, and about which a person is to be called by now.
    pub(crate) fn take_calls(&mut self, now: Timestamp) -> Vec<TransferId> {
        let (calls, queued) = (&mut self.calls, &self.queued);
        let due: Vec<TransferId> =
            calls.iter().filter(|(_, due)| **due <= now).map(|(id, _)| *id).collect();
        calls.retain(|id, due| *due > now && queued.contains_key(id));
        due.into_iter().filter(|id| queued.contains_key(id)).collect()
    }

    /// Waits for no lock any more, but for this one.
    pub(crate) fn leave_queue_unless(&mut self, id: TransferId, wanted: Option<&AccountLock>) {
        if self.queued.get(&id) == wanted {
            return;
        }
        if let Some(lock) = self.queued.remove(&id)
            && let Some(queue) = self.locks.get_mut(&lock)
        {
            queue.waiting.retain(|waiting| *waiting != id);
        }
    }

    /// Transfers that have a lock and on which no task works: an operation of theirs may be
    /// running, or another process has brought them to rest.
    pub(crate) fn resting_holders(&self) -> Vec<(TransferId, AccountLock)> {
        let resting = self.held.iter().filter(|(id, _)| !self.working.contains_key(id));
        let mut resting: Vec<_> = resting.map(|(id, lock)| (*id, lock.clone())).collect();
        resting.sort_unstable_by_key(|(id, _)| *id);
        resting
    }

    /// Releases the lock that the transfer has, unless it is this one; the transfer whose turn it
    /// is has it from now on.
    pub(crate) fn release_lock_unless(
        &mut self,
        id: TransferId,
        wanted: &AccountLock,
    ) -> Option<TransferId> {
        self.held.get(&id).filter(|held| *held != wanted)?;
        self.release_lock(id)
    }

    /// Releases the lock that the transfer has, if it has one; the transfer whose turn it is has it
    /// from now on.
    pub(crate) fn release_lock(&mut self, id: TransferId) -> Option<TransferId> {
        let lock = self.held.remove(&id)?;
        let queue = self.locks.get_mut(&lock)?;
        let Some(next) = queue.waiting.pop_front() else {
            self.locks.remove(&lock);
            return None;
        };
        queue.holder = next;
        self.queued.remove(&next);
        self.held.insert(next, lock);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use kiungo_domain::AccountKind;
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> TransferId {
        TransferId::new(Uuid::from_u128(n << 8))
    }

    fn lock(n: u64) -> AccountLock {
        (CoreId::new("main").unwrap(), CoreAccount { kind: AccountKind::Savings, id: n })
    }

    #[test]
    fn a_person_is_called_in_time_about_whoever_waits_for_a_lock() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let mut registry = Registry::default();
        assert!(registry.lock_or_queue(&lock(1), id(1)));
        assert!(!registry.lock_or_queue(&lock(1), id(2)));
        registry.call_at(id(2), at(60));
        registry.call_at(id(3), at(10));
        assert_eq!(registry.take_calls(at(59)), []);
        assert_eq!(registry.take_calls(at(60)), [id(2)]);
        assert_eq!(registry.take_calls(at(61)), [], "once");
        registry.call_at(id(2), at(70));
        assert_eq!(registry.release_lock(id(1)), Some(id(2)));
        assert_eq!(registry.take_calls(at(80)), [], "it has the lock");
    }

    #[test]
    fn a_lock_is_passed_on_in_the_order_of_asking() {
        let mut registry = Registry::default();
        assert!(registry.lock_or_queue(&lock(1), id(1)));
        assert!(!registry.lock_or_queue(&lock(1), id(2)));
        assert!(!registry.lock_or_queue(&lock(1), id(3)));
        assert!(!registry.lock_or_queue(&lock(1), id(2)), "asking again does not queue twice");
        assert!(registry.lock_or_queue(&lock(2), id(4)), "another account is free");
        assert_eq!(registry.release_lock(id(1)), Some(id(2)));
        assert!(registry.try_lock(&lock(1), id(2)), "it is its turn");
        assert!(!registry.try_lock(&lock(1), id(1)));
        assert_eq!(registry.release_lock(id(2)), Some(id(3)));
        assert_eq!(registry.release_lock(id(3)), None);
        assert!(registry.try_lock(&lock(1), id(1)));
    }

    #[test]
    fn a_hint_that_comes_at_the_last_moment_is_not_lost() {
        let mut registry = Registry::default();
        assert!(registry.take(id(1)));
        assert!(!registry.take(id(1)));
        assert!(registry.leave_hint(id(1), "callback"));
        assert!(matches!(registry.release(id(1)), Released::Hinted));
        assert_eq!(registry.collect_hints(id(1)), ["callback"]);
        assert!(matches!(registry.release(id(1)), Released::Free(_)));
        assert!(!registry.leave_hint(id(1), "callback"));
    }

    #[test]
    fn whom_the_store_turned_away_waits_first_behind_the_holder() {
        let mut registry = Registry::default();
        assert!(registry.lock_or_queue(&lock(1), id(1)));
        assert!(!registry.lock_or_queue(&lock(1), id(2)));
        assert_eq!(registry.lock_is_with(&lock(1), id(9), id(1)), None);
        assert!(registry.is_queued(id(1)) && !registry.try_lock(&lock(1), id(1)));
        assert_eq!(registry.resting_holders(), [(id(9), lock(1))]);
        assert_eq!(registry.release_lock(id(9)), Some(id(1)));
        assert_eq!(registry.release_lock(id(1)), Some(id(2)));
        assert_eq!(registry.release_lock(id(2)), None);
        assert!(registry.resting_holders().is_empty());
    }

    #[test]
    fn a_waiter_that_gets_the_lock_elsewhere_leaves_the_queue() {
        let mut registry = Registry::default();
        assert!(registry.lock_or_queue(&lock(1), id(1)));
        assert!(!registry.lock_or_queue(&lock(1), id(2)));
        assert!(!registry.lock_or_queue(&lock(1), id(3)));
        assert_eq!(registry.release_lock(id(1)), Some(id(2)));
        // Another process was quicker with 3: here, a delivery of it is not to be put off.
        assert_eq!(registry.lock_is_with(&lock(1), id(3), id(2)), None);
        assert!(registry.is_queued(id(2)) && !registry.is_queued(id(3)));
        assert!(registry.try_lock(&lock(1), id(3)));
        assert_eq!(registry.release_lock(id(3)), Some(id(2)));
        assert_eq!(registry.release_lock(id(2)), None);
    }

    #[test]
    fn a_waiter_that_no_longer_needs_the_lock_leaves_the_queue() {
        let mut registry = Registry::default();
        assert!(registry.lock_or_queue(&lock(1), id(1)));
        assert!(!registry.lock_or_queue(&lock(1), id(2)));
        assert!(!registry.lock_or_queue(&lock(1), id(3)));
        registry.leave_queue_unless(id(2), Some(&lock(1)));
        assert!(registry.is_queued(id(2)), "it still needs it");
        registry.leave_queue_unless(id(2), None);
        assert!(!registry.is_queued(id(2)));
        assert_eq!(registry.release_lock(id(1)), Some(id(3)));
    }

    #[test]
    fn a_waiter_that_needs_another_lock_waits_for_that_one_only() {
        let mut registry = Registry::default();
        assert!(registry.lock_or_queue(&lock(1), id(1)));
        assert!(registry.lock_or_queue(&lock(2), id(2)));
        assert!(!registry.lock_or_queue(&lock(1), id(3)));
        assert!(!registry.lock_or_queue(&lock(2), id(3)), "it moves another account now");
        assert_eq!(registry.waits_for(id(3)), Some(&lock(2)));
        assert_eq!(registry.release_lock(id(1)), None);
        assert_eq!(registry.release_lock(id(2)), Some(id(3)));
    }

    #[test]
    fn no_lock_is_lost_when_its_holder_needs_another_one() {
        let mut registry = Registry::default();
        assert!(registry.lock_or_queue(&lock(1), id(1)));
        assert!(!registry.lock_or_queue(&lock(1), id(2)));
        assert!(!registry.try_lock(&lock(2), id(1)), "one lock at a time");
        assert_eq!(registry.release_lock_unless(id(1), &lock(1)), None);
        assert_eq!(registry.release_lock_unless(id(1), &lock(2)), Some(id(2)));
        assert!(registry.try_lock(&lock(2), id(1)));
        // Another process had 2 operate on the second account meanwhile: the first one is free.
        assert!(!registry.lock_or_queue(&lock(1), id(3)));
        assert_eq!(registry.lock_is_with(&lock(2), id(2), id(1)), Some(id(3)));
        assert_eq!(registry.release_lock(id(2)), Some(id(1)));
        assert_eq!((registry.release_lock(id(1)), registry.release_lock(id(3))), (None, None));
        assert!(
            registry.locks.is_empty() && registry.held.is_empty() && registry.queued.is_empty()
        );
    }
}
