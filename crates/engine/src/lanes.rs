//! Assigns the work in this process: one task per transfer, and one operation at a time per core
//! account (rule 11).

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use kiungo_domain::{CoreAccount, CoreId, Timestamp, TransferId};
use kiungo_store::InboxId;

use crate::sharing::Piece;

/// Inbox items handled at a time: each may ask the provider.
const ARRIVALS_MAX: usize = 256;

/// A core account, as a lane that one transfer at a time may use.
pub(crate) type Lane = (CoreId, CoreAccount);

/// The assignment of transfers to tasks. Nothing here is durable: after a restart it is rebuilt
/// from the store.
#[derive(Debug, Default)]
pub(crate) struct Board {
    working: HashMap<TransferId, Mail>,
    lanes: HashMap<Lane, Queue>,
    /// The lane that a transfer waits for: one at a time.
    queued: HashMap<TransferId, Lane>,
    /// The time to call a person about a transfer that waits for a lane, whoever holds the lane.
    calls: BTreeMap<TransferId, Timestamp>,
    /// The lane that a transfer has: one at a time.
    held: HashMap<TransferId, Lane>,
    arrivals: HashSet<InboxId>,
}

/// The messages that came for a transfer while a task was working on it.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    /// Hints at a result.
    pub(crate) hints: Vec<String>,
    /// Deliveries that end with the work.
    pieces: Vec<Piece>,
    /// Another process may have changed it: it is to be read again before it rests.
    changed: bool,
}

/// The result of giving a transfer back.
#[derive(Debug)]
pub(crate) enum GivenBack {
    /// The transfer is given back; these deliveries end with it.
    Free(Vec<Piece>),
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

impl Board {
    /// The number of transfers that tasks work on.
    pub(crate) fn in_flight(&self) -> usize {
        self.working.len()
    }

    /// The number of transfers that tasks work on or that wait for a lane.
    pub(crate) fn busy(&self) -> usize {
        self.working.len() + self.queued.len()
    }

    /// Takes an inbox item; `false` if a task has it, or too many are being handled.
    pub(crate) fn take_arrival(&mut self, id: InboxId) -> bool {
        self.arrivals.len() < ARRIVALS_MAX && self.arrivals.insert(id)
    }

    /// Takes an inbox item that has a place already; `false` if a task has it.
    pub(crate) fn take_delivered_arrival(&mut self, id: InboxId) -> bool {
        self.arrivals.insert(id)
    }

    /// Gives an inbox item back.
    pub(crate) fn give_arrival_back(&mut self, id: InboxId) {
        self.arrivals.remove(&id);
    }

    /// True if a task works on this transfer.
    pub(crate) fn is_working(&self, id: TransferId) -> bool {
        self.working.contains_key(&id)
    }

    /// True if this transfer waits for a lane.
    pub(crate) fn is_queued(&self, id: TransferId) -> bool {
        self.queued.contains_key(&id)
    }

    /// The lane that this transfer waits for.
    pub(crate) fn waits_for(&self, id: TransferId) -> Option<&Lane> {
        self.queued.get(&id)
    }

    /// Takes a transfer; `false` if a task has it already.
    pub(crate) fn take(&mut self, id: TransferId) -> bool {
        if self.working.contains_key(&id) {
            return false;
        }
        self.working.insert(id, Mail::default());
        true
    }

    /// Takes a transfer with the delivery that brought it. `Err` if it is with somebody already: a
    /// task, which then reads it again before it rests, or its lane, which it waits for.
    pub(crate) fn take_delivered(
        &mut self,
        id: TransferId,
        piece: Piece,
    ) -> Result<(), Option<Piece>> {
        if self.is_queued(id) {
            return Err(Some(piece));
        }
        if let Some(mail) = self.working.get_mut(&id) {
            mail.pieces.push(piece);
            mail.changed = true;
            return Err(None);
        }
        self.working.insert(id, Mail { pieces: vec![piece], ..Mail::default() });
        Ok(())
    }

