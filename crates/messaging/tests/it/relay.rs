//! The relay: one process at a time publishes, in the order of the outbox.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use kiungo_domain::transfer::Status;
use kiungo_messaging::{MessagingOptions, Relay};
use kiungo_queue::Events;
use kiungo_store::LeaseStore;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::broker::Broker;
use crate::world::World;

struct Process {
    task: JoinHandle<()>,
    stop: CancellationToken,
    wake: Arc<Notify>,
}

fn process(world: &World, broker: &Arc<Broker>, name: &str) -> Process {
    with(world, broker, name, MessagingOptions::default())
}

fn with(world: &World, broker: &Arc<Broker>, name: &str, options: MessagingOptions) -> Process {
    let (stop, wake) = (CancellationToken::new(), Arc::new(Notify::new()));
    let events = Arc::clone(broker) as Arc<dyn Events>;
    let (service, told) = (world.service(), Arc::clone(&wake));
    let (outbox, leases) = (world.books.clone(), world.books.clone());
    let relay =
        Relay::new(service, outbox, leases, events, options, name.to_owned(), told).unwrap();
    let task = tokio::spawn(relay.run(stop.clone()));
    Process { task, stop, wake }
}

async fn pass(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// Puts so many rows into the outbox.
fn write(world: &World, count: u64) {
    let transfer = world.summary();
    for version in 1..=count {
        world.becomes(&transfer, version, Status::InProgress);
    }
}

/// The versions that the published ids tell of, in order.
fn versions(broker: &Broker) -> Vec<u64> {
    broker.ids().iter().map(|id| id.split('/').nth(1).unwrap().parse().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn events_are_published_in_their_order_and_then_removed() {
    let (world, broker) = (World::new(), Arc::new(Broker::default()));
    write(&world, 1_200);
    process(&world, &broker, "a");
    pass(50).await;
    assert_eq!(versions(&broker), (1..=1_200).collect::<Vec<_>>());
    assert!(world.books.rows.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_everything_is_published_again_from_the_first() {
    let (world, broker) = (World::new(), Arc::new(Broker::default()));
    write(&world, 3);
    broker.loses_confirms.store(true, SeqCst);
    process(&world, &broker, "a");
    pass(50).await;
    assert_eq!(world.books.rows.lock().unwrap().len(), 3);
    broker.loses_confirms.store(false, SeqCst);
    pass(1_000).await;
    assert_eq!(versions(&broker), [1, 2, 3, 1, 2, 3]);
    assert!(world.books.rows.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_untold_by_a_broker_and_a_store_that_come_and_go() {
    let (world, broker) = (World::new(), Arc::new(Broker::default()));
    broker.down.store(true, SeqCst);
    process(&world, &broker, "a");
    write(&world, 2);
    pass(30_000).await;
    world.books.down.store(true, SeqCst);
    broker.down.store(false, SeqCst);
    pass(60_000).await;
    assert!(broker.ids().is_empty());
    world.books.down.store(false, SeqCst);
    pass(10_000).await;
    assert_eq!(versions(&broker), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn of_two_processes_one_publishes_and_the_other_goes_on_when_it_dies() {
    let (world, broker) = (World::new(), Arc::new(Broker::default()));
    let first = process(&world, &broker, "a");
    pass(5).await;
    let second = process(&world, &broker, "b");
    for version in 1..=20 {
        world.becomes(&world.summary(), version, Status::InProgress);
        pass(1_000).await;
    }
    assert_eq!(versions(&broker), (1..=20).collect::<Vec<_>>());
    assert_eq!(world.books.lease_holder().as_deref(), Some("a"));
    first.task.abort();
    world.becomes(&world.summary(), 21, Status::Completed);
    pass(3_000).await;
    assert_eq!(versions(&broker).len(), 20, "the lease of the dead is not over");
    pass(9_000).await;
    assert_eq!(world.books.lease_holder().as_deref(), Some("b"));
    assert_eq!(versions(&broker).last(), Some(&21));
    assert!(!second.task.is_finished());
}

#[tokio::test(start_paused = true)]
async fn who_stops_gives_the_lease_back_so_that_the_next_goes_on_at_once() {
    let (world, broker) = (World::new(), Arc::new(Broker::default()));
    let first = process(&world, &broker, "a");
    pass(5).await;
    process(&world, &broker, "b");
    first.stop.cancel();
    first.task.await.unwrap();
    write(&world, 1);
    pass(1_100).await;
    assert_eq!(versions(&broker), [1]);
    assert_eq!(world.books.lease_holder().as_deref(), Some("b"));
}

/// As a process does that is frozen between reading the outbox and publishing.
#[tokio::test(start_paused = true)]
async fn who_was_frozen_until_its_lease_was_near_its_end_publishes_nothing() {
    let (world, broker) = (World::new(), Arc::new(Broker::default()));
    let frozen = process(&world, &broker, "a");
    pass(5).await;
    *world.books.slow.lock().unwrap() = Duration::from_secs(60);
    write(&world, 1);
    pass(100).await;
    *world.books.slow.lock().unwrap() = Duration::ZERO;
    let second = process(&world, &broker, "b");
    pass(12_000).await;
    assert_eq!(versions(&broker), [1]);
    assert_eq!(world.books.lease_holder().as_deref(), Some("b"));
    // Published by the second, so that the rows that the first has read are old.
    pass(60_000).await;
    assert_eq!(versions(&broker), [1]);
    assert!(!frozen.task.is_finished() && !second.task.is_finished());
}

/// The monotonic clock stands still while a machine is suspended; the time of day does not.
#[tokio::test(start_paused = true)]
async fn who_was_suspended_with_the_whole_machine_publishes_nothing() {
    let (world, broker) = (World::new(), Arc::new(Broker::default()));
    process(&world, &broker, "a");
    pass(5).await;
    *world.books.slow.lock().unwrap() = Duration::from_millis(50);
    write(&world, 1);
    pass(30).await;
    let now = world.suspended.fetch_add(60_000_000, SeqCst);
    assert_eq!(now, 0);
    let stolen = kiungo_api::Service::clock_now(&*world.fake).after(Duration::from_secs(30));
    let taken = world.books.take_lease("relay", "b", stolen, stolen).await.unwrap();
    assert!(taken);
    pass(1_000).await;
    assert!(broker.ids().is_empty());
}

#[tokio::test(start_paused = true)]
async fn publishing_that_outlasts_the_lease_is_given_up() {
    let (world, broker) = (World::new(), Arc::new(Broker::default()));
    *broker.slow.lock().unwrap() = Duration::from_secs(60);
    write(&world, 1);
    process(&world, &broker, "a");
    pass(8_900).await;
    *broker.slow.lock().unwrap() = Duration::ZERO;
    assert!(broker.ids().is_empty());
    pass(1_000).await;
    assert_eq!(versions(&broker), [1]);
}

#[tokio::test(start_paused = true)]
async fn who_is_told_that_there_is_something_does_not_wait_for_the_next_look() {
    let (world, broker) = (World::new(), Arc::new(Broker::default()));
    let patient = MessagingOptions { events_poll_ms: 60_000, ..MessagingOptions::default() };
    let process = with(&world, &broker, "a", patient);
    pass(5).await;
    write(&world, 1);
    pass(2_000).await;
    assert!(broker.ids().is_empty());
    process.wake.notify_one();
    pass(1).await;
    assert_eq!(versions(&broker), [1]);
}
