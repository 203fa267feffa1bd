//! Transfers by what is known of them, newest first.

use kiungo_domain::transfer::{Kind, Status};
use kiungo_domain::{CoreId, Msisdn, TransferId};

use super::Place;
use super::cases::completes;
use super::story::{
    at, commit, id, instruction, provider, receipt, received, then, wallet_instruction,
};
use crate::{Cursor, Store, StoreError, TransferQuery};

fn core(name: &str) -> CoreId {
    CoreId::new(name).unwrap()
}

async fn found(store: &dyn Store, query: TransferQuery) -> Vec<TransferId> {
    let page = store.search(&query).await.unwrap();
    page.rows.into_iter().map(|summary| summary.id).collect()
}

/// Four transfers that differ in everything one can search by.
async fn stock(store: &dyn Store) {
    completes(store, 1).await;
    let mut loan = instruction(2);
    loan.kind = Kind::Disbursement;
    loan.provider = provider("gsma-sandbox");
    loan.core = core("second");
    commit(store, received(loan, at(2))).await;
    let paid = commit(store, received(wallet_instruction(3, "W3"), at(3))).await;
    let suspend = |draft: &mut kiungo_domain::transfer::Draft| {
        draft.refused(super::story::rejection());
    };
    commit(store, then(&paid, at(4), suspend)).await;
    commit(store, received(instruction(4), at(5))).await;
}

/// A filter, and what it leaves.
type Line = (fn(&mut TransferQuery), &'static [u32]);

pub async fn every_filter_narrows_the_search(place: &dyn Place) {
    let store = place.open().await;
    stock(&*store).await;
    let all = TransferQuery::default;
    let with = |change: fn(&mut TransferQuery)| {
        let mut query = all();
        change(&mut query);
        query
    };
    let table: &[Line] = &[
        (|_| {}, &[4, 3, 2, 1]),
        (|q| q.statuses = vec![Status::Completed, Status::Suspended], &[3, 1]),
        (|q| q.statuses = vec![Status::Received], &[4, 2]),
        (|q| q.statuses = vec![Status::Reversed], &[]),
        (|q| q.statuses = vec![Status::Completed, Status::Completed], &[1]),
        (|q| q.kind = Some(Kind::Disbursement), &[2]),
        (|q| q.provider = Some(provider("mpesa-tz")), &[4, 3, 1]),
        (|q| q.msisdn = Some(Msisdn::parse("255700000003").unwrap()), &[3]),
        (|q| q.receipt = Some(receipt("W3")), &[3]),
        (|q| q.receipt = Some(receipt("R1")), &[1]),
        (|q| q.receipt = Some(receipt("55")), &[1]),
        (|q| q.receipt = Some(receipt("none")), &[]),
        (|q| q.client_reference = Some("order-4".to_owned()), &[4]),
        (|q| q.cores = vec![core("elsewhere")], &[]),
        (|q| q.cores = vec![core("second")], &[2]),
        (|q| q.cores = vec![core("main"), core("elsewhere")], &[4, 3, 1]),
        (|q| q.providers = vec![provider("mpesa-tz"), provider("x")], &[4, 3, 1]),
        (
            |q| {
                q.providers = vec![provider("gsma-sandbox")];
                q.provider = Some(provider("mpesa-tz"));
            },
            &[],
        ),
        (|q| q.kinds = vec![Kind::Disbursement, Kind::Withdrawal], &[2]),
        (
            |q| {
                q.kinds = vec![Kind::Deposit];
                q.receipt = Some(receipt("W3"));
                q.cores = vec![core("elsewhere")];
            },
            &[],
        ),
        (|q| q.from = Some(at(2)), &[4, 3, 2]),
        (|q| q.to = Some(at(3)), &[2, 1]),
        (|q| (q.from, q.to) = (Some(at(2)), Some(at(5))), &[3, 2]),
        (|q| (q.from, q.to) = (Some(at(3)), Some(at(3))), &[]),
        (
            |q| {
                q.provider = Some(provider("mpesa-tz"));
                q.statuses = vec![Status::Received];
                q.kind = Some(Kind::Deposit);
                q.client_reference = Some("order-4".to_owned());
                q.msisdn = Some(Msisdn::parse("255700000004").unwrap());
                q.from = Some(at(5));
            },
            &[4],
        ),
        (
            |q| {
                q.receipt = Some(receipt("W3"));
                q.provider = Some(provider("gsma-sandbox"));
            },
            &[],
        ),
    ];
    for (line, (change, expected)) in table.iter().enumerate() {
        let expected: Vec<_> = expected.iter().map(|n| id(*n)).collect();
        assert_eq!(found(&*store, with(*change)).await, expected, "line {line}");
    }
}

/// Pages while rows arrive: newer ones, and ones of the very time at which a page ended.
pub async fn pages_neither_lose_nor_repeat_a_row(place: &dyn Place) {
    let store = place.open().await;
    for n in 0..20 {
        commit(&*store, received(instruction(n), at(i64::from(n / 4)))).await;
    }
    let queries = [
        TransferQuery::default(),
        TransferQuery { statuses: vec![Status::Received, Status::Failed], ..Default::default() },
        TransferQuery { provider: Some(provider("mpesa-tz")), ..Default::default() },
        TransferQuery { to: Some(at(1_000)), ..Default::default() },
    ];
    let mut next_new = 1_000;
    for query in queries {
        let mut query = TransferQuery { limit: 3, ..query };
        let mut seen = Vec::new();
        loop {
            let page = store.search(&query).await.unwrap();
            let last = page.rows.last().unwrap().received_at;
            seen.extend(page.rows.into_iter().map(|summary| summary.id));
            for received_at in [last, at(900)] {
                commit(&*store, received(instruction(next_new), received_at)).await;
                next_new += 1;
            }
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        let old: Vec<_> = seen.iter().filter(|seen| **seen < id(1_000)).copied().collect();
        let expected: Vec<_> = (0..20).rev().map(id).collect();
        assert_eq!(old, expected);
        seen.sort();
        seen.dedup();
        assert!(seen.len() >= old.len());
    }
}

pub async fn a_page_has_a_bound(place: &dyn Place) {
    let store = place.open().await;
    for n in 0..60 {
        commit(&*store, received(instruction(n), at(0))).await;
    }
    for (limit, expected) in [(0, 50), (7, 7), (60, 60), (100_000, 60)] {
        let page = store.search(&TransferQuery { limit, ..Default::default() }).await.unwrap();
        assert_eq!(page.rows.len(), expected);
        assert_eq!(page.next.is_some(), expected < 60);
    }
}

pub async fn a_strange_cursor_is_an_error(place: &dyn Place) {
    let store = place.open().await;
    for text in ["", "x", "1.x", "9999999999999999999999.1", "1.2.3"] {
        let cursor = Some(Cursor(text.to_owned()));
        let refused = store.search(&TransferQuery { cursor, ..Default::default() }).await;
        assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{text}");
    }
    let cursor = Cursor("1.'".to_owned());
    assert!(matches!(store.cases(Some(&cursor), 1).await, Err(StoreError::Corrupt(_))));
}