    /// Leaves a hint with the task that works on the transfer; `false` if none does.
    pub(crate) fn leave_hint(&mut self, id: TransferId, hint: &str) -> bool {
        let Some(mail) = self.working.get_mut(&id) else { return false };
        if mail.hints.len() < 8 {
            mail.hints.push(hint.to_owned());
        }
        true
    }

    /// The hints that came meanwhile.
    pub(crate) fn collect_hints(&mut self, id: TransferId) -> Vec<String> {
        self.working.get_mut(&id).map(|mail| std::mem::take(&mut mail.hints)).unwrap_or_default()
    }

    /// Gives a transfer back, unless something came meanwhile that its task has not seen.
    pub(crate) fn give_back(&mut self, id: TransferId) -> GivenBack {
        if let Some(mail) = self.working.get_mut(&id) {
            if std::mem::take(&mut mail.changed) {
                return GivenBack::Changed;
            }
            if !mail.hints.is_empty() {
                return GivenBack::Hinted;
            }
        }
        GivenBack::Free(self.drop_work(id))
    }

    /// Gives a transfer back whatever came; its deliveries.
    pub(crate) fn drop_work(&mut self, id: TransferId) -> Vec<Piece> {
        self.working.remove(&id).map(|mail| mail.pieces).unwrap_or_default()
    }

    /// Takes a lane, or keeps it; `false` if another transfer has it, or this one has another lane.
    pub(crate) fn try_lane(&mut self, lane: &Lane, id: TransferId) -> bool {
        if let Some(held) = self.held.get(&id) {
            return held == lane;
        }
        if self.lanes.contains_key(lane) {
            return false;
        }
        self.lanes.insert(lane.clone(), Queue { holder: id, waiting: VecDeque::new() });
        self.held.insert(id, lane.clone());
        true
    }

    /// Takes a lane, or queues for it and says `false`: the transfer is named by
    /// [`Board::leave_lane`] once it is its turn. It waits for no other lane any more.
    pub(crate) fn lane_or_queue(&mut self, lane: &Lane, id: TransferId) -> bool {
        self.leave_queue_unless(id, Some(lane));
        if self.try_lane(lane, id) {
            return true;
        }
        if !self.is_queued(id)
            && let Some(queue) = self.lanes.get_mut(lane)
        {
            queue.waiting.push_back(id);
            self.queued.insert(id, lane.clone());
        }
        false
    }

    /// The store says that another transfer has the lane: this one waits for it, before all others.
    /// Returns the transfer whose turn it is on the lane that the owner had here until now.
    pub(crate) fn lane_is_with(
        &mut self,
        lane: &Lane,
        owner: TransferId,
        id: TransferId,
    ) -> Option<TransferId> {
        if self.held.get(&id) == Some(lane) {
            self.held.remove(&id);
        }
        // Another process gave the lane to `owner`: it is removed from the local queue, or it would
        // be holder and waiter at once, and the lane would never be given on.
        self.leave_queue_unless(owner, None);
        self.leave_queue_unless(id, Some(lane));
        let next = self.leave_lane_unless(owner, lane);
        self.held.insert(owner, lane.clone());
        let new = || Queue { holder: owner, waiting: VecDeque::new() };
        let queue = self.lanes.entry(lane.clone()).or_insert_with(new);
        queue.holder = owner;
        if self.queued.insert(id, lane.clone()).is_none() {
            queue.waiting.push_front(id);
        }
        next
    }

    /// A person is to be called about this transfer at `due`, should it still wait for its lane.
    pub(crate) fn call_at(&mut self, id: TransferId, due: Timestamp) {
        if self.is_queued(id) {
            self.calls.insert(id, due);
        }
    }

    /// Those that wait for a lane, and about whom a person is to be called by now.
    pub(crate) fn take_calls(&mut self, now: Timestamp) -> Vec<TransferId> {
        let (calls, queued) = (&mut self.calls, &self.queued);
        let due: Vec<TransferId> =
            calls.iter().filter(|(_, due)| **due <= now).map(|(id, _)| *id).collect();
        calls.retain(|id, due| *due > now && queued.contains_key(id));
        due.into_iter().filter(|id| queued.contains_key(id)).collect()
    }

