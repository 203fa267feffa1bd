//! Cases: the questions that need a person.

use kiungo_domain::hold::Condition;
use kiungo_domain::transfer::{CaseKind, Operation, StepName, TransferUpdate};
use kiungo_domain::{Finding, Outcome};

use super::Harness;
use super::fixtures::{
    arrival, at, clear, commit, complete, id, instruction, policy, receipt, received, rejection,
    then, wallet_instruction,
};
use crate::{CaseRow, Change, Hold, InboxState, Store};

async fn kinds(store: &dyn Store) -> Vec<CaseKind> {
    store.cases(None, 0).await.unwrap().rows.into_iter().map(|case| case.kind).collect()
}

fn unknown(update: &mut TransferUpdate) {
    update.start(StepName::First, &policy());
    update.conclude(StepName::First, Outcome::unknown("time-out"), &policy());
}

pub async fn a_case_opens_changes_and_closes_with_its_transfer(harness: &dyn Harness) {
    let store = harness.open().await;
    let first = commit(&*store, received(instruction(1), at(1))).await;
    let cleared = then(&first, at(2), |update| {
        clear(update);
        unknown(update);
    });
    let waiting = commit(&*store, cleared).await;
    assert_eq!(kinds(&*store).await, []);
    let ask = |update: &mut TransferUpdate| {
        update.apply_finding(StepName::First, Finding::unclear("no answer"), &policy());
    };
    let overdue = commit(&*store, then(&waiting, at(700), ask)).await;
    let opened = store.cases(None, 0).await.unwrap().rows;
    let expected = CaseRow {
        transfer: Some(id(1)),
        inbox: None,
        kind: CaseKind::UnknownTooLong,
        step: Some(StepName::First),
        operation: None,
        detail: opened[0].detail.clone(),
        provider: super::fixtures::provider("mpesa-tz"),
        opened_at: at(700),
    };
    assert_eq!(opened, [expected]);
    assert!(!opened[0].detail.is_empty());
    // Another event leaves it as it is.
    let asked = commit(&*store, then(&overdue, at(800), ask)).await;
    assert_eq!(store.cases(None, 0).await.unwrap().rows, opened);
    // Another question stands beside it, since its own time.
    let taken = |update: &mut TransferUpdate| {
        update.receipt_taken(StepName::First, &receipt("W1"), id(9), &policy());
    };
    let taken = commit(&*store, then(&asked, at(900), taken)).await;
    let changed = store.cases(None, 0).await.unwrap().rows;
    assert_eq!(changed.len(), 2);
    assert_eq!((changed[0].kind, changed[0].opened_at), (CaseKind::ReceiptTaken, at(900)));
    assert_eq!(changed[1], opened[0]);
    assert_eq!(store.summary(id(1)).await.unwrap().unwrap().case, Some(CaseKind::ReceiptTaken));
    let settled = |update: &mut TransferUpdate| {
        let confirmation = kiungo_domain::outcome::Confirmation::bare(receipt("R1"));
        update.apply_finding(StepName::First, Finding::Executed(confirmation), &policy());
    };
    commit(&*store, then(&taken, at(950), settled)).await;
    assert_eq!(kinds(&*store).await, []);
}

