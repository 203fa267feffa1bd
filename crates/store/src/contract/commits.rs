//! A change is committed whole or not at all.

use kiungo_domain::transfer::{LedgerAccount, Posting, StepName};

use super::Harness;
use super::fixtures::{
    arrival, at, change_of, clear, commit, complete, due, id, instruction, keyed, policy, provider,
    receipt, received, then, wallet_instruction,
};
use crate::{Change, CommitError, InboxState, KeyHolder, StoreError, Summary, TransferQuery};

pub async fn a_change_is_there_whole(harness: &dyn Harness) {
    let store = harness.open().await;
    let item = store.arrive(arrival("d1", at(0))).await.unwrap().id();
    let mut change = received(wallet_instruction(1, "W1"), at(1));
    change = Change { handles: Some(item), ..due(keyed(change, "k", "d"), at(9)) };
    let decision = change.decision.clone();
    store.commit(change).await.unwrap();

    assert_eq!(store.transfer(id(1)).await.unwrap().as_ref(), Some(&decision.transfer));
    assert_eq!(store.journal(id(1)).await.unwrap(), decision.entries);
    let summary = Summary::of(&decision.transfer);
    assert_eq!(store.summary(id(1)).await.unwrap(), Some(summary));
    let postings = store.postings(id(1)).await.unwrap();
    assert_eq!(postings.len(), 2);
    assert_eq!(postings, decision.postings);
    assert_eq!(store.next_due().await.unwrap(), Some(at(9)));
    let owner = store.by_receipt(&provider("mpesa-tz"), &receipt("W1")).await.unwrap();
    assert_eq!(owner, Some(id(1)));
    let holder = KeyHolder { transfer: id(1), digest: "d".to_owned() };
    assert_eq!(store.key_holder("shop", "k").await.unwrap(), Some(holder));
    let item = store.inbox_item(item).await.unwrap().unwrap();
    assert!(matches!(item.state, InboxState::Handled { .. }));
    store.ping().await.unwrap();
}

pub async fn a_change_adds_to_what_was_there(harness: &dyn Harness) {
    let store = harness.open().await;
    let first = commit(&*store, received(instruction(1), at(1))).await;
    let change = then(&first, at(2), |update| {
        clear(update);
        complete(update, StepName::First, "R1");
    });
    let second = commit(&*store, change).await;
    let journal = store.journal(id(1)).await.unwrap();
    assert_eq!(journal.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(store.transfer(id(1)).await.unwrap(), Some(second));
    assert_eq!(store.postings(id(1)).await.unwrap().len(), 2);
    assert_eq!(store.transfer(id(2)).await.unwrap(), None);
    assert_eq!(store.journal(id(2)).await.unwrap(), []);
    assert_eq!(store.summary(id(2)).await.unwrap(), None);
}

pub async fn a_change_on_another_version_is_stale(harness: &dyn Harness) {
    let store = harness.open().await;
    let first = commit(&*store, received(instruction(1), at(1))).await;
    let again = store.commit(received(instruction(1), at(2))).await;
    assert_eq!(again, Err(CommitError::Stale));
    let change = then(&first, at(3), clear);
    commit(&*store, change.clone()).await;
    assert_eq!(store.commit(change).await, Err(CommitError::Stale));
    let unknown = received(instruction(2), at(4)).decision.transfer;
    assert_eq!(store.commit(then(&unknown, at(5), clear)).await, Err(CommitError::Stale));
    assert_eq!(store.journal(id(1)).await.unwrap().len(), 2);
}

pub async fn a_refused_change_leaves_nothing(harness: &dyn Harness) {
    let store = harness.open().await;
    commit(&*store, received(wallet_instruction(1, "W1"), at(1))).await;
    let item = store.arrive(arrival("d1", at(0))).await.unwrap().id();
    let change = due(keyed(received(wallet_instruction(2, "W1"), at(2)), "k", "d"), at(3));
    let refused = store.commit(Change { handles: Some(item), ..change }).await;
    let owner = CommitError::ReceiptTaken { receipt: receipt("W1"), owner: id(1) };
    assert_eq!(refused, Err(owner));

    assert_eq!(store.transfer(id(2)).await.unwrap(), None);
    assert_eq!(store.postings(id(2)).await.unwrap(), []);
    assert_eq!(store.key_holder("shop", "k").await.unwrap(), None);
    assert_eq!(store.due(at(1_000), 10).await.unwrap(), []);
    let item = store.inbox_item(item).await.unwrap().unwrap();
    assert_eq!(item.state, InboxState::waiting(at(0)));
    let found = store.search(&TransferQuery::default()).await.unwrap();
    assert_eq!(found.rows.len(), 1);
}

pub async fn a_receipt_belongs_to_one_transfer(harness: &dyn Harness) {
    let store = harness.open().await;
    commit(&*store, received(wallet_instruction(1, "W1"), at(1))).await;
    let second = commit(&*store, received(instruction(2), at(2))).await;
    let claims = |text: &'static str| {
        move |update: &mut kiungo_domain::transfer::TransferUpdate| {
            clear(update);
            complete(update, StepName::First, text);
        }
    };
    let refused = store.commit(then(&second, at(3), claims("W1"))).await;
    let owner = CommitError::ReceiptTaken { receipt: receipt("W1"), owner: id(1) };
    assert_eq!(refused, Err(owner));
    // The caller decides anew, with another receipt, and later refunds under that same one.
    let second = commit(&*store, then(&second, at(4), claims("W2"))).await;
    let refund = then(&second, at(5), |update| {
        update.start(StepName::Second, &policy());
        let refused = kiungo_domain::Outcome::Rejected(super::fixtures::rejection());
        update.conclude(StepName::Second, refused, &super::fixtures::policy());
        assert!(update.request_reversal("operator", "asked"));
        complete(update, StepName::UndoFirst, "W2");
    });
    commit(&*store, refund).await;
    let owner = store.by_receipt(&provider("mpesa-tz"), &receipt("W2")).await.unwrap();
    assert_eq!(owner, Some(id(2)));
}

