//! Two stores that lived through the same give the same answers.

use std::time::Duration;

use kiungo_domain::transfer::{Instruction, Kind, Status};
use kiungo_domain::{Receipt, Timestamp, TransferId};

use super::fixtures::{Dice, arrival, at, instruction, provider, received};
use crate::{
    CaseRow, Change, CollectionQuery, CommitError, Cursor, InboxId, InboxState, Store, Summary,
    TransferQuery,
};

/// Lets both stores live through what `seed` draws, refusals included, and compares every answer.
pub async fn same_stories_same_answers(one: &dyn Store, other: &dyn Store, seed: u64) {
    let mut dice = Dice(seed);
    let mut ids = Vec::new();
    for turn in 0..120_u32 {
        let now = at(61 * i64::from(turn));
        match dice.below(10) {
            0..2 => {
                let n = u32::try_from(ids.len()).unwrap();
                let mut change = received(dice.instruction(n), at(i64::from(dice.below(30))));
                change.due = Some(now);
                if dice.below(3) == 0 {
                    change = super::fixtures::keyed(change, &format!("k{}", dice.below(5)), "d");
                }
                if dice.below(3) == 0 {
                    change.handles = Some(InboxId(i64::from(dice.below(6)) + 1));
                }
                change.allowance = dice.allowance();
                ids.push(change.decision.transfer.id());
                commit_both(one, other, change, seed).await;
            }
            2 => inbox_both(one, other, &mut dice, now).await,
            3 if dice.below(4) == 0 => {
                let (before, limit) = (at(61 * i64::from(turn) - 300), dice.below(4));
                assert_eq!(one.archive(before, limit).await, other.archive(before, limit).await);
            }
            _ => advance_both(one, other, &mut dice, &ids, now, seed).await,
        }
    }
    compare(one, other, &ids, seed).await;
}

async fn commit_both(one: &dyn Store, other: &dyn Store, change: Change, seed: u64) {
    let answers = (one.commit(change.clone()).await, other.commit(change).await);
    match answers {
        (Err(CommitError::Store(_)), Err(CommitError::Store(_))) => {}
        (one, other) => assert_eq!(one, other, "seed {seed}"),
    }
}

async fn inbox_both(one: &dyn Store, other: &dyn Store, dice: &mut Dice, now: Timestamp) {
    let new = arrival(&format!("d{}", dice.below(8)), now);
    assert_eq!(one.arrive(new.clone()).await, other.arrive(new).await);
    let id = InboxId(i64::from(dice.below(8)) + 1);
    let state = match dice.below(4) {
        0 => InboxState::Handled { note: "n".to_owned() },
        1 | 2 => InboxState::Quarantined { reason: "r".to_owned() },
        _ => InboxState::waiting(now),
    };
    let answers =
        (one.set_inbox_state(id, state.clone()).await, other.set_inbox_state(id, state).await);
    assert_eq!(answers.0, answers.1);
}

async fn advance_both(
    one: &dyn Store,
    other: &dyn Store,
    dice: &mut Dice,
    ids: &[TransferId],
    now: Timestamp,
    seed: u64,
) {
    let index = dice.below(u32::try_from(ids.len()).unwrap()) as usize;
    let Some(id) = ids.get(index) else { return };
    let transfer = one.transfer(*id).await.unwrap();
    assert_eq!(transfer, other.transfer(*id).await.unwrap(), "seed {seed}");
    let Some(transfer) = transfer else { return };
    if dice.below(8) == 0 {
        let version = transfer.version() - u64::from(dice.below(2));
        one.postpone(*id, version, now).await.unwrap();
        other.postpone(*id, version, now).await.unwrap();
    }
    if dice.below(8) == 0 {
        take_both(one, other, dice, now).await;
    }
    if let Some(mut change) = dice.change(&transfer, now) {
        change.allowance = dice.allowance().filter(|_| dice.below(3) == 0);
        commit_both(one, other, change, seed).await;
    }
}

