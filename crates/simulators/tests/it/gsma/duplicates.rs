//! Correlation ids are used once.

use std::sync::Arc;

use kiungo_simulators::gsma::options::{Flow, Options};

use super::{BASE, ID, error, expected, world, world_with};
use crate::harness::{call, no_faults, settle};

#[tokio::test(start_paused = true)]
async fn a_second_use_of_a_correlation_id_is_refused_and_changes_nothing() {
    let world = world(Flow::Synchronous);
    assert_eq!(world.collect(ID, "5").await.status, 201);
    let again = world.collect(&ID.to_uppercase(), "5").await;
    assert_eq!(error(&again), expected(400, "businessRule", "duplicateRequest"));
    assert_eq!(world.moved(), 1);
    // On GET the header is ignored.
    let path = format!("{BASE}/accounts/balance");
    let read = call(&world.router, "GET", &path, &[("x-correlationid", ID)], "").await;
    assert_eq!(read.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_simultaneous_duplicates_move_money_once() {
    let world = Arc::new(world_with(
        Options { flow: Flow::Synchronous, delay_ms: 50, ..Options::default() },
        no_faults(),
    ));
    let tasks: Vec<_> = (0..1_000)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move { world.collect(ID, "5").await.status })
        })
        .collect();
    let mut created = 0;
    for task in tasks {
        created += usize::from(task.await.unwrap() == 201);
    }
    assert_eq!((created, world.moved()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_rejection_of_a_duplicate_can_come_by_callback() {
    let options = Options { asynchronous_duplicates: true, ..Options::default() };
    let world = world_with(options, no_faults());
    world.collect(ID, "5").await;
    settle().await;
    assert_eq!(world.collect(ID, "5").await.status, 202);
    settle().await;
    let received = world.mailbox.received();
    assert_eq!(received[1].body["errorCode"], "duplicateRequest");
    assert_eq!(received[1].headers["x-correlationid"], ID);
    let link = world.get(&format!("/responses/{ID}")).await.json();
    assert!(link["link"].as_str().unwrap().starts_with("/transactions/"));
    assert_eq!(world.moved(), 1);
}
