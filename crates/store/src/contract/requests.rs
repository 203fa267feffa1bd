//! The requests of cores for payouts.

use std::sync::Arc;

use kiungo_domain::{CoreId, Timestamp};
use tokio::task::JoinSet;

use super::Harness;
use super::fixtures::{at, id};
use crate::{
    CoreRequestDecision, CoreRequestQuery, CoreRequestRow, CoreRequestState, Cursor, Store,
    StoreError,
};

fn row(request: &str, heard_at: Timestamp) -> CoreRequestRow {
    CoreRequestRow {
        core: CoreId::new("main").unwrap(),
        request: request.to_owned(),
        version: 0,
        state: CoreRequestState::Waiting,
        generation: 1,
        transfer: None,
        content: r#"{"a":"\"b\"' 💰"}"#.to_owned(),
        detail: String::new(),
        decisions: Vec::new(),
        heard_at,
        updated_at: heard_at,
    }
}

fn main() -> CoreId {
    CoreId::new("main").unwrap()
}

pub async fn a_request_is_stored_whole_and_once(harness: &dyn Harness) {
    let store = harness.open().await;
    assert_eq!(store.core_request(&main(), "loan-1").await.unwrap(), None);
    assert!(store.put_core_request(row("loan-1", at(1))).await.unwrap());
    let other = CoreRequestRow { detail: "late".to_owned(), ..row("loan-1", at(2)) };
    assert!(!store.put_core_request(other).await.unwrap());
    let elsewhere = CoreRequestRow { core: CoreId::new("other").unwrap(), ..row("loan-1", at(3)) };
    assert!(store.put_core_request(elsewhere).await.unwrap());
    let found = store.core_request(&main(), "loan-1").await.unwrap();
    assert_eq!(found, Some(CoreRequestRow { version: 1, ..row("loan-1", at(1)) }));
}

pub async fn a_request_changes_on_its_version_only(harness: &dyn Harness) {
    let store = harness.open().await;
    assert!(store.put_core_request(row("loan-1", at(1))).await.unwrap());
    let decision =
        CoreRequestDecision { at: at(2), by: "asha".into(), approved: true, reason: "ok".into() };
    let changed = CoreRequestRow {
        version: 1,
        state: CoreRequestState::Submitted,
        generation: 2,
        transfer: Some(id(7)),
        content: "{}".to_owned(),
        detail: "why".to_owned(),
        decisions: vec![decision],
        updated_at: at(5),
        ..row("loan-1", at(1))
    };
    assert!(store.put_core_request(changed.clone()).await.unwrap());
    assert!(!store.put_core_request(changed.clone()).await.unwrap());
    let ahead = CoreRequestRow { version: 9, ..changed.clone() };
    assert!(!store.put_core_request(ahead).await.unwrap());
    let found = store.core_request(&main(), "loan-1").await.unwrap();
    let expected = Some(CoreRequestRow { version: 2, ..changed });
    assert_eq!(found, expected);
    let Some(store) = harness.reopen(store).await else { return };
    assert_eq!(store.core_request(&main(), "loan-1").await.unwrap(), expected);
}

pub async fn of_many_writers_of_one_request_one_writes(harness: &dyn Harness) {
    let store = harness.open().await;
    let mut writers = JoinSet::new();
    for _ in 0..32 {
        let store = Arc::clone(&store);
        writers.spawn(async move { store.put_core_request(row("loan-1", at(1))).await.unwrap() });
    }
    let written = writers.join_all().await;
    assert_eq!(written.into_iter().filter(|written| *written).count(), 1);
}

pub async fn known_and_accepted_requests_are_found(harness: &dyn Harness) {
    let store = harness.open().await;
    for (request, second) in [("loan-1", 30), ("loan-2", 20), ("withdrawal-3-4", 10)] {
        let accepted =
            CoreRequestRow { state: CoreRequestState::Accepted, ..row(request, at(second)) };
        assert!(store.put_core_request(accepted).await.unwrap());
    }
    assert!(store.put_core_request(row("loan-5", at(5))).await.unwrap());
    let wanted = ["loan-2", "loan-5", "loan-9", "a,loan-1"].map(str::to_owned);
    let mut known = names(store.known_core_requests(&main(), &wanted).await.unwrap());
    known.sort();
    assert_eq!(known, ["loan-2", "loan-5"]);
    assert_eq!(store.known_core_requests(&main(), &[]).await.unwrap(), []);
    let accepted = names(store.accepted_core_requests(&main(), 2).await.unwrap());
    assert_eq!(accepted, ["withdrawal-3-4", "loan-2"]);
    let nobody = CoreId::new("other").unwrap();
    assert_eq!(store.accepted_core_requests(&nobody, 9).await.unwrap(), []);
}

pub async fn requests_are_paged_newest_first(harness: &dyn Harness) {
    let store = harness.open().await;
    for number in 0..7 {
        let state = CoreRequestState::ALL[number % 6];
        // Two of each moment.
        let heard_at = at(i64::try_from(number / 2).unwrap());
        let row = CoreRequestRow { state, ..row(&format!("loan-{number}"), heard_at) };
        assert!(store.put_core_request(row).await.unwrap());
    }
    let all = CoreRequestQuery { limit: 2, ..CoreRequestQuery::default() };
    let newest_first = (0..7).rev().map(|n| format!("loan-{n}")).collect::<Vec<_>>();
    assert_eq!(walk(&*store, all.clone()).await, newest_first);
    let waiting = CoreRequestQuery { waiting: true, ..all.clone() };
    assert_eq!(walk(&*store, waiting).await, ["loan-6", "loan-3", "loan-0"]);
    let elsewhere = CoreRequestQuery { core: Some(CoreId::new("other").unwrap()), ..all.clone() };
    assert_eq!(walk(&*store, elsewhere).await, [""; 0]);
    let strange = CoreRequestQuery { cursor: Some(Cursor("x".to_owned())), ..all };
    assert!(matches!(store.core_requests(&strange).await, Err(StoreError::Corrupt(_))));
}

async fn walk(store: &dyn Store, mut query: CoreRequestQuery) -> Vec<String> {
    let mut found = Vec::new();
    loop {
        let page = store.core_requests(&query).await.unwrap();
        found.extend(names(page.rows));
        if page.next.is_none() {
            return found;
        }
        query.cursor = page.next;
    }
}

fn names(rows: Vec<CoreRequestRow>) -> Vec<String> {
    rows.into_iter().map(|row| row.request).collect()
}
