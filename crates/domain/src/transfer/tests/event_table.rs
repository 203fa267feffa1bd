//! Every kind of event on every kind of state.

use super::sequences::{Scenario, done, refused};
use super::*;

/// Every kind of event on every kind of state: what follows, or that it cannot.
#[test]
fn the_result_of_each_event_in_each_state_is_known() {
    use std::fmt::Write as _;
    let scenario = |kind| Scenario::new(kind, false, OnCoreRejection::Suspense);
    let mut states: Vec<(&str, Transfer)> = Vec::new();
    let mut deposit = scenario(Kind::Deposit);
    states.push(("received", deposit.transfer.clone()));
    states.push(("cleared", deposit.then(Happening::Clear).transfer.clone()));
    states.push(("collecting", deposit.then(Happening::Send).transfer.clone()));
    let lost = Happening::Outcome(StepName::First, Outcome::unknown("lost"));
    states.push(("collect unknown", deposit.then(lost).transfer.clone()));
    let found = Finding::Executed(Confirmation::bare(receipt("R1")));
    deposit.then(Happening::Finding(StepName::First, found));
    states.push(("collected", deposit.transfer.clone()));
    let mut suspended = Scenario { transfer: deposit.transfer.clone(), ..scenario(Kind::Deposit) };
    states.push(("suspended", suspended.sends(refused()).transfer.clone()));
    states.push(("completed", deposit.sends(done("C1")).transfer.clone()));
    states.push(("reversing", deposit.then(Happening::Reverse).transfer.clone()));
    let mut failed = scenario(Kind::Withdrawal);
    states.push(("failed", failed.then(Happening::Clear).sends(refused()).transfer.clone()));
    let mut undoing = scenario(Kind::Withdrawal);
    undoing.then(Happening::Clear).sends(done("C1")).sends(refused());
    states.push(("undoing", undoing.transfer.clone()));
    let mut merged = scenario(Kind::Deposit);
    merged.then(Happening::Clear).then(Happening::Merge(Status::InProgress));
    states.push(("merged", merged.transfer.clone()));
    let mut table = String::new();
    for (state, transfer) in &states {
        let _ = writeln!(table, "{state} ({})", transfer.status().as_str());
        for (name, event) in events() {
            let mut after = transfer.clone();
            let came = match after.apply(&event, Timestamp::from_micros(9_000_000_000)) {
                Ok(()) => after.status().as_str().to_owned(),
                Err(error) => format!("- {error}"),
            };
            let _ = writeln!(table, "  {name:<22} {came}");
        }
    }
    insta::assert_snapshot!(table);
}

/// One event of each kind, about the steps where it matters.
pub(super) fn events() -> Vec<(&'static str, Event)> {
    let account = CoreAccount { kind: AccountKind::Savings, id: 7 };
    let named = AccountRef { kind: None, key: AccountKey::Id(9) };
    let rejected = || rejection(Retry::Never);
    let (first, second) = (StepName::First, StepName::Second);
    let confirmation = || Confirmation::bare(receipt("R7"));
    let completed = |step| Event::Concluded { step, outcome: Outcome::Executed(confirmation()) };
    let adopted = |step| Event::Adopted { step, generation: 0, confirmation: confirmation() };
    let by = || "op".to_owned();
    vec![
        ("received", Event::Received(instruction(Kind::Deposit, false))),
        ("cleared", Event::Cleared { account, account_no: "7".to_owned() }),
        ("refused", Event::Refused { rejection: rejected() }),
        ("started first", Event::Started { step: first, generation: 0, attempt: 1 }),
        ("started second", Event::Started { step: second, generation: 0, attempt: 1 }),
        ("completed first", completed(first)),
        ("completed second", completed(second)),
        ("rejected first", Event::Concluded { step: first, outcome: refused() }),
        ("not sent first", Event::Concluded { step: first, outcome: Outcome::not_sent("-") }),
        ("unknown first", Event::Concluded { step: first, outcome: Outcome::unknown("-") }),
        (
            "inquired first",
            Event::Inquired { step: first, finding: Finding::Absent, counted: true },
        ),
        ("hinted", Event::Hinted { by: by() }),
        ("reopened first", Event::Reopened { step: first, new_reference: true, why: by() }),
        ("compensating", Event::Compensating { rejection: rejected() }),
        ("suspended", Event::Suspended { rejection: rejected() }),
        ("assigned", Event::Assigned { account: named, by: by() }),
        ("reversal requested", Event::ReversalRequested { by: by(), reason: by() }),
        ("reversal refused", Event::ReversalRefused { rejection: rejected() }),
        ("merged", Event::Merged { into: other_transfer(), shows: Status::Completed }),
        ("followed", Event::Followed { shows: Status::Reversed }),
        ("carries", Event::Carries { transfer: other_transfer() }),
        ("told", Event::Told { shows: Status::Completed }),
        ("adopted first", adopted(first)),
        ("adopted second", adopted(second)),
        ("annulled first", Event::Annulled { step: first, rejection: rejected() }),
        ("fee charged first", Event::FeeCharged { step: first, fee: money(1) }),
    ]
}
