//! The embedded queue.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kiungo_queue::contract::fixtures::{PREFETCH, SHARDS, collect, next, work, works};
use kiungo_queue::contract::{Harness, Listener, Process};
use kiungo_queue::{
    DeliveryFaults, EventMessage, Events as _, MemoryOptions, MemoryQueue, QueueError, SentCommand,
    Shard, WorkQueue as _,
};

struct InMemory(MemoryQueue);

impl InMemory {
    fn new() -> Self {
        let bounds =
            MemoryOptions { shards: SHARDS, prefetch: PREFETCH, ..MemoryOptions::default() };
        Self(MemoryQueue::new(bounds))
    }
}

#[async_trait]
impl Harness for InMemory {
    async fn open(&self) -> Process {
        let queue = self.0.clone();
        Process {
            work: Arc::new(queue.clone()),
            events: Arc::new(queue.clone()),
            dead: Arc::new(queue.clone()),
            commands: Box::new(move || queue.commands()),
        }
    }

    async fn restart(&self, process: Process) -> Option<Process> {
        self.0.go_down();
        self.0.come_up();
        Some(process)
    }

    async fn listen(&self) -> Box<dyn Listener> {
        Box::new(Reader { queue: self.0.clone(), read: 0 })
    }

    async fn send(&self, command: SentCommand) {
        self.0.send(command);
    }

    fn user(&self) -> String {
        "branch-7".to_owned()
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(5)
    }
}

struct Reader {
    queue: MemoryQueue,
    read: usize,
}

#[async_trait]
impl Listener for Reader {
    async fn next(&mut self) -> EventMessage {
        self.read += 1;
        self.queue.events()[self.read - 1].clone()
    }
}

kiungo_queue::queue_contract!(InMemory::new());

#[tokio::test]
async fn every_delivery_comes_twice_if_it_is_told_to() {
    let queue = InMemory::new().0;
    queue.set_delivery_faults(DeliveryFaults { doubled: true, reversed: false });
    queue.announce(&works([1])).await.unwrap();
    queue.announce(&works([2])).await.unwrap();
    let mut member = queue.join(Shard(0)).await.unwrap();
    let (came, _) = collect(&mut member, 4).await;
    assert_eq!(came, [1, 1, 2, 2].map(work));
    assert_eq!(queue.outstanding(), 0);
}

#[tokio::test]
async fn the_last_delivery_comes_first_if_it_is_told_to() {
    let queue = InMemory::new().0;
    queue.set_delivery_faults(DeliveryFaults { doubled: false, reversed: true });
    for number in 1..4 {
        queue.announce(&works([number])).await.unwrap();
    }
    let mut member = queue.join(Shard(0)).await.unwrap();
    assert_eq!(collect(&mut member, 3).await.0, [3, 2, 1].map(work));
}

#[tokio::test]
async fn while_it_is_down_memberships_end_and_everything_fails() {
    let queue = InMemory::new().0;
    queue.announce(&works([1])).await.unwrap();
    let mut member = queue.join(Shard(0)).await.unwrap();
    let held = next(&mut member).await;
    queue.go_down();
    assert!(member.next().await.is_none());
    let refused = queue.announce(&works([2])).await;
    assert!(matches!(refused, Err(QueueError::Unavailable(_))));
    assert!(queue.publish(&[]).await.is_err() && queue.join(Shard(0)).await.is_err());
    held.ack.acknowledge().await;
    queue.come_up();
    let mut member = queue.join(Shard(0)).await.unwrap();
    assert_eq!(collect(&mut member, 1).await, (vec![work(1)], true));
}

#[tokio::test]
async fn a_full_shard_refuses_all_of_an_announcement() {
    let queue = MemoryQueue::new(MemoryOptions { waiting_max: 1, ..MemoryOptions::default() });
    queue.announce(&works([1])).await.unwrap();
    assert!(queue.announce(&works([2])).await.is_err());
    assert_eq!(queue.outstanding(), 1);
    assert!(queue.join(Shard(16)).await.is_err());
}
