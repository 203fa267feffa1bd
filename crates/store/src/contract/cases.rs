//! What needs a person.

use kiungo_domain::transfer::{CaseKind, Draft, StepName};
use kiungo_domain::{Finding, Outcome};

use super::Place;
use super::story::{
    arrival, at, clear, commit, complete, id, instruction, policy, receipt, received, rejection,
    then, wallet_instruction,
};
use crate::{CaseRow, Change, InboxState, Store};

async fn kinds(store: &dyn Store) -> Vec<CaseKind> {
    store.cases(None, 0).await.unwrap().rows.into_iter().map(|case| case.kind).collect()
}

fn unknown(draft: &mut Draft) {
    draft.start(StepName::First);
    draft.conclude(StepName::First, Outcome::unknown("time-out"), &policy());
}

pub async fn a_case_opens_changes_and_closes_with_its_transfer(place: &dyn Place) {
    let store = place.open().await;
    let first = commit(&*store, received(instruction(1), at(1))).await;
    let cleared = then(&first, at(2), |draft| {
        clear(draft);
        unknown(draft);
    });
    let waiting = commit(&*store, cleared).await;
    assert_eq!(kinds(&*store).await, []);
    let ask = |draft: &mut Draft| {
        draft.learn(StepName::First, Finding::unclear("no answer"), &policy());
    };
    let overdue = commit(&*store, then(&waiting, at(700), ask)).await;
    let opened = store.cases(None, 0).await.unwrap().rows;
    let expected = CaseRow {
        transfer: Some(id(1)),
        inbox: None,
        kind: CaseKind::UnknownTooLong,
        detail: opened[0].detail.clone(),
        provider: super::story::provider("mpesa-tz"),
        opened_at: at(700),
    };
    assert_eq!(opened, [expected]);
    assert!(!opened[0].detail.is_empty());
    // Another event leaves it as it is.
    let asked = commit(&*store, then(&overdue, at(800), ask)).await;
    assert_eq!(store.cases(None, 0).await.unwrap().rows, opened);
    // Another question takes its place, since its own time.
    let taken = |draft: &mut Draft| {
        draft.receipt_taken(StepName::First, &receipt("W1"), id(9), &policy());
    };
    let taken = commit(&*store, then(&asked, at(900), taken)).await;
    let changed = store.cases(None, 0).await.unwrap().rows;
    assert_eq!(changed.len(), 1);
    assert_eq!((changed[0].kind, changed[0].opened_at), (CaseKind::ReceiptTaken, at(900)));
    let settled = |draft: &mut Draft| {
        let confirmation = kiungo_domain::outcome::Confirmation::bare(receipt("R1"));
        draft.learn(StepName::First, Finding::Executed(confirmation), &policy());
    };
    commit(&*store, then(&taken, at(950), settled)).await;
    assert_eq!(kinds(&*store).await, []);
}

pub async fn a_quarantined_item_is_a_case_until_it_is_handled(place: &dyn Place) {
    let store = place.open().await;
    let suspended = |n: u32| {
        let first = received(wallet_instruction(n, &format!("W{n}")), at(i64::from(n)));
        let refused = then(&first.decision.transfer, at(i64::from(n)), |draft| {
            draft.refused(rejection());
        });
        [first, refused]
    };
    for change in suspended(1).into_iter().chain(suspended(5)) {
        commit(&*store, change).await;
    }
    let item = store.arrive(arrival("d1", at(3))).await.unwrap().id();
    let reason = "cannot be read".to_owned();
    store.set_inbox_state(item, InboxState::Quarantined { reason }).await.unwrap();
    let rows = store.cases(None, 0).await.unwrap().rows;
    let subjects: Vec<_> = rows.iter().map(|row| (row.transfer, row.inbox)).collect();
    assert_eq!(subjects, [(Some(id(5)), None), (None, Some(item)), (Some(id(1)), None)]);
    let quarantined = &rows[1];
    assert_eq!(quarantined.kind, CaseKind::Quarantined);
    assert_eq!((quarantined.detail.as_str(), quarantined.opened_at), ("cannot be read", at(3)));
    let overview = store.overview(at(9)).await.unwrap();
    assert_eq!((overview.quarantined, overview.inbox_waiting), (1, 0));
    // A person lets it be tried again; a better reason replaces the first; then it is handled.
    store.set_inbox_state(item, InboxState::Waiting { due: at(4) }).await.unwrap();
    assert_eq!(kinds(&*store).await, [CaseKind::Suspense, CaseKind::Suspense]);
    for reason in ["a", "b"] {
        let reason = reason.to_owned();
        store.set_inbox_state(item, InboxState::Quarantined { reason }).await.unwrap();
    }
    assert_eq!(store.cases(None, 0).await.unwrap().rows[1].detail, "b");
    let change = received(instruction(7), at(7));
    commit(&*store, Change { handles: Some(item), ..change }).await;
    assert_eq!(kinds(&*store).await, [CaseKind::Suspense, CaseKind::Suspense]);
    assert_eq!(store.overview(at(9)).await.unwrap().quarantined, 0);
}

pub async fn cases_are_paged_newest_first(place: &dyn Place) {
    let store = place.open().await;
    let open = async |n: u32, second: i64| {
        let first = received(wallet_instruction(n, &format!("W{n}")), at(0));
        let first = commit(&*store, first).await;
        commit(&*store, then(&first, at(second), |draft| draft.refused(rejection()))).await;
    };
    for n in 1..=5 {
        open(n, i64::from(n / 2)).await;
    }
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = store.cases(cursor.as_ref(), 2).await.unwrap();
        assert!(page.rows.len() <= 2);
        seen.extend(page.rows.into_iter().filter_map(|row| row.transfer));
        open(100 + u32::try_from(seen.len()).unwrap(), 50).await;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, [id(5), id(4), id(3), id(2), id(1)]);
}

pub async fn completes(store: &dyn Store, n: u32) {
    let first = commit(store, received(instruction(n), at(1))).await;
    let change = then(&first, at(2), |draft| {
        clear(draft);
        complete(draft, StepName::First, &format!("R{n}"));
        complete(draft, StepName::Second, "55");
    });
    commit(store, change).await;
}
