//! Messages and helpers for the points of the contract.

use std::time::Duration;

use bytes::Bytes;
use kiungo_domain::{Slot, TransferId};
use uuid::Uuid;

use super::Harness;
use crate::{Command, Commands, Delivery, EventMessage, Membership, SentCommand, Shard, Work};

/// Deliveries that are held unacknowledged at most.
pub const PREFETCH: u16 = 4;

/// Shards of a queue.
pub const SHARDS: u16 = 3;

/// The time after which a wait counts as failed.
const FOREVER: Duration = Duration::from_secs(20);

/// Work, by its number.
pub fn work(number: u32) -> Work {
    Work::Transfer(TransferId::new(Uuid::from_u128(u128::from(number + 1) << 64)))
}

/// A slot of a shard.
pub fn slot(shard: u16) -> Slot {
    let slot = Slot::from_number(shard + SHARDS);
    assert_eq!(Shard::of(slot, SHARDS), Shard(shard));
    slot
}

/// Works with these numbers, in the first shard.
pub fn works(numbers: impl IntoIterator<Item = u32>) -> Vec<(Slot, Work)> {
    numbers.into_iter().map(|number| (slot(0), work(number))).collect()
}

/// The next delivery, which has to come.
pub async fn next(member: &mut Box<dyn Membership>) -> Delivery {
    let next = tokio::time::timeout(FOREVER, member.next()).await;
    next.expect("a delivery comes").expect("the membership goes on")
}

/// Work of `count` pieces, acknowledged; with whether any of it came again.
pub async fn collect(member: &mut Box<dyn Membership>, count: usize) -> (Vec<Work>, bool) {
    let (mut work, mut again) = (Vec::new(), false);
    while work.len() < count {
        let delivery = next(member).await;
        assert!(!delivery.work.is_empty());
        work.extend(delivery.work);
        again |= delivery.redelivered;
        delivery.ack.acknowledge().await;
    }
    (work, again)
}

/// Asserts that nothing comes.
pub async fn silent(harness: &dyn Harness, member: &mut Box<dyn Membership>) {
    let next = tokio::time::timeout(harness.patience(), member.next()).await;
    if let Ok(delivery) = next {
        panic!("a delivery comes: {:?}", delivery.map(|delivery| delivery.work));
    }
}

/// A command with a user.
pub fn command(harness: &dyn Harness, body: &'static str) -> SentCommand {
    SentCommand {
        user: Some(harness.user()),
        content_type: Some("application/cloudevents+json".to_owned()),
        routing_key: "transfer.create".to_owned(),
        body: Bytes::from_static(body.as_bytes()),
    }
}

/// The next command, which has to come.
pub async fn next_command(commands: &mut Box<dyn Commands>) -> Command {
    let next = tokio::time::timeout(FOREVER, commands.next()).await;
    next.expect("a command comes").expect("the queue goes on")
}

/// No command comes.
pub async fn no_command(harness: &dyn Harness, commands: &mut Box<dyn Commands>) {
    let next = tokio::time::timeout(harness.patience(), commands.next()).await;
    if let Ok(command) = next {
        panic!("a command comes: {:?}", command.map(|command| command.body));
    }
}

/// An event, by its number.
pub fn event(number: u32) -> EventMessage {
    EventMessage {
        id: format!("event-{number}"),
        topic: format!(
            "transfer.deposit.{}",
            if number.is_multiple_of(2) { "received" } else { "completed" }
        ),
        body: Bytes::from(format!(r#"{{"number":{number}}}"#)),
    }
}
