//! Durability: everything that was committed is there after a restart.

use super::Harness;
use super::comparison::same_stories_same_answers;
use super::fixtures::{arrival, at, due, instruction, keyed, live, received};
use crate::{InboxState, MemoryStore, Store};

pub async fn everything_is_there_after_a_restart(harness: &dyn Harness) {
    let store = harness.open_with_outbox().await;
    let lived = live(&*store, 4, 20, 100).await;
    let change = due(keyed(received(instruction(500), at(9)), "k", "d"), at(77));
    store.commit(change).await.unwrap();
    let item = store.arrive(arrival("d1", at(3))).await.unwrap().id();
    let reason = "cannot be read".to_owned();
    store.set_inbox_state(item, InboxState::Quarantined { reason }).await.unwrap();
    assert!(store.take_lease("relay", "h", at(0), at(100)).await.unwrap());
    assert!(store.put_action(super::actions::action(5)).await.unwrap());
    let before = answers(&*store).await;
    let Some(store) = harness.reopen(store).await else { return };
    assert_eq!(answers(&*store).await, before);
    for transfer in lived {
        assert_eq!(store.transfer(transfer.id()).await.unwrap(), Some(transfer));
    }
    // Numbers go on where they were.
    let next = store.arrive(arrival("d2", at(4))).await.unwrap();
    assert!(matches!(next, crate::Arrival::New(id) if id > item));
}

async fn answers(store: &dyn Store) -> Vec<String> {
    vec![
        format!("{:?}", store.overview(at(1_000)).await.unwrap()),
        format!("{:?}", store.ledger().await.unwrap()),
        format!("{:?}", store.due(at(9_999_999), 1_000).await.unwrap()),
        format!("{:?}", store.cases(None, 500).await.unwrap()),
        format!("{:?}", store.search(&crate::TransferQuery::default()).await.unwrap()),
        format!("{:?}", store.key_holder("shop", "k").await.unwrap()),
        format!("{:?}", store.holding_accounts().await.unwrap()),
        format!("{:?}", store.outbox_rows(1_000).await.unwrap()),
        format!("{:?}", store.leases("", at(50)).await.unwrap()),
        format!("{:?}", store.actions(&crate::ActionQuery::default()).await.unwrap()),
        format!("{:?}", store.inbox_item(crate::InboxId(1)).await.unwrap()),
    ]
}

/// Random stories in the place's store and in an audited one in memory: the same answers.
pub async fn same_answers_as_in_memory(harness: &dyn Harness, seed: u64) {
    let store = harness.open_with_outbox().await;
    same_stories_same_answers(&MemoryStore::audited().with_outbox(), &*store, seed).await;
}