async fn take_both(one: &dyn Store, other: &dyn Store, dice: &mut Dice, now: Timestamp) {
    let (until, limit) = (now.after(Duration::from_secs(100)), dice.below(4));
    let ids = |taken: Vec<(TransferId, _)>| taken.into_iter().map(|(id, _)| id).collect::<Vec<_>>();
    let taken = (one.take_due(now, until, limit).await, other.take_due(now, until, limit).await);
    assert_eq!(taken.0.map(ids), taken.1.map(ids));
    let taken = (
        one.take_inbox_due(now, until, limit).await,
        other.take_inbox_due(now, until, limit).await,
    );
    assert_eq!(taken.0, taken.1);
}

async fn compare(one: &dyn Store, other: &dyn Store, ids: &[TransferId], seed: u64) {
    macro_rules! same {
        ($method:ident($($argument:expr),*)) => {
            assert_eq!(
                one.$method($($argument),*).await.unwrap(),
                other.$method($($argument),*).await.unwrap(),
                "seed {seed}: {}", stringify!($method($($argument),*))
            )
        };
    }
    for id in ids {
        same!(transfer(*id));
        same!(journal(*id));
        same!(postings(*id));
        same!(summary(*id));
    }
    same!(due(at(3_000), 1_000));
    same!(due(at(100_000), 7));
    same!(next_due());
    same!(holding_accounts());
    for (n, msisdn) in [(1, false), (2, true), (3, false)] {
        let Instruction { provider, amount, msisdn: payer, .. } = instruction(n);
        let label = (!msisdn).then(|| "000000005".to_owned());
        let msisdn = payer.filter(|_| msisdn);
        let query = CollectionQuery { provider, amount, msisdn, label };
        same!(collections(&query));
    }
    same!(ledger());
    same!(overview(at(3_000)));
    same!(inbox_due(at(100_000), 100));
    same!(outbox_rows(1_000));
    for n in 0..10 {
        same!(inbox_item(InboxId(n)));
        same!(key_holder("shop", &format!("k{n}")));
    }
    for query in queries() {
        assert_eq!(pages(one, &query).await, pages(other, &query).await, "seed {seed}: {query:?}");
    }
    assert_eq!(case_pages(one).await, case_pages(other).await, "seed {seed}");
}

fn queries() -> Vec<TransferQuery> {
    let with = |change: fn(&mut TransferQuery)| {
        let mut query = TransferQuery { limit: 4, ..TransferQuery::default() };
        change(&mut query);
        query
    };
    let mut queries = vec![
        with(|_| {}),
        with(|q| q.kind = Some(Kind::Withdrawal)),
        with(|q| q.provider = Some(provider("gsma-sandbox"))),
        with(|q| q.msisdn = instruction(3).msisdn),
        with(|q| q.client_reference = Some("order-2".to_owned())),
        with(|q| q.statuses = vec![Status::Completed, Status::InProgress, Status::Failed]),
        with(|q| (q.from, q.to) = (Some(at(5)), Some(at(20)))),
    ];
    for n in 0..40 {
        let receipt = Receipt::new(&format!("W{n}")).ok();
        queries.push(TransferQuery { receipt, ..with(|_| {}) });
    }
    queries
}

async fn pages(store: &dyn Store, query: &TransferQuery) -> Vec<Vec<Summary>> {
    let mut query = query.clone();
    let mut pages = Vec::new();
    loop {
        let page = store.search(&query).await.unwrap();
        pages.push(page.rows);
        query.cursor = page.next;
        if query.cursor.is_none() {
            return pages;
        }
    }
}

async fn case_pages(store: &dyn Store) -> Vec<Vec<CaseRow>> {
    let mut pages = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = store.cases(cursor.as_ref(), 3).await.unwrap();
        pages.push(page.rows);
        cursor = page.next;
        if cursor.is_none() {
            return pages;
        }
    }
}
