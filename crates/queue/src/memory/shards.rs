//! Divides the deliveries among the members of each shard.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use kiungo_domain::Slot;
use tokio::sync::Notify;

use super::{DeliveryFaults, MemoryOptions};
use crate::{QueueError, Shard, Work};

/// Work that one message carries at most, as with a broker.
const WORKS_MAX: usize = 64;

/// The content of one message.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) work: Vec<Work>,
    pub(super) redelivered: bool,
}

/// The answer to a member that asks for work.
pub(super) enum Taken {
    Delivery { tag: u64, entry: Entry },
    Nothing,
    Ended,
}

struct Member {
    id: u64,
    wake: Arc<Notify>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Entry>,
    /// The first one is active.
    members: VecDeque<Member>,
    /// By tag: in the order of delivery.
    unacknowledged: BTreeMap<u64, (u64, Entry)>,
}

pub(super) struct Shards {
    options: MemoryOptions,
    queues: Vec<Queue>,
    last: u64,
}

impl Shards {
    pub(super) fn new(options: MemoryOptions) -> Self {
        let queues = (0..options.shards.max(1)).map(|_| Queue::default()).collect();
        Self { options, queues, last: 0 }
    }

    /// Puts work into its shards, all of it or none.
    pub(super) fn announce(
        &mut self,
        work: &[(Slot, Work)],
        faults: DeliveryFaults,
    ) -> Result<(), QueueError> {
        let mut sorted: BTreeMap<Shard, Vec<Work>> = BTreeMap::new();
        for (slot, work) in work {
            sorted.entry(Shard::of(*slot, self.options.shards)).or_default().push(*work);
        }
        let full = |shard: &Shard| {
            let queue = self.queues.get(usize::from(shard.0));
            queue.is_none_or(|queue| queue.waiting.len() >= self.options.waiting_max)
        };
        if let Some(shard) = sorted.keys().find(|shard| full(shard)) {
            return Err(QueueError::Unavailable(format!("shard {} is full", shard.0)));
        }
        for (shard, work) in sorted {
            let Some(queue) = self.queue(shard) else { continue };
            for part in work.chunks(WORKS_MAX) {
                let entry = Entry { work: part.to_vec(), redelivered: false };
                if faults.doubled {
                    queue.waiting.push_back(entry.clone());
                }
                queue.waiting.push_back(entry);
            }
            queue.wake();
        }
        Ok(())
    }

    /// A new member of a shard; `None` if there is no such shard.
    pub(super) fn join(&mut self, shard: Shard) -> Option<(u64, Arc<Notify>)> {
        self.last += 1;
        let (id, wake) = (self.last, Arc::new(Notify::new()));
        let member = Member { id, wake: Arc::clone(&wake) };
        self.queue(shard)?.members.push_back(member);
        Some((id, wake))
    }

    /// Takes the next delivery for a member.
    pub(super) fn take(&mut self, shard: Shard, id: u64, faults: DeliveryFaults) -> Taken {
        let prefetch = usize::from(self.options.prefetch.max(1));
        self.last += 1;
        let tag = self.last;
        let Some(queue) = self.queue(shard) else { return Taken::Ended };
        if queue.members.front().is_none_or(|active| active.id != id) {
            let waits = queue.members.iter().any(|member| member.id == id);
            return if waits { Taken::Nothing } else { Taken::Ended };
        }
        if queue.unacknowledged.values().filter(|(holder, _)| *holder == id).count() >= prefetch {
            return Taken::Nothing;
        }
        let next =
            if faults.reversed { queue.waiting.pop_back() } else { queue.waiting.pop_front() };
        let Some(entry) = next else { return Taken::Nothing };
        queue.unacknowledged.insert(tag, (id, entry.clone()));
        Taken::Delivery { tag, entry }
    }

    pub(super) fn acknowledge(&mut self, shard: Shard, tag: u64) {
        if let Some(queue) = self.queue(shard) {
            queue.unacknowledged.remove(&tag);
            queue.wake();
        }
    }

    /// Makes room for the next member; deliveries that were made stay with this one.
    pub(super) fn leave(&mut self, shard: Shard, id: u64) {
        if let Some(queue) = self.queue(shard) {
            queue.members.retain(|member| member.id != id);
            queue.wake();
        }
    }

    /// Ends a membership: deliveries that it did not acknowledge go back to where they were.
    pub(super) fn end(&mut self, shard: Shard, id: u64) {
        if let Some(queue) = self.queue(shard) {
            queue.requeue(|holder| holder == id);
        }
        self.leave(shard, id);
    }

    pub(super) fn end_all(&mut self) {
        for queue in &mut self.queues {
            queue.requeue(|_| true);
            for member in queue.members.drain(..) {
                member.wake.notify_one();
            }
        }
    }

    pub(super) fn outstanding(&self) -> usize {
        let of = |queue: &Queue| queue.waiting.len() + queue.unacknowledged.len();
        self.queues.iter().map(of).sum()
    }

    fn queue(&mut self, shard: Shard) -> Option<&mut Queue> {
        self.queues.get_mut(usize::from(shard.0))
    }
}

impl Queue {
    fn requeue(&mut self, whose: impl Fn(u64) -> bool) {
        let tags: Vec<u64> = self.unacknowledged.keys().rev().copied().collect();
        for tag in tags {
            if self.unacknowledged.get(&tag).is_some_and(|(holder, _)| whose(*holder))
                && let Some((_, entry)) = self.unacknowledged.remove(&tag)
            {
                self.waiting.push_front(Entry { redelivered: true, ..entry });
            }
        }
    }

    /// Wakes the active member: no other one gets anything.
    fn wake(&self) {
        if let Some(active) = self.members.front() {
            active.wake.notify_one();
        }
    }
}
