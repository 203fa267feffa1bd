//! What is to be looked at, and when.

use super::Place;
use super::story::{at, clear, commit, due, id, instruction, received, then};

pub async fn the_longest_due_comes_first(place: &dyn Place) {
    let store = place.open().await;
    assert_eq!(store.next_due().await.unwrap(), None);
    for (n, second) in [(1, 30), (2, 10), (3, 20), (4, 40), (5, 10)] {
        commit(&*store, due(received(instruction(n), at(0)), at(second))).await;
    }
    commit(&*store, received(instruction(6), at(0))).await;
    assert_eq!(store.next_due().await.unwrap(), Some(at(10)));
    assert_eq!(store.due(at(9), 10).await.unwrap(), []);
    let due = store.due(at(30), 10).await.unwrap();
    assert_eq!(due, [(id(2), at(10)), (id(5), at(10)), (id(3), at(20)), (id(1), at(30))]);
    assert_eq!(store.due(at(30), 2).await.unwrap(), due[..2]);
    assert_eq!(store.overview(at(30)).await.unwrap().due, 4);
}

pub async fn a_transfer_is_postponed_at_its_version_only(place: &dyn Place) {
    let store = place.open().await;
    let first = commit(&*store, due(received(instruction(1), at(0)), at(10))).await;
    store.postpone(id(1), 1, at(20)).await.unwrap();
    assert_eq!(store.due(at(99), 10).await.unwrap(), [(id(1), at(20))]);
    store.postpone(id(1), 2, at(30)).await.unwrap();
    store.postpone(id(9), 0, at(30)).await.unwrap();
    assert_eq!(store.due(at(99), 10).await.unwrap(), [(id(1), at(20))]);
    commit(&*store, then(&first, at(5), clear)).await;
    assert_eq!(store.next_due().await.unwrap(), None);
    store.postpone(id(1), 1, at(40)).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), None);
    store.postpone(id(1), 2, at(50)).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(at(50)));
    assert_eq!(store.journal(id(1)).await.unwrap().len(), 2);
}

pub async fn a_change_replaces_the_due_time(place: &dyn Place) {
    let store = place.open().await;
    let first = commit(&*store, due(received(instruction(1), at(0)), at(10))).await;
    let second = commit(&*store, due(then(&first, at(5), clear), at(7))).await;
    assert_eq!(store.due(at(99), 10).await.unwrap(), [(id(1), at(7))]);
    let change = then(&second, at(6), |draft| {
        assert!(draft.start(second.open_step().unwrap()).is_some());
    });
    commit(&*store, change).await;
    assert_eq!(store.due(at(99), 10).await.unwrap(), []);
}