    /// Waits for no lane any more, but for this one.
    pub(crate) fn leave_queue_unless(&mut self, id: TransferId, wanted: Option<&Lane>) {
        if self.queued.get(&id) == wanted {
            return;
        }
        if let Some(lane) = self.queued.remove(&id)
            && let Some(queue) = self.lanes.get_mut(&lane)
        {
            queue.waiting.retain(|waiting| *waiting != id);
        }
    }

    /// Transfers that have a lane and on which no task works: an operation of theirs may be running,
    /// or another process has brought them to rest.
    pub(crate) fn resting_holders(&self) -> Vec<(TransferId, Lane)> {
        let resting = self.held.iter().filter(|(id, _)| !self.working.contains_key(id));
        let mut resting: Vec<_> = resting.map(|(id, lane)| (*id, lane.clone())).collect();
        resting.sort_unstable_by_key(|(id, _)| *id);
        resting
    }

    /// Leaves the lane that the transfer has, unless it is this one; the transfer whose turn it is
    /// has it from now on.
    pub(crate) fn leave_lane_unless(
        &mut self,
        id: TransferId,
        wanted: &Lane,
    ) -> Option<TransferId> {
        self.held.get(&id).filter(|held| *held != wanted)?;
        self.leave_lane(id)
    }

    /// Leaves the lane that the transfer has, if it has one; the transfer whose turn it is has it
    /// from now on.
    pub(crate) fn leave_lane(&mut self, id: TransferId) -> Option<TransferId> {
        let lane = self.held.remove(&id)?;
        let queue = self.lanes.get_mut(&lane)?;
        let Some(next) = queue.waiting.pop_front() else {
            self.lanes.remove(&lane);
            return None;
        };
        queue.holder = next;
        self.queued.remove(&next);
        self.held.insert(next, lane);
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

    fn lane(n: u64) -> Lane {
        (CoreId::new("main").unwrap(), CoreAccount { kind: AccountKind::Savings, id: n })
    }

    #[test]
    fn a_person_is_called_in_time_about_whoever_waits_for_a_lane() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let mut board = Board::default();
        assert!(board.lane_or_queue(&lane(1), id(1)));
        assert!(!board.lane_or_queue(&lane(1), id(2)));
        board.call_at(id(2), at(60));
        board.call_at(id(3), at(10));
        assert_eq!(board.take_calls(at(59)), []);
        assert_eq!(board.take_calls(at(60)), [id(2)]);
        assert_eq!(board.take_calls(at(61)), [], "once");
        board.call_at(id(2), at(70));
        assert_eq!(board.leave_lane(id(1)), Some(id(2)));
        assert_eq!(board.take_calls(at(80)), [], "it has the lane");
    }

    #[test]
    fn a_lane_is_passed_on_in_the_order_of_asking() {
        let mut board = Board::default();
        assert!(board.lane_or_queue(&lane(1), id(1)));
        assert!(!board.lane_or_queue(&lane(1), id(2)));
        assert!(!board.lane_or_queue(&lane(1), id(3)));
        assert!(!board.lane_or_queue(&lane(1), id(2)), "asking again does not queue twice");
        assert!(board.lane_or_queue(&lane(2), id(4)), "another account is free");
        assert_eq!(board.leave_lane(id(1)), Some(id(2)));
        assert!(board.try_lane(&lane(1), id(2)), "it is its turn");
        assert!(!board.try_lane(&lane(1), id(1)));
        assert_eq!(board.leave_lane(id(2)), Some(id(3)));
        assert_eq!(board.leave_lane(id(3)), None);
        assert!(board.try_lane(&lane(1), id(1)));
    }

    #[test]
    fn a_hint_that_comes_at_the_last_moment_is_not_lost() {
        let mut board = Board::default();
        assert!(board.take(id(1)));
        assert!(!board.take(id(1)));
        assert!(board.leave_hint(id(1), "callback"));
        assert!(matches!(board.give_back(id(1)), GivenBack::Hinted));
        assert_eq!(board.collect_hints(id(1)), ["callback"]);
        assert!(matches!(board.give_back(id(1)), GivenBack::Free(_)));
        assert!(!board.leave_hint(id(1), "callback"));
    }

