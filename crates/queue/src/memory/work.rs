//! Announcing work, and taking part in a shard.

use std::sync::Arc;

use async_trait::async_trait;
use kiungo_domain::Slot;
use tokio::sync::Notify;

use super::MemoryQueue;
use super::shards::Taken;
use crate::{AckHandle, Delivery, Membership, QueueError, Shard, Work, WorkQueue};

#[async_trait]
impl WorkQueue for MemoryQueue {
    fn shards(&self) -> u16 {
        self.options.shards.max(1)
    }

    async fn announce(&self, work: &[(Slot, Work)]) -> Result<(), QueueError> {
        let mut state = self.up()?;
        let faults = state.faults;
        state.shards.announce(work, faults)
    }

    async fn join(&self, shard: Shard) -> Result<Box<dyn Membership>, QueueError> {
        let (id, wake) = self
            .up()?
            .shards
            .join(shard)
            .ok_or_else(|| QueueError::Unavailable(format!("there is no shard {}", shard.0)))?;
        let seat = Seat { queue: self.clone(), shard, id };
        Ok(Box::new(MemoryMembership { seat: Arc::new(seat), wake, left: false }))
    }
}

/// A member's place. Its deliveries go back when the last ack is gone.
struct Seat {
    queue: MemoryQueue,
    shard: Shard,
    id: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.queue.state().shards.end(self.shard, self.id);
    }
}

struct MemoryMembership {
    seat: Arc<Seat>,
    wake: Arc<Notify>,
    left: bool,
}

#[async_trait]
impl Membership for MemoryMembership {
    async fn next(&mut self) -> Option<Delivery> {
        loop {
            let seat = &self.seat;
            let answer = {
                let mut state = seat.queue.state();
                let faults = state.faults;
                state.shards.take(seat.shard, seat.id, faults)
            };
            match answer {
                Taken::Delivery { tag, entry } => {
                    let ack = Box::new(MemoryToken { seat: Arc::clone(seat), tag });
                    let redelivered = entry.redelivered;
                    return Some(Delivery { work: entry.work, redelivered, ack });
                }
                Taken::Ended => return None,
                Taken::Nothing => self.wake.notified().await,
            }
        }
    }

    async fn leave(mut self: Box<Self>) {
        self.left = true;
        self.seat.queue.state().shards.leave(self.seat.shard, self.seat.id);
    }
}

impl Drop for MemoryMembership {
    fn drop(&mut self) {
        if !self.left {
            self.seat.queue.state().shards.end(self.seat.shard, self.seat.id);
        }
    }
}

struct MemoryToken {
    seat: Arc<Seat>,
    tag: u64,
}

#[async_trait]
impl AckHandle for MemoryToken {
    async fn acknowledge(self: Box<Self>) {
        self.seat.queue.state().shards.acknowledge(self.seat.shard, self.tag);
    }
}
