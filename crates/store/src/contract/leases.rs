//! Leases on tasks that only one process may do, and the actions of persons.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::Harness;
use super::fixtures::at;
use crate::{Lease, StoreError};

pub async fn a_lease_is_taken_renewed_lost_and_released(harness: &dyn Harness) {
    let store = harness.open().await;
    let take = async |holder, now, until| {
        store.take_lease("relay", holder, at(now), at(until)).await.unwrap()
    };
    assert!(take("a", 0, 10).await);
    assert!(!take("b", 5, 15).await);
    assert!(take("a", 5, 15).await, "whoever has it may renew it");
    assert!(!take("b", 14, 24).await);
    assert!(take("b", 15, 25).await, "it ends when its time is over");
    assert!(!take("a", 16, 26).await);
    store.release_lease("relay", "a").await.unwrap();
    assert!(!take("a", 16, 26).await, "only its holder can give it back");
    store.release_lease("relay", "b").await.unwrap();
    assert!(take("a", 16, 26).await);
    assert!(store.take_lease("other", "b", at(16), at(26)).await.unwrap());
    let long = "x".repeat(201);
    let refused = store.take_lease(&long, "a", at(0), at(1)).await;
    assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{refused:?}");
}

pub async fn of_sixty_four_who_want_a_lease_one_has_it(harness: &dyn Harness) {
    let store = harness.open().await;
    let mut takers = JoinSet::new();
    for n in 0..64 {
        let store = Arc::clone(&store);
        takers.spawn(async move {
            store.take_lease("relay", &format!("p{n}"), at(0), at(10)).await.unwrap()
        });
    }
    assert_eq!(takers.join_all().await.into_iter().filter(|has| *has).count(), 1);
    assert_eq!(store.leases("relay", at(5)).await.unwrap().len(), 1);
}

pub async fn leases_are_listed_by_name(harness: &dyn Harness) {
    let store = harness.open().await;
    for (name, until) in
        [("worker/b", 20), ("worker/a", 30), ("worker", 30), ("worker0", 30), ("z", 30)]
    {
        assert!(store.take_lease(name, "h", at(0), at(until)).await.unwrap());
    }
    let lease = |name: &str, until| {
        let (name, holder) = (name.to_owned(), "h".to_owned());
        Lease { name, holder, until: at(until) }
    };
    let workers = store.leases("worker/", at(10)).await.unwrap();
    assert_eq!(workers, [lease("worker/a", 30), lease("worker/b", 20)]);
    assert_eq!(store.leases("worker/", at(20)).await.unwrap(), [lease("worker/a", 30)]);
    assert_eq!(store.leases("", at(10)).await.unwrap().len(), 5);
    // What ended over an hour ago is cleared away when one is taken; the rest is not touched.
    assert!(store.take_lease("z", "h", at(3_625), at(4_000)).await.unwrap());
    let left = store.leases("", at(0)).await.unwrap();
    let left: Vec<_> = left.iter().map(|lease| lease.name.as_str()).collect();
    assert_eq!(left, ["worker", "worker/a", "worker0", "z"]);
}
