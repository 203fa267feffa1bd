//! Settled transfers moved out of the way.

use kiungo_domain::TransferId;
use kiungo_domain::transfer::{StepName, TransferUpdate};

use super::Harness;
use super::fixtures::{
    at, clear, commit, complete, due, id, instruction, keyed, provider, receipt, received,
    rejection, then, wallet_instruction,
};
use crate::{CommitError, Store, TransferQuery};

/// A deposit that was received and completed in the same second, under a key of its own.
async fn completes(store: &dyn Store, n: u32, second: i64) {
    let first = keyed(received(instruction(n), at(second)), &format!("k{n}"), "d");
    let first = commit(store, first).await;
    let whole = then(&first, at(second), |update| {
        clear(update);
        complete(update, StepName::First, &format!("R{n}"));
        complete(update, StepName::Second, &format!("C{n}"));
    });
    commit(store, whole).await;
}

/// The newest transfer stays where it is: this is one.
async fn newest(store: &dyn Store) {
    commit(store, received(instruction(900), at(0))).await;
}

async fn found(store: &dyn Store, query: TransferQuery) -> Vec<TransferId> {
    let page = store.search(&query).await.unwrap();
    page.rows.into_iter().map(|summary| summary.id).collect()
}

fn by_receipt(text: &str) -> TransferQuery {
    TransferQuery { receipt: Some(receipt(text)), ..TransferQuery::default() }
}

pub async fn what_is_archived_is_found_by_id_and_receipt_only(harness: &dyn Harness) {
    let store = harness.open().await;
    completes(&*store, 1, 1).await;
    newest(&*store).await;
    let transfer = store.transfer(id(1)).await.unwrap();
    let summary = store.summary(id(1)).await.unwrap();
    let journal = store.journal(id(1)).await.unwrap();
    let postings = store.postings(id(1)).await.unwrap();
    let (ledger, overview) = (store.ledger().await, store.overview(at(99)).await);
    assert_eq!(store.archive(at(2), 10).await, Ok(1));
    assert_eq!(store.archive(at(2), 10).await, Ok(0));

    assert!(transfer.is_some() && journal.len() > 4 && postings.len() > 3);
    assert_eq!(store.transfer(id(1)).await.unwrap(), transfer);
    assert_eq!(store.summary(id(1)).await.unwrap(), summary);
    assert_eq!(store.journal(id(1)).await.unwrap(), journal);
    assert_eq!(store.postings(id(1)).await.unwrap(), postings);
    let owner = store.by_receipt(&provider("mpesa-tz"), &receipt("R1")).await.unwrap();
    assert_eq!(owner, Some(id(1)));
    assert_eq!(found(&*store, by_receipt("R1")).await, [id(1)]);
    assert_eq!(found(&*store, by_receipt("C1")).await, [id(1)]);
    let elsewhere = TransferQuery { provider: Some(provider("x")), ..by_receipt("R1") };
    assert_eq!(found(&*store, elsewhere).await, []);
    assert_eq!(found(&*store, TransferQuery::default()).await, [id(900)]);
    // What adds up to the present does not change.
    assert_eq!((store.ledger().await, store.overview(at(99)).await), (ledger, overview));
}

pub async fn only_what_is_settled_is_archived(harness: &dyn Harness) {
    let store = harness.open().await;
    // Open, suspended with its case, failed but due, received or changed too late.
    commit(&*store, received(instruction(1), at(1))).await;
    let paid = commit(&*store, received(wallet_instruction(2, "W2"), at(1))).await;
    commit(&*store, then(&paid, at(1), |update| update.refused(rejection()))).await;
    let failing = commit(&*store, received(instruction(3), at(1))).await;
    let fails = |update: &mut TransferUpdate| update.refused(rejection());
    commit(&*store, due(then(&failing, at(1), fails), at(50))).await;
    completes(&*store, 4, 10).await;
    let late = commit(&*store, received(instruction(5), at(1))).await;
    commit(&*store, then(&late, at(10), fails)).await;
    let failed = commit(&*store, received(instruction(6), at(1))).await;
    commit(&*store, then(&failed, at(1), fails)).await;
    let last = commit(&*store, received(instruction(7), at(1))).await;
    commit(&*store, then(&last, at(1), fails)).await;
    assert_eq!(store.archive(at(10), 10).await, Ok(1));
    let left = found(&*store, TransferQuery::default()).await;
    assert_eq!(left, [id(4), id(7), id(5), id(3), id(2), id(1)]);
}

pub async fn the_oldest_are_archived_first_within_the_bound(harness: &dyn Harness) {
    let store = harness.open().await;
    for (n, second) in [(1, 3), (2, 1), (3, 2), (4, 1)] {
        completes(&*store, n, second).await;
    }
    newest(&*store).await;
    assert_eq!(store.archive(at(9), 2).await, Ok(2));
    assert_eq!(found(&*store, TransferQuery::default()).await, [id(1), id(3), id(900)]);
    assert_eq!(store.archive(at(9), 0).await, Ok(0));
    assert_eq!(store.archive(at(9), u32::MAX).await, Ok(2));
    assert_eq!(found(&*store, TransferQuery::default()).await, [id(900)]);
}

pub async fn what_is_archived_refuses_whoever_comes_second(harness: &dyn Harness) {
    let store = harness.open().await;
    completes(&*store, 1, 1).await;
    newest(&*store).await;
    assert_eq!(store.archive(at(2), 10).await, Ok(1));
    let again = store.commit(received(instruction(1), at(5))).await;
    assert_eq!(again, Err(CommitError::Stale));
    let again = store.commit(keyed(received(instruction(2), at(5)), "k1", "d")).await;
    assert!(matches!(again, Err(CommitError::KeyTaken(holder)) if holder.transfer == id(1)));
    let again = store.commit(received(wallet_instruction(3, "R1"), at(5))).await;
    let owner = CommitError::ReceiptTaken { receipt: receipt("R1"), owner: id(1) };
    assert_eq!(again, Err(owner));
    // Neither changed anything.
    assert_eq!(found(&*store, TransferQuery::default()).await, [id(900)]);
    assert!(store.transfer(id(1)).await.unwrap().is_some());
}

pub async fn what_happens_to_an_archived_transfer_brings_it_back(harness: &dyn Harness) {
    let store = harness.open().await;
    completes(&*store, 1, 1).await;
    completes(&*store, 2, 1).await;
    newest(&*store).await;
    assert_eq!(store.archive(at(2), 10).await, Ok(2));
    let archived = store.transfer(id(1)).await.unwrap().unwrap();
    let reversed = then(&archived, at(20), |update| {
        assert!(update.request_reversal("operator", "asked"));
        complete(update, StepName::UndoSecond, "U1");
        complete(update, StepName::UndoFirst, "U2");
    });
    let postings = store.postings(id(1)).await.unwrap();
    let transfer = commit(&*store, reversed.clone()).await;
    assert_eq!(store.transfer(id(1)).await.unwrap(), Some(transfer));
    assert_eq!(found(&*store, TransferQuery::default()).await, [id(1), id(900)]);
    let expected = [postings, reversed.decision.postings].concat();
    assert_eq!(store.postings(id(1)).await.unwrap(), expected);
    let counted: u64 =
        store.overview(at(99)).await.unwrap().transfers.iter().map(|row| row.3).sum();
    assert_eq!(counted, 3);
    // And it can leave again.
    assert_eq!(store.archive(at(30), 10).await, Ok(1));
    assert_eq!(store.postings(id(1)).await.unwrap(), expected);
    assert_eq!(found(&*store, by_receipt("U2")).await, [id(1)]);
}