    #[test]
    fn whom_the_store_turned_away_waits_first_behind_the_holder() {
        let mut board = Board::default();
        assert!(board.lane_or_queue(&lane(1), id(1)));
        assert!(!board.lane_or_queue(&lane(1), id(2)));
        assert_eq!(board.lane_is_with(&lane(1), id(9), id(1)), None);
        assert!(board.is_queued(id(1)) && !board.try_lane(&lane(1), id(1)));
        assert_eq!(board.resting_holders(), [(id(9), lane(1))]);
        assert_eq!(board.leave_lane(id(9)), Some(id(1)));
        assert_eq!(board.leave_lane(id(1)), Some(id(2)));
        assert_eq!(board.leave_lane(id(2)), None);
        assert!(board.resting_holders().is_empty());
    }

    #[test]
    fn whoever_waits_here_and_gets_the_lane_elsewhere_waits_no_more() {
        let mut board = Board::default();
        assert!(board.lane_or_queue(&lane(1), id(1)));
        assert!(!board.lane_or_queue(&lane(1), id(2)));
        assert!(!board.lane_or_queue(&lane(1), id(3)));
        assert_eq!(board.leave_lane(id(1)), Some(id(2)));
        // Another process was quicker with 3: here, a delivery of it is not to be put off.
        assert_eq!(board.lane_is_with(&lane(1), id(3), id(2)), None);
        assert!(board.is_queued(id(2)) && !board.is_queued(id(3)));
        assert!(board.try_lane(&lane(1), id(3)));
        assert_eq!(board.leave_lane(id(3)), Some(id(2)));
        assert_eq!(board.leave_lane(id(2)), None);
    }

    #[test]
    fn whoever_needs_the_lane_no_more_leaves_the_queue() {
        let mut board = Board::default();
        assert!(board.lane_or_queue(&lane(1), id(1)));
        assert!(!board.lane_or_queue(&lane(1), id(2)));
        assert!(!board.lane_or_queue(&lane(1), id(3)));
        board.leave_queue_unless(id(2), Some(&lane(1)));
        assert!(board.is_queued(id(2)), "it still needs it");
        board.leave_queue_unless(id(2), None);
        assert!(!board.is_queued(id(2)));
        assert_eq!(board.leave_lane(id(1)), Some(id(3)));
    }

    #[test]
    fn whoever_needs_another_lane_waits_for_that_one_only() {
        let mut board = Board::default();
        assert!(board.lane_or_queue(&lane(1), id(1)));
        assert!(board.lane_or_queue(&lane(2), id(2)));
        assert!(!board.lane_or_queue(&lane(1), id(3)));
        assert!(!board.lane_or_queue(&lane(2), id(3)), "it moves another account now");
        assert_eq!(board.waits_for(id(3)), Some(&lane(2)));
        assert_eq!(board.leave_lane(id(1)), None);
        assert_eq!(board.leave_lane(id(2)), Some(id(3)));
    }

    #[test]
    fn no_lane_is_lost_when_its_holder_needs_another_one() {
        let mut board = Board::default();
        assert!(board.lane_or_queue(&lane(1), id(1)));
        assert!(!board.lane_or_queue(&lane(1), id(2)));
        assert!(!board.try_lane(&lane(2), id(1)), "one lane at a time");
        assert_eq!(board.leave_lane_unless(id(1), &lane(1)), None);
        assert_eq!(board.leave_lane_unless(id(1), &lane(2)), Some(id(2)));
        assert!(board.try_lane(&lane(2), id(1)));
        // Another process had 2 operate on the second account meanwhile: the first one is free.
        assert!(!board.lane_or_queue(&lane(1), id(3)));
        assert_eq!(board.lane_is_with(&lane(2), id(2), id(1)), Some(id(3)));
        assert_eq!(board.leave_lane(id(2)), Some(id(1)));
        assert_eq!((board.leave_lane(id(1)), board.leave_lane(id(3))), (None, None));
        assert!(board.lanes.is_empty() && board.held.is_empty() && board.queued.is_empty());
    }
}
