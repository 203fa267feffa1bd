//! The outbox: everything that becomes known is told, in order; never before it is committed, and
//! never left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use kiungo_domain::TransferId;
use kiungo_domain::outcome::Outcome;
use kiungo_domain::transfer::{Event, Status, StepName, TransferUpdate};
use tokio::task::JoinSet;

use super::Harness;
use super::fixtures::{
    at, clear, commit, complete, id, instruction, live, policy, received, rejection, then,
    wallet_instruction,
};
use crate::{CommitError, OutboxEvent, OutboxRow, Summary};

fn told(rows: &[OutboxRow]) -> Vec<(TransferId, Status, &OutboxEvent)> {
    rows.iter().map(|row| (row.transfer.id, row.transfer.status, &row.event)).collect()
}

fn ascends(rows: &[OutboxRow]) {
    assert!(rows.is_sorted_by(|one, next| one.no < next.no), "{rows:?}");
}

pub async fn what_becomes_known_is_told_in_order(harness: &dyn Harness) {
    let store = harness.open_with_outbox().await;
    assert_eq!(store.outbox_rows(10).await.unwrap(), []);
    let first = commit(&*store, received(wallet_instruction(1, "W1"), at(1))).await;
    let other = commit(&*store, received(instruction(2), at(2))).await;
    let begins = |update: &mut TransferUpdate| {
        clear(update);
        update.start(StepName::First, &policy());
    };
    let begun = commit(&*store, then(&other, at(3), begins)).await;
    assert_ne!(begun.status(), other.status());
    // What does not show in the status is not told.
    let unknown = then(&begun, at(3), |update| {
        update.conclude(StepName::First, Outcome::unknown("time-out"), &policy());
    });
    assert_eq!(unknown.decision.transfer.status(), begun.status());
    commit(&*store, unknown).await;
    let change = then(&first, at(4), |update| {
        clear(update);
        update.start(StepName::Second, &policy());
        update.conclude(StepName::Second, Outcome::Rejected(rejection()), &policy());
    });
    let suspended = commit(&*store, change.clone()).await;
    assert_eq!(suspended.status(), Status::Suspended);
    let opened = change.decision.entries.iter().find_map(|entry| match &entry.event {
        Event::CaseOpened { case, detail, .. } => {
            Some(OutboxEvent::CaseOpened { kind: *case, detail: detail.clone() })
        }
        _ => None,
    });
    let rows = store.outbox_rows(10).await.unwrap();
    ascends(&rows);
    let mut expected = vec![
        (id(1), first.status(), &OutboxEvent::Status),
        (id(2), other.status(), &OutboxEvent::Status),
        (id(2), begun.status(), &OutboxEvent::Status),
        (id(1), Status::Suspended, &OutboxEvent::Status),
    ];
    expected.extend(opened.as_ref().map(|event| (id(1), Status::Suspended, event)));
    assert_eq!(told(&rows), expected);
    assert_eq!(rows[0].at, at(1));
    assert_eq!(rows[0].transfer, Summary::of(&first));
    assert_eq!(rows[3].at, at(4));
    assert_eq!(rows[3].transfer, Summary::of(&suspended));
    assert_eq!(store.outbox_rows(2).await.unwrap(), rows[..2]);
    assert_eq!(store.outbox_rows(0).await.unwrap(), []);
}

pub async fn a_refused_change_tells_nothing(harness: &dyn Harness) {
    let store = harness.open_with_outbox().await;
    let first = commit(&*store, received(wallet_instruction(1, "W1"), at(1))).await;
    let refused = store.commit(received(wallet_instruction(2, "W1"), at(2))).await;
    assert!(matches!(refused, Err(CommitError::ReceiptTaken { .. })), "{refused:?}");
    let stale = received(wallet_instruction(1, "W1"), at(2));
    assert_eq!(store.commit(stale).await, Err(CommitError::Stale));
    let rows = store.outbox_rows(10).await.unwrap();
    assert_eq!(told(&rows), [(id(1), first.status(), &OutboxEvent::Status)]);
}

pub async fn what_was_told_is_gone(harness: &dyn Harness) {
    let store = harness.open_with_outbox().await;
    for n in 0..5 {
        commit(&*store, received(instruction(n), at(1))).await;
    }
    let rows = store.outbox_rows(10).await.unwrap();
    store.mark_published(&[]).await.unwrap();
    store.mark_published(&[rows[0].no, rows[1].no, rows[3].no]).await.unwrap();
    store.mark_published(&[rows[0].no]).await.unwrap();
    assert_eq!(store.outbox_rows(10).await.unwrap(), [rows[2].clone(), rows[4].clone()]);
    store.mark_published(&[rows[2].no, rows[4].no]).await.unwrap();
    assert_eq!(store.outbox_rows(10).await.unwrap(), []);
    // A number is never used again, even if nothing was left.
    commit(&*store, received(instruction(5), at(1))).await;
    assert!(store.outbox_rows(10).await.unwrap()[0].no > rows[4].no);
}

pub async fn a_store_without_outbox_writes_none(harness: &dyn Harness) {
    let store = harness.open().await;
    live(&*store, 5, 10, 60).await;
    assert_eq!(store.outbox_rows(1_000).await.unwrap(), []);
}

pub async fn many_writers_keep_the_order_of_each_transfer(harness: &dyn Harness) {
    let store = harness.open_with_outbox().await;
    let mut writers = JoinSet::new();
    for n in 0..48 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            let first = commit(&*store, received(instruction(n), at(1))).await;
            let second = commit(&*store, then(&first, at(2), clear)).await;
            let collects =
                |update: &mut TransferUpdate| complete(update, StepName::First, &format!("R{n}"));
            let third = commit(&*store, then(&second, at(3), collects)).await;
            let books =
                |update: &mut TransferUpdate| complete(update, StepName::Second, &format!("C{n}"));
            let last = commit(&*store, then(&third, at(4), books)).await;
            let mut statuses =
                [first, second, third, last].map(|transfer| transfer.status()).to_vec();
            statuses.dedup();
            (id(n), statuses)
        });
    }
    let expected: BTreeMap<_, _> = writers.join_all().await.into_iter().collect();
    let rows = store.outbox_rows(1_000).await.unwrap();
    ascends(&rows);
    let mut heard: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in &rows {
        assert_eq!(row.event, OutboxEvent::Status);
        heard.entry(row.transfer.id).or_default().push(row.transfer.status);
    }
    assert_eq!(heard, expected);
}
