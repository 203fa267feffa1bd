//! Transfers by what is known of them, newest first.

use kiungo_domain::party::{AccountKey, AccountRef};
use kiungo_domain::transfer::{Kind, Origin, Status};
use kiungo_domain::{CoreId, Msisdn, TransferId};

use super::Harness;
use super::cases::completes;
use super::fixtures::{
    at, clear_at, commit, id, instruction, money, provider, receipt, received, then,
    wallet_instruction,
};
use crate::terms::account_term;
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
    let suspend = |update: &mut kiungo_domain::transfer::TransferUpdate| {
        update.refused(super::fixtures::rejection());
    };
    commit(store, then(&paid, at(4), suspend)).await;
    commit(store, received(instruction(4), at(5))).await;
}

/// A filter, and what it leaves.
type Line = (fn(&mut TransferQuery), &'static [u32]);

pub async fn every_filter_narrows_the_search(harness: &dyn Harness) {
    let store = harness.open().await;
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

/// By the name that a caller gave, the text that a payer typed, and the account that was found.
pub async fn accounts_and_amounts_are_found_as_people_write_them(harness: &dyn Harness) {
    let store = harness.open().await;
    let mut named = instruction(1);
    named.accounts =
        vec![AccountRef { kind: None, key: AccountKey::AccountNo("SV-004 400".into()) }];
    named.amount = money(990);
    commit(&*store, received(named, at(1))).await;
    let mut typed = wallet_instruction(2, "W2");
    typed.accounts = Vec::new();
    let receipt = receipt("W2");
    typed.origin = Origin::Wallet { receipt, account_reference: "sv 004400.".to_owned() };
    commit(&*store, received(typed, at(2))).await;
    let found_later = commit(&*store, received(instruction(3), at(2))).await;
    commit(&*store, then(&found_later, at(3), |update| clear_at(update, 4_400))).await;
    let by = |account: &str, amount: Option<i64>| TransferQuery {
        account: account_term(account),
        amount: amount.map(money),
        ..TransferQuery::default()
    };
    let table = [
        (by("Sv 004-400", None), vec![2, 1]),
        (by("SV4400", None), vec![]),
        (by("4400", None), vec![3]),
        (by("0000 04400", None), vec![3]),
        (by("7", None), vec![3]),
        (by("", Some(990)), vec![1]),
        (by("", Some(12_550)), vec![3, 2]),
        (by("sv004400", Some(12_550)), vec![2]),
        (by("4400", Some(990)), vec![]),
    ];
    for (line, (query, expected)) in table.into_iter().enumerate() {
        let expected: Vec<_> = expected.into_iter().map(id).collect();
        assert_eq!(found(&*store, query.clone()).await, expected, "line {line}");
        let with_receipt = TransferQuery { receipt: Some(super::fixtures::receipt("W2")), ..query };
        let expected: Vec<_> = expected.into_iter().filter(|found| *found == id(2)).collect();
        assert_eq!(found(&*store, with_receipt).await, expected, "line {line} by receipt");
    }
    let mut page = TransferQuery { limit: 1, ..by("sv004400", None) };
    for expected in [id(2), id(1)] {
        let rows = store.search(&page).await.unwrap();
        assert_eq!(rows.rows[0].id, expected);
        page.cursor = rows.next;
    }
    assert_eq!(page.cursor, None);
}

/// Pages while rows arrive: newer ones, and ones of the very time at which a page ended.
pub async fn pages_neither_lose_nor_repeat_a_row(harness: &dyn Harness) {
    let store = harness.open().await;
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

pub async fn a_page_has_a_bound(harness: &dyn Harness) {
    let store = harness.open().await;
    for n in 0..60 {
        commit(&*store, received(instruction(n), at(0))).await;
    }
    for (limit, expected) in [(0, 50), (7, 7), (60, 60), (100_000, 60)] {
        let page = store.search(&TransferQuery { limit, ..Default::default() }).await.unwrap();
        assert_eq!(page.rows.len(), expected);
        assert_eq!(page.next.is_some(), expected < 60);
    }
}

pub async fn a_strange_cursor_is_an_error(harness: &dyn Harness) {
    let store = harness.open().await;
    for text in ["", "x", "1.x", "9999999999999999999999.1", "1.2.3"] {
        let cursor = Some(Cursor(text.to_owned()));
        let refused = store.search(&TransferQuery { cursor, ..Default::default() }).await;
        assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{text}");
    }
    let cursor = Cursor("1.'".to_owned());
    assert!(matches!(store.cases(Some(&cursor), 1).await, Err(StoreError::Corrupt(_))));
}