pub async fn a_quarantined_item_is_a_case_until_it_is_handled(harness: &dyn Harness) {
    let store = harness.open().await;
    let suspended = |n: u32| {
        let first = received(wallet_instruction(n, &format!("W{n}")), at(i64::from(n)));
        let refused = then(&first.decision.transfer, at(i64::from(n)), |update| {
            update.refused(rejection());
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
    store.set_inbox_state(item, InboxState::waiting(at(4))).await.unwrap();
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

pub async fn an_arrival_that_stays_unclear_is_a_case_and_goes_on(harness: &dyn Harness) {
    let store = harness.open().await;
    let item = store.arrive(arrival("d1", at(3))).await.unwrap().id();
    let concern = Some("the provider does not say".to_owned());
    let waiting = InboxState::Waiting { due: at(9), concern };
    store.set_inbox_state(item, waiting.clone()).await.unwrap();
    let rows = store.cases(None, 0).await.unwrap().rows;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].kind, rows[0].inbox), (CaseKind::UnknownTooLong, Some(item)));
    assert_eq!(rows[0].detail, "the provider does not say");
    assert_eq!(store.inbox_item(item).await.unwrap().unwrap().state, waiting);
    assert_eq!(store.inbox_due(at(9), 10).await.unwrap().len(), 1, "it is handled again");
    let overview = store.overview(at(9)).await.unwrap();
    assert_eq!((overview.quarantined, overview.inbox_waiting), (0, 1));
    let change = received(instruction(7), at(10));
    commit(&*store, Change { handles: Some(item), ..change }).await;
    assert_eq!(kinds(&*store).await, []);
}

pub async fn holds_are_kept_since_they_began_and_end(harness: &dyn Harness) {
    let store = harness.open().await;
    let needed_by = |detail: &str| (detail == "again").then(|| instruction(1).amount);
    let hold = |condition, detail: &str, since, probe_at| Hold {
        provider: super::fixtures::provider("mpesa-tz"),
        operation: Operation::PayOut,
        condition,
        detail: detail.to_owned(),
        needed: needed_by(detail),
        held_by: None,
        since: at(since),
        probe_at: at(probe_at),
    };
    store.put_hold(hold(Condition::FloatEmpty, "first", 1, 30)).await.unwrap();
    store.put_hold(hold(Condition::FloatEmpty, "again", 60, 90)).await.unwrap();
    store.put_hold(hold(Condition::Unreachable, "other", 61, 66)).await.unwrap();
    let expected = [
        hold(Condition::FloatEmpty, "again", 1, 90),
        hold(Condition::Unreachable, "other", 61, 66),
    ];
    assert_eq!(store.holds().await.unwrap(), expected);
    let provider = super::fixtures::provider("mpesa-tz");
    let end = async |condition| {
        store.release_hold(&provider, Operation::PayOut, condition).await.unwrap()
    };
    assert!(end(Condition::FloatEmpty).await);
    assert!(!end(Condition::FloatEmpty).await, "there is none any more");
    assert!(!end(Condition::Person).await);
    assert_eq!(store.holds().await.unwrap(), expected[1..]);
}

/// The clock was set back by an hour: nothing waits for it to catch up.
pub async fn what_is_due_is_brought_forward(harness: &dyn Harness) {
    let store = harness.open().await;
    let due_at = |n: u32, due| {
        let change = received(instruction(n), at(1));
        Change { due: Some(at(due)), ..change }
    };
    commit(&*store, due_at(1, 5)).await;
    commit(&*store, due_at(2, 4_000)).await;
    let item = store.arrive(arrival("d1", at(3))).await.unwrap().id();
    store.set_inbox_state(item, InboxState::waiting(at(4_000))).await.unwrap();
    let hold = Hold {
        provider: super::fixtures::provider("mpesa-tz"),
        operation: Operation::PayOut,
        condition: Condition::NeedsRepair,
        detail: "refused".to_owned(),
        needed: None,
        held_by: None,
        since: at(3_990),
        probe_at: at(4_020),
    };
    store.put_hold(hold.clone()).await.unwrap();
    assert!(store.take_lease("relay", "gone", at(4_000), at(4_030)).await.unwrap());
    assert!(store.take_lease("turn", "there", at(380), at(410)).await.unwrap());
    store.pull_due(at(400)).await.unwrap();
    let pulled = Hold { since: at(400), probe_at: at(400), ..hold };
    assert_eq!(store.holds().await.unwrap(), [pulled]);
    assert!(!store.take_lease("relay", "other", at(400), at(430)).await.unwrap());
    assert!(store.take_lease("relay", "other", at(1_000), at(1_030)).await.unwrap());
    assert!(!store.take_lease("turn", "other", at(400), at(430)).await.unwrap());
    let due = store.due(at(400), 10).await.unwrap();
    assert_eq!(due, [(id(1), at(5)), (id(2), at(400))]);
    assert_eq!(store.inbox_due(at(400), 10).await.unwrap().len(), 1);
}

pub async fn cases_are_paged_newest_first(harness: &dyn Harness) {
    let store = harness.open().await;
    let open = async |n: u32, second: i64| {
        let first = received(wallet_instruction(n, &format!("W{n}")), at(0));
        let first = commit(&*store, first).await;
        commit(&*store, then(&first, at(second), |update| update.refused(rejection()))).await;
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
    let change = then(&first, at(2), |update| {
        clear(update);
        complete(update, StepName::First, &format!("R{n}"));
        complete(update, StepName::Second, "55");
    });
    commit(store, change).await;
}

pub async fn a_held_operation_is_one_case_until_nothing_holds_it(harness: &dyn Harness) {
    let store = harness.open().await;
    let hold = |condition, since: i64| Hold {
        provider: super::fixtures::provider("mpesa-tz"),
        operation: Operation::PayOut,
        condition,
        detail: format!("because of {}", condition.as_str()),
        needed: None,
        held_by: None,
        since: at(since),
        probe_at: at(since + 60),
    };
    store.put_hold(hold(Condition::Unreachable, 1)).await.unwrap();
    assert_eq!(store.cases(None, 10).await.unwrap().rows, [], "it ends by itself");
    store.put_hold(hold(Condition::FloatEmpty, 5)).await.unwrap();
    store.put_hold(hold(Condition::NeedsRepair, 9)).await.unwrap();
    let expected = CaseRow {
        transfer: None,
        inbox: None,
        kind: CaseKind::OperationHeld,
        step: None,
        operation: Some(Operation::PayOut),
        detail: "because of needs_repair".to_owned(),
        provider: super::fixtures::provider("mpesa-tz"),
        opened_at: at(5),
    };
    assert_eq!(store.cases(None, 10).await.unwrap().rows, std::slice::from_ref(&expected));
    let release = async |condition| {
        store.release_hold(&expected.provider, Operation::PayOut, condition).await.unwrap()
    };
    assert!(release(Condition::NeedsRepair).await);
    assert_eq!(store.cases(None, 10).await.unwrap().rows.len(), 1);
    assert!(release(Condition::FloatEmpty).await);
    assert!(!release(Condition::FloatEmpty).await);
    assert_eq!(store.cases(None, 10).await.unwrap().rows, []);
    assert_eq!(store.holds().await.unwrap().len(), 1, "it is still unreachable");
}
