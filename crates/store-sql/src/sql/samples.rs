//! Transfers as they were stored before the schema knew of account locks, of collections, and of states
//! beside facts.

use kiungo_domain::transfer::{StepName, TransferUpdate};
use kiungo_store::contract::fixtures::{
    self, at, clear_at, complete, id, instruction, policy, received, then,
};
use kiungo_store::{Change, Store, Summary, TransferQuery};

/// Id and summary of transfers that hold their account: of the first two, both the same one; the note of
/// the third is hard to read for a database.
pub(crate) fn holders() -> Vec<(String, String)> {
    let holder = |(n, account): (u32, u64)| {
        let mut instruction = instruction(n);
        instruction.note = (n == 3).then(|| "a\0 \"kind\":\u{1F4B0}".to_owned());
        let begins = |draft: &mut TransferUpdate| {
            clear_at(draft, account);
            complete(draft, StepName::First, &format!("R{n}"));
            draft.start(StepName::Second, &policy());
        };
        let change = then(&received(instruction, at(1)).decision.transfer, at(2), begins);
        let summary = Summary::of(&change.decision.transfer);
        assert!(summary.holds_account);
        (id(n).to_string(), serde_json::to_string(&summary).unwrap())
    };
    [(1, 5), (2, 5), (3, 6)].map(holder).to_vec()
}

/// The account locks that they then have: core, kind, account, transfer.
pub(crate) fn account_locks() -> Vec<[String; 4]> {
    let lock =
        |account: &str, n| ["main", "savings", account, &id(n).to_string()].map(str::to_owned);
    vec![lock("5", 1), lock("6", 3)]
}

/// Id and summary of a collection under way.
pub(crate) fn collecting() -> (String, String) {
    let mut instruction = instruction(1);
    instruction.note = Some("a\0 \"kind\":\u{1F4B0}".to_owned());
    let begins = |draft: &mut TransferUpdate| {
        clear_at(draft, 5);
        draft.start(StepName::First, &policy());
    };
    let change = then(&received(instruction, at(1)).decision.transfer, at(2), begins);
    let summary = Summary::of(&change.decision.transfer);
    let collecting = summary.collecting().unwrap();
    assert_eq!(collecting.amount, "TZS 12550");
    (id(1).to_string(), serde_json::to_string(&summary).unwrap())
}

/// A transfer that is settled, for the archive, and one that is under way. A note is hard to read
/// for a database.
pub(crate) fn earlier() -> [Change; 2] {
    let mut settled = instruction(1);
    settled.note = Some("a\0 \"kind\":\u{1F4B0}".to_owned());
    let first = received(settled, at(1));
    let settled =
        then(&first.decision.transfer, at(2), |draft| draft.refused(fixtures::rejection()));
    let mut under_way = instruction(2);
    under_way.note = Some("b\0".to_owned());
    [settled, received(under_way, at(3))]
}

/// Reads them, and changes the second until it is archived.
pub(crate) async fn go_on(store: &dyn Store, [settled, under_way]: &[Change; 2]) {
    for change in [settled, under_way] {
        let transfer = &change.decision.transfer;
        let stored = store.summary(transfer.id()).await.unwrap();
        assert_eq!(stored, Some(Summary::of(transfer)));
    }
    let before = &under_way.decision.transfer;
    let listed = async |status| {
        let query = TransferQuery { statuses: vec![status], ..TransferQuery::default() };
        store.search(&query).await.unwrap().rows
    };
    assert_eq!(listed(before.status()).await, [Summary::of(before)]);
    assert_eq!(store.overview(at(9)).await.unwrap().oldest_open, Some(at(3)));
    let change = then(before, at(4), |draft| draft.refused(fixtures::rejection()));
    store.commit(change.clone()).await.unwrap();
    let after = Summary::of(&change.decision.transfer);
    assert_eq!(listed(after.status).await, std::slice::from_ref(&after));
    // It is told as it was then.
    let told = store.outbox_rows(9).await.unwrap();
    assert_eq!(told[0].transfer, Summary::of(before));
    store.commit(received(instruction(3), at(5))).await.unwrap();
    assert_eq!(store.archive(at(5), 10).await.unwrap(), 1);
    assert_eq!(store.summary(after.id).await.unwrap(), Some(after.clone()));
    assert_eq!(store.outbox_rows(9).await.unwrap()[0].transfer, Summary::of(before));
}
