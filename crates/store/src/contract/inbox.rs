//! The inbox: everything that arrived from outside.

use super::Harness;
use super::fixtures::{arrival, at, provider};
use crate::{Arrival, InboxId, InboxItem, InboxState, StoreError};

pub async fn an_arrival_is_stored_whole_and_once(harness: &dyn Harness) {
    let store = harness.open().await;
    let Arrival::New(id) = store.arrive(arrival("d1", at(1))).await.unwrap() else {
        panic!("it is new");
    };
    let again = store.arrive(arrival("d1", at(2))).await.unwrap();
    assert_eq!(again, Arrival::Seen(id));
    let mut elsewhere = arrival("d1", at(3));
    elsewhere.provider = provider("gsma-sandbox");
    assert!(matches!(store.arrive(elsewhere).await.unwrap(), Arrival::New(other) if other != id));
    let expected = InboxItem {
        id,
        provider: provider("mpesa-tz"),
        head: arrival("", at(0)).head,
        body: arrival("", at(0)).body,
        at: at(1),
        arrivals: 2,
        attempts: 0,
        state: InboxState::waiting(at(1)),
    };
    assert_eq!(store.inbox_item(id).await.unwrap(), Some(expected.clone()));
    let found = |name: &str, digest| {
        let (store, name) = (std::sync::Arc::clone(&store), provider(name));
        async move { store.arrived(&name, digest).await.unwrap() }
    };
    assert_eq!(found("mpesa-tz", "d1").await, Some(expected));
    assert!(found("gsma-sandbox", "d1").await.is_some_and(|other| other.id != id));
    assert_eq!(found("mpesa-tz", "d2").await, None);
    let empty = crate::NewArrival { body: Vec::new(), ..arrival("d2", at(4)) };
    let id = store.arrive(empty).await.unwrap().id();
    assert_eq!(store.inbox_item(id).await.unwrap().unwrap().body, Vec::<u8>::new());
}

pub async fn an_item_waits_is_postponed_and_handled(harness: &dyn Harness) {
    let store = harness.open().await;
    let mut ids = Vec::new();
    for (digest, second) in [("d1", 30), ("d2", 10), ("d3", 20)] {
        ids.push(store.arrive(arrival(digest, at(second))).await.unwrap().id());
    }
    let numbers = |items: Vec<InboxItem>| items.iter().map(|item| item.id).collect::<Vec<_>>();
    assert_eq!(numbers(store.inbox_due(at(20), 10).await.unwrap()), [ids[1], ids[2]]);
    assert_eq!(numbers(store.inbox_due(at(20), 1).await.unwrap()), [ids[1]]);
    let later = InboxState::waiting(at(25));
    store.set_inbox_state(ids[1], later.clone()).await.unwrap();
    assert_eq!(numbers(store.inbox_due(at(24), 10).await.unwrap()), [ids[2]]);
    let item = store.inbox_item(ids[1]).await.unwrap().unwrap();
    assert_eq!((item.attempts, item.state), (1, later));
    let handled = InboxState::Handled { note: "known already".to_owned() };
    store.set_inbox_state(ids[1], handled.clone()).await.unwrap();
    let item = store.inbox_item(ids[1]).await.unwrap().unwrap();
    assert_eq!((item.attempts, item.state), (1, handled));
    assert_eq!(numbers(store.inbox_due(at(99), 10).await.unwrap()), [ids[2], ids[0]]);
    assert_eq!(store.overview(at(0)).await.unwrap().inbox_waiting, 2);
}

pub async fn what_is_handled_stays_handled(harness: &dyn Harness) {
    let store = harness.open().await;
    let id = store.arrive(arrival("d1", at(1))).await.unwrap().id();
    let handled = InboxState::Handled { note: "done".to_owned() };
    store.set_inbox_state(id, handled.clone()).await.unwrap();
    store.set_inbox_state(id, InboxState::waiting(at(2))).await.unwrap();
    let quarantined = InboxState::Quarantined { reason: "late".to_owned() };
    store.set_inbox_state(id, quarantined).await.unwrap();
    assert_eq!(store.inbox_item(id).await.unwrap().unwrap().state, handled);
    assert_eq!(store.inbox_due(at(9), 10).await.unwrap(), []);
    assert_eq!(store.cases(None, 0).await.unwrap().rows, []);
}

/// A person decides about what a person is called for, and nobody about what another has decided.
pub async fn of_two_decisions_about_an_arrival_one_is_taken(harness: &dyn Harness) {
    let store = harness.open().await;
    let handled = || InboxState::Handled { note: "put away".to_owned() };
    let again = || InboxState::waiting(at(9));
    let concern = Some("it does not become clear".to_owned());
    let called = [
        InboxState::Quarantined { reason: "unreadable".to_owned() },
        InboxState::Waiting { due: at(2), concern },
    ];
    for (number, called) in called.into_iter().enumerate() {
        for (order, (first, second)) in
            [(again(), handled()), (handled(), again()), (again(), again())].into_iter().enumerate()
        {
            let new = arrival(&format!("d{number}{order}"), at(1));
            let id = store.arrive(new).await.unwrap().id();
            let idle = store.decide_inbox_state(id, handled()).await;
            assert_eq!(idle, Ok(false), "nobody is called because of it");
            store.set_inbox_state(id, called.clone()).await.unwrap();
            let both = tokio::join!(
                store.decide_inbox_state(id, first.clone()),
                store.decide_inbox_state(id, second)
            );
            assert_eq!(both, (Ok(true), Ok(false)));
            assert_eq!(store.inbox_item(id).await.unwrap().unwrap().state, first);
        }
    }
    let unknown = store.decide_inbox_state(InboxId(500), handled()).await;
    assert!(matches!(unknown, Err(StoreError::Corrupt(_))), "{unknown:?}");
}

pub async fn an_unknown_item_is_an_error(harness: &dyn Harness) {
    let store = harness.open().await;
    let state = InboxState::Handled { note: String::new() };
    let refused = store.set_inbox_state(InboxId(5), state).await;
    assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{refused:?}");
    assert_eq!(store.inbox_item(InboxId(5)).await.unwrap(), None);
}
