//! Due times: the transfers that are to be looked at, and when.

use std::sync::Arc;

use kiungo_domain::AccountRef;
use kiungo_domain::party::AccountKey;
use kiungo_domain::transfer::Instruction;
use tokio::task::JoinSet;

use super::Harness;
use super::fixtures::{arrival, at, clear, commit, due, id, instruction, policy, received, then};
use crate::InboxState;

pub async fn the_longest_due_comes_first(harness: &dyn Harness) {
    let store = harness.open().await;
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

pub async fn an_arrival_that_waits_is_due_like_a_transfer(harness: &dyn Harness) {
    let store = harness.open().await;
    let waits = async |inbox, second| {
        store.set_inbox_state(inbox, InboxState::waiting(at(second))).await.unwrap();
        store.next_due().await.unwrap()
    };
    let first = store.arrive(arrival("a", at(5))).await.unwrap().id();
    assert_eq!(store.next_due().await.unwrap(), Some(at(5)));
    assert_eq!(waits(first, 30).await, Some(at(30)));
    commit(&*store, due(received(instruction(1), at(0)), at(20))).await;
    assert_eq!(store.next_due().await.unwrap(), Some(at(20)));
    assert_eq!(waits(first, 10).await, Some(at(10)));
    let handled = InboxState::Handled { note: "done".to_owned() };
    store.set_inbox_state(first, handled).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(at(20)));
}

pub async fn a_transfer_is_postponed_at_its_version_only(harness: &dyn Harness) {
    let store = harness.open().await;
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

pub async fn a_change_replaces_the_due_time(harness: &dyn Harness) {
    let store = harness.open().await;
    let first = commit(&*store, due(received(instruction(1), at(0)), at(10))).await;
    let second = commit(&*store, due(then(&first, at(5), clear), at(7))).await;
    assert_eq!(store.due(at(99), 10).await.unwrap(), [(id(1), at(7))]);
    let change = then(&second, at(6), |update| {
        assert!(update.start(second.open_step().unwrap(), &policy()).is_some());
    });
    commit(&*store, change).await;
    assert_eq!(store.due(at(99), 10).await.unwrap(), []);
}

pub async fn what_is_taken_comes_back_when_its_time_is_over(harness: &dyn Harness) {
    let store = harness.open().await;
    let mut slots = Vec::new();
    for (n, second) in [(1, 30), (2, 10), (3, 20), (4, 40), (5, 10)] {
        let accounts = vec![AccountRef { kind: None, key: AccountKey::Id(u64::from(n)) }];
        let change = received(Instruction { accounts, ..instruction(n) }, at(0));
        let change = due(change, at(second));
        slots.push(commit(&*store, change).await.slot());
    }
    let [one, two, three, four, five] = slots[..] else { unreachable!() };
    assert_ne!(one, two);
    assert_eq!(store.take_due(at(9), at(60), 10).await.unwrap(), []);
    let taken = store.take_due(at(30), at(60), 3).await.unwrap();
    assert_eq!(taken, [(id(2), two), (id(5), five), (id(3), three)]);
    assert_eq!(store.take_due(at(30), at(61), 10).await.unwrap(), [(id(1), one)]);
    assert_eq!(store.take_due(at(30), at(62), 10).await.unwrap(), []);
    // Nothing else has changed, and whoever took it may go on with it.
    assert_eq!(store.summary(id(2)).await.unwrap().unwrap().version, 1);
    let second = store.transfer(id(2)).await.unwrap().unwrap();
    commit(&*store, due(then(&second, at(31), clear), at(35))).await;
    assert_eq!(store.take_due(at(35), at(70), 10).await.unwrap(), [(id(2), two)]);
    let back = store.take_due(at(60), at(90), 10).await.unwrap();
    assert_eq!(back, [(id(4), four), (id(3), three), (id(5), five)]);
    assert_eq!(store.due(at(61), 9).await.unwrap(), [(id(1), at(61))]);
}

pub async fn concurrent_takers_take_each_once(harness: &dyn Harness) {
    let store = harness.open().await;
    for n in 0..200 {
        commit(&*store, due(received(instruction(n), at(0)), at(i64::from(n % 7)))).await;
    }
    let mut takers = JoinSet::new();
    for _ in 0..16 {
        let store = Arc::clone(&store);
        takers.spawn(async move {
            let mut taken = Vec::new();
            loop {
                let more = store.take_due(at(10), at(60), 9).await.unwrap();
                if more.is_empty() {
                    return taken;
                }
                taken.extend(more.into_iter().map(|(id, _)| id));
            }
        });
    }
    let mut taken = takers.join_all().await.concat();
    taken.sort();
    assert_eq!(taken, (0..200).map(id).collect::<Vec<_>>());
    assert_eq!(store.due(at(60), 1_000).await.unwrap().len(), 200);
}

pub async fn inbox_items_are_taken_once_and_come_back(harness: &dyn Harness) {
    let store = harness.open().await;
    let mut ids = Vec::new();
    for (digest, second) in [("d1", 30), ("d2", 10), ("d3", 20)] {
        ids.push(store.arrive(arrival(digest, at(second))).await.unwrap().id());
    }
    assert_eq!(store.take_inbox_due(at(9), at(60), 10).await.unwrap(), []);
    assert_eq!(store.take_inbox_due(at(20), at(60), 1).await.unwrap(), [ids[1]]);
    let (one, other) = tokio::join!(
        store.take_inbox_due(at(30), at(50), 9),
        store.take_inbox_due(at(30), at(50), 9)
    );
    assert_eq!([one.unwrap(), other.unwrap()].concat(), [ids[2], ids[0]]);
    let item = store.inbox_item(ids[1]).await.unwrap().unwrap();
    assert_eq!((item.attempts, item.state), (0, InboxState::waiting(at(60))));
    let handled = InboxState::Handled { note: "done".to_owned() };
    store.set_inbox_state(ids[2], handled).await.unwrap();
    assert_eq!(store.take_inbox_due(at(60), at(99), 9).await.unwrap(), [ids[0], ids[1]]);
}
