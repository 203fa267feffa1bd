//! Announcing work, and taking part in a shard of it.

use async_trait::async_trait;
use kiungo_domain::{Slot, TransferId};

use crate::QueueError;

/// A piece of work to look at. Its state is in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    /// A transfer that has something to do.
    Transfer(TransferId),
    /// An item of the inbox, by its number.
    Arrival(i64),
}

/// A part of the work, from 0. At any time one process has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(pub u16);

impl Shard {
    /// The shard of a slot among `count`.
    pub const fn of(slot: Slot, count: u16) -> Self {
        let count = if count == 0 { 1 } else { count };
        Self(slot.number() % count)
    }
}

/// The queue in which work is announced and taken up.
#[async_trait]
pub trait WorkQueue: Send + Sync {
    /// The number of shards.
    fn shards(&self) -> u16;

    /// Announces work; within a slot it is delivered in this order. When this returns `Ok`, all of
    /// it outlives the broker's restart. After an error it may have been announced or not; the due
    /// table brings it back. Announcements that wait together may share a message.
    async fn announce(&self, work: &[(Slot, Work)]) -> Result<(), QueueError>;

    /// Takes part in a shard. Deliveries come while this member is the active one; another member
    /// takes over, with everything that was not acknowledged, when this one ends.
    async fn join(&self, shard: Shard) -> Result<Box<dyn Membership>, QueueError>;
}

/// Taking part in a shard. Dropped, it ends as if the process had died.
#[async_trait]
pub trait Membership: Send {
    /// The next delivery; `None` once the membership has ended: the broker or the way to it is
    /// gone. Join again then. Deliveries that were not acknowledged come to the next active member.
    async fn next(&mut self) -> Option<Delivery>;

    /// Takes no more deliveries, so that the next member becomes active. Earlier deliveries can
    /// still be acknowledged through their acknowledgement handles.
    async fn leave(self: Box<Self>);
}

/// Work that was delivered.
pub struct Delivery {
    /// The work to look at, in order; never empty.
    pub work: Vec<Work>,
    /// True if it may have been delivered before.
    pub redelivered: bool,
    /// To be told once all of it rests. Dropped untold, it is delivered again once the membership
    /// has ended.
    pub ack: Box<dyn AckHandle>,
}

/// A delivery that is not acknowledged yet.
#[async_trait]
pub trait AckHandle: Send + Sync {
    /// All of it rests: it need not be delivered again. If the way to the broker is gone, it will
    /// be all the same, which is harmless.
    async fn acknowledge(self: Box<Self>);
}
