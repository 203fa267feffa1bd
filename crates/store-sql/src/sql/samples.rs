//! Transfers as they were stored before the schema knew of lanes and of collections.

use kiungo_domain::transfer::{StepName, TransferUpdate};
use kiungo_store::Summary;
use kiungo_store::contract::story::{
    at, clear_at, complete, id, instruction, policy, received, then,
};

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

/// The lanes that they then have: core, kind, account, transfer.
pub(crate) fn lanes() -> Vec<[String; 4]> {
    let lane =
        |account: &str, n| ["main", "savings", account, &id(n).to_string()].map(str::to_owned);
    vec![lane("5", 1), lane("6", 3)]
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