pub async fn a_receipt_of_another_provider_is_another_receipt(harness: &dyn Harness) {
    let store = harness.open().await;
    commit(&*store, received(wallet_instruction(1, "W1"), at(1))).await;
    let mut other = wallet_instruction(2, "W1");
    other.provider = provider("gsma-sandbox");
    commit(&*store, received(other, at(2))).await;
    for (name, owner) in [("mpesa-tz", Some(id(1))), ("gsma-sandbox", Some(id(2))), ("x", None)] {
        let found = store.by_receipt(&provider(name), &receipt("W1")).await.unwrap();
        assert_eq!(found, owner, "{name}");
    }
}

pub async fn an_idempotency_key_names_its_holder(harness: &dyn Harness) {
    let store = harness.open().await;
    commit(&*store, keyed(received(instruction(1), at(1)), "k", "d1")).await;
    let holder = KeyHolder { transfer: id(1), digest: "d1".to_owned() };
    let taken = Err(CommitError::KeyTaken(holder));
    let again = keyed(received(instruction(2), at(2)), "k", "d2");
    assert_eq!(store.commit(again).await, taken);
    // Repeating even the same transfer finds the key, not a stale version.
    let same = keyed(received(instruction(1), at(1)), "k", "d1");
    assert_eq!(store.commit(same).await, taken);
    let mut other = keyed(received(instruction(3), at(3)), "k", "d1");
    "bank".clone_into(&mut other.key.as_mut().unwrap().client);
    commit(&*store, other).await;
    assert_eq!(store.key_holder("shop", "other").await.unwrap(), None);
}

pub async fn an_inbox_item_is_handled_once(harness: &dyn Harness) {
    let store = harness.open().await;
    let item = store.arrive(arrival("d1", at(0))).await.unwrap().id();
    let handling = |n| {
        let change = received(instruction(n), at(1));
        Change { handles: Some(item), ..change }
    };
    commit(&*store, handling(1)).await;
    assert_eq!(store.commit(handling(2)).await, Err(CommitError::AlreadyHandled));
    assert_eq!(store.inbox_due(at(9), 10).await.unwrap(), []);
    let unknown = crate::InboxId(item.0 + 1);
    let refused = store.commit(Change { handles: Some(unknown), ..handling(3) }).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Corrupt(_)))));
}

pub async fn an_unbalanced_decision_is_refused(harness: &dyn Harness) {
    let store = harness.open().await;
    let mut change = received(wallet_instruction(1, "W1"), at(1));
    let extra = Posting {
        account: LedgerAccount::Float(provider("mpesa-tz")),
        minor: 1,
        currency: change.decision.transfer.amount().currency(),
    };
    change.decision.postings.push(extra);
    let refused = store.commit(change).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Corrupt(_)))), "{refused:?}");
    assert_eq!(store.transfer(id(1)).await.unwrap(), None);
    assert_eq!(store.ledger().await.unwrap(), []);
}

pub async fn a_decision_with_a_gap_is_refused(harness: &dyn Harness) {
    let store = harness.open().await;
    let first = commit(&*store, received(instruction(1), at(1))).await;
    let mut update = kiungo_domain::transfer::TransferUpdate::resume(first, at(2));
    clear(&mut update);
    let mut change = change_of(update).unwrap();
    change.decision.entries[0].seq += 1;
    let refused = store.commit(change).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Corrupt(_)))), "{refused:?}");
    assert_eq!(store.journal(id(1)).await.unwrap().len(), 1);
}
