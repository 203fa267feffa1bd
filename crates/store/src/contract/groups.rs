//! Many callers at once share transactions, and each gets its own answer.

use std::sync::Arc;

use kiungo_domain::Transfer;
use kiungo_domain::transfer::StepName;
use tokio::task::JoinSet;

use super::Harness;
use super::fixtures::{
    arrival, at, clear, commit, complete, id, instruction, keyed, provider, receipt, received,
    then, wallet_instruction,
};
use crate::{Arrival, Change, CommitError, Store, Summary, TransferQuery};

/// Commits all changes at the same time; returns the answers in the order of the changes.
pub async fn at_once(store: &Arc<dyn Store>, changes: Vec<Change>) -> Vec<Result<(), CommitError>> {
    let mut tasks = JoinSet::new();
    for (index, change) in changes.into_iter().enumerate() {
        let store = Arc::clone(store);
        tasks.spawn(async move { (index, store.commit(change).await) });
    }
    let mut answers = tasks.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

pub async fn a_postponement_follows_the_commit_of_its_version_in_one_batch(harness: &dyn Harness) {
    let store = harness.open().await;
    let stored = commit(&*store, received(instruction(1), at(1))).await;
    let new = received(instruction(2), at(1));
    let next = then(&stored, at(2), clear);
    // The first change keeps the store busy, so that the others are one batch.
    let (first, unrelated) = (received(instruction(3), at(1)), received(instruction(4), at(1)));
    let answers = tokio::join!(
        store.commit(first),
        store.commit(new),
        store.postpone(id(2), 1, at(50)),
        store.commit(next),
        store.postpone(id(1), 2, at(60)),
        store.commit(unrelated),
    );
    assert_eq!(answers, (Ok(()), Ok(()), Ok(()), Ok(()), Ok(()), Ok(())));
    assert_eq!(store.due(at(99), 9).await.unwrap(), [(id(2), at(50)), (id(1), at(60))]);
    assert_eq!(store.summary(id(1)).await.unwrap().unwrap().version, 2);
}

pub async fn sixty_four_writers_commit_side_by_side(harness: &dyn Harness) {
    let store = harness.open().await;
    let mut writers = JoinSet::new();
    for writer in 0..64 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for turn in 0..4 {
                let n = writer * 4 + turn;
                let change = received(instruction(n), at(i64::from(n)));
                let transfer = change.decision.transfer.clone();
                store.commit(change).await.unwrap();
                let next = then(&transfer, at(1_000), |update| {
                    clear(update);
                    complete(update, StepName::First, &format!("R{n}"));
                });
                store.commit(next).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    for n in 0..256 {
        assert_eq!(store.journal(id(n)).await.unwrap().len(), 4, "{n}");
    }
    let ledger = store.ledger().await.unwrap();
    let float = ledger.iter().find(|row| row.account == "float:mpesa-tz").unwrap();
    assert_eq!(float.minor, 256 * 12_550);
    assert_eq!(store.overview(at(0)).await.unwrap().open, 256);
}

pub async fn of_ten_thousand_duplicates_one_wins(harness: &dyn Harness) {
    let store = harness.open().await;
    let change = |n| keyed(received(instruction(n), at(1)), "k", &format!("d{n}"));
    let answers = at_once(&store, (0..10_000).map(change).collect()).await;
    let holder = store.key_holder("shop", "k").await.unwrap().unwrap();
    let mut won = 0;
    for (n, answer) in (0..).zip(answers) {
        match answer {
            Ok(()) => {
                won += 1;
                assert_eq!(holder.transfer, id(n));
            }
            Err(CommitError::KeyTaken(named)) => assert_eq!(named, holder),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(store.overview(at(0)).await.unwrap().open, 1);
}

pub async fn of_many_claims_to_a_receipt_one_wins(harness: &dyn Harness) {
    let store = harness.open().await;
    let change = |n| received(wallet_instruction(n, "W1"), at(1));
    let answers = at_once(&store, (0..500).map(change).collect()).await;
    let winner = store.by_receipt(&provider("mpesa-tz"), &receipt("W1")).await.unwrap().unwrap();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let taken = CommitError::ReceiptTaken { receipt: receipt("W1"), owner: winner };
    for (n, answer) in (0..).zip(answers) {
        assert!(answer == Err(taken.clone()) || (answer.is_ok() && winner == id(n)), "{answer:?}");
    }
}

pub async fn a_refused_member_does_not_hurt_the_others(harness: &dyn Harness) {
    let store = harness.open().await;
    let known = received(wallet_instruction(0, "W0"), at(1));
    store.commit(known).await.unwrap();
    let change = |n| match n % 4 {
        0 => received(instruction(0), at(2)),
        1 => received(wallet_instruction(n, "W0"), at(2)),
        2 => {
            let mut unsound = received(instruction(n), at(2));
            unsound.decision.entries[0].seq = 7;
            unsound
        }
        _ => received(wallet_instruction(n, &format!("W{n}")), at(2)),
    };
    let answers = at_once(&store, (1..=400).map(change).collect()).await;
    for (n, answer) in (1..).zip(answers) {
        match n % 4 {
            0 => assert_eq!(answer, Err(CommitError::Stale)),
            1 => assert!(matches!(answer, Err(CommitError::ReceiptTaken { .. })), "{answer:?}"),
            2 => assert!(matches!(answer, Err(CommitError::Store(_))), "{answer:?}"),
            _ => {
                assert_eq!(answer, Ok(()));
                assert!(store.transfer(id(n)).await.unwrap().is_some());
            }
        }
    }
    assert_eq!(store.overview(at(0)).await.unwrap().open, 101);
}

pub async fn of_two_changes_of_a_transfer_in_one_batch_the_second_stands(harness: &dyn Harness) {
    let store = harness.open().await;
    let stored = commit(&*store, received(instruction(1), at(1))).await;
    let new = received(instruction(2), at(1));
    let born = new.decision.transfer.clone();
    let cleared = |transfer: &Transfer| then(transfer, at(2), clear);
    let collected = |change: &Change, text: &str| {
        then(&change.decision.transfer, at(3), |update| complete(update, StepName::First, text))
    };
    let first = [cleared(&stored), cleared(&born)];
    let second = [collected(&first[0], "R1"), collected(&first[1], "R2")];
    let latest = second.clone().map(|change| change.decision.transfer);
    let ([one, two], [one_after, two_after]) = (first, second);
    // The first change keeps the store busy, so that the others are one batch.
    let changes = vec![received(instruction(3), at(1)), new, one, two, one_after, two_after];
    let answers = at_once(&store, changes).await;
    assert_eq!(answers, [const { Ok(()) }; 6]);

    for latest in &latest {
        let summary = Summary::of(latest);
        assert_eq!(store.summary(latest.id()).await.unwrap().as_ref(), Some(&summary));
        let query = TransferQuery { receipt: summary.wallet_receipt.clone(), ..Default::default() };
        assert_eq!(store.search(&query).await.unwrap().rows, [summary]);
        let journal = store.journal(latest.id()).await.unwrap();
        let told = Transfer::replay(journal.iter().map(|entry| (entry.at, &entry.event)));
        assert_eq!(told.as_ref(), Some(latest));
    }
    let listed = store.search(&TransferQuery::default()).await.unwrap().rows;
    let listed: Vec<_> = listed.into_iter().filter(|row| row.id != id(3)).collect();
    assert_eq!(listed.len(), 2);
    assert!(latest.iter().all(|latest| listed.contains(&Summary::of(latest))));
}

pub async fn the_same_arrival_from_many_sides_is_one_item(harness: &dyn Harness) {
    let store = harness.open().await;
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.arrive(arrival("d1", at(1))).await.unwrap() });
    }
    let arrivals = tasks.join_all().await;
    let new = arrivals.iter().filter(|arrival| matches!(arrival, Arrival::New(_))).count();
    assert_eq!(new, 1);
    let item = store.inbox_item(arrivals[0].id()).await.unwrap().unwrap();
    assert_eq!(item.arrivals, 100);
    assert!(arrivals.iter().all(|arrival| arrival.id() == item.id));
}
