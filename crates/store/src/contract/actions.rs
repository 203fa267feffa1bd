//! Actions of persons.

use std::sync::Arc;

use tokio::task::JoinSet;
use uuid::Uuid;

use super::Harness;
use super::fixtures::at;
use crate::{Action, ActionId, ActionQuery, ActionState, Judgement, Store};

pub(super) fn action(n: u8) -> Action {
    Action {
        id: ActionId(Uuid::from_u128(u128::from(n))),
        version: 0,
        at: at(i64::from(n)),
        by: "amina".to_owned(),
        what: "redrive".to_owned(),
        subject: format!("message {n}"),
        reason: "the \"core\" was\ndown".to_owned(),
        state: ActionState::Done,
        content: r#"{"a":"\"b\"' 💰"}"#.to_owned(),
        judgement: None,
        detail: String::new(),
        updated_at: at(i64::from(n)),
    }
}

fn written(n: u8) -> Action {
    Action { version: 1, ..action(n) }
}

async fn listed(store: &dyn Store, query: &ActionQuery) -> Vec<Action> {
    store.actions(query).await.unwrap().rows
}

pub async fn actions_of_persons_are_listed_newest_first(harness: &dyn Harness) {
    let store = harness.open().await;
    let all = ActionQuery::default();
    assert_eq!(listed(&*store, &all).await, []);
    for n in 0..5 {
        assert!(store.put_action(action(n)).await.unwrap());
    }
    assert_eq!(listed(&*store, &all).await, [4, 3, 2, 1, 0].map(written));
    let page = store.actions(&ActionQuery { limit: 2, ..all.clone() }).await.unwrap();
    assert_eq!(page.rows, [4, 3].map(written));
    let rest = ActionQuery { cursor: page.next, limit: 3, ..all };
    let page = store.actions(&rest).await.unwrap();
    assert_eq!((page.rows, page.next), ([2, 1, 0].map(written).to_vec(), None));
    let found = store.action(action(3).id).await.unwrap();
    assert_eq!(found, Some(written(3)));
    assert_eq!(store.action(action(9).id).await.unwrap(), None);
}

pub async fn an_action_changes_on_its_version_only(harness: &dyn Harness) {
    let store = harness.open().await;
    let proposed = Action { state: ActionState::Proposed, ..action(1) };
    assert!(store.put_action(proposed.clone()).await.unwrap());
    assert!(!store.put_action(proposed.clone()).await.unwrap(), "it is stored already");
    assert!(store.put_action(action(2)).await.unwrap());
    let open = ActionQuery { open: true, ..ActionQuery::default() };
    assert_eq!(listed(&*store, &open).await, [Action { version: 1, ..proposed.clone() }]);
    let (by, reason) = ("juma".to_owned(), "not this one".to_owned());
    let judgement = Judgement { at: at(7), by, approved: false, reason, seen: Some(3) };
    let declined = Action {
        version: 1,
        state: ActionState::Declined,
        judgement: Some(judgement),
        detail: "declined".to_owned(),
        updated_at: at(7),
        ..proposed
    };
    assert!(store.put_action(declined.clone()).await.unwrap());
    assert!(!store.put_action(declined.clone()).await.unwrap(), "it has moved on");
    let ahead = Action { version: 9, ..declined.clone() };
    assert!(!store.put_action(ahead).await.unwrap());
    assert_eq!(listed(&*store, &open).await, []);
    let expected = Some(Action { version: 2, ..declined });
    assert_eq!(store.action(action(1).id).await.unwrap(), expected);
    let Some(store) = harness.reopen(store).await else { return };
    assert_eq!(store.action(action(1).id).await.unwrap(), expected);
}

pub async fn of_many_who_judge_an_action_one_does(harness: &dyn Harness) {
    let store = harness.open().await;
    let proposed = Action { state: ActionState::Proposed, ..action(1) };
    assert!(store.put_action(proposed.clone()).await.unwrap());
    let mut judges = JoinSet::new();
    for _ in 0..32 {
        let (store, version) = (Arc::clone(&store), 1);
        let approved = Action { version, state: ActionState::Approved, ..proposed.clone() };
        judges.spawn(async move { store.put_action(approved).await.unwrap() });
    }
    let written = judges.join_all().await.into_iter().filter(|written| *written).count();
    assert_eq!(written, 1);
}
