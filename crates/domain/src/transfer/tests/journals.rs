//! Journals of version 0.1 fold as ever, and their transfers go on.
//!
//! `journals_0_1.jsonl` was written by that version's own machine, which lived through random
//! scenarios: every event that it knew, after every other that mattered. It is frozen.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::*;

#[derive(Deserialize)]
struct Frozen {
    status: Status,
    open: Option<StepName>,
    references: [Reference; 4],
    in_transit: i64,
    #[serde(deserialize_with = "stored")]
    journal: Vec<Entry>,
}

/// Entries whose events are in the form of their time.
fn stored<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Entry>, D::Error> {
    #[derive(Deserialize)]
    struct Stored {
        seq: u64,
        at: Timestamp,
        event: serde_json::Value,
    }
    let entry = |Stored { seq, at, event }: Stored| {
        let event = Event::from_stored(&event.to_string()).map_err(D::Error::custom)?;
        Ok(Entry { seq, at, event })
    };
    Vec::<Stored>::deserialize(deserializer)?.into_iter().map(entry).collect()
}

fn frozen() -> Vec<Frozen> {
    let lines = include_str!("journals_0_1.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).expect("version 0.1 could read it")).collect()
}

fn folded(journal: &[Entry]) -> Transfer {
    let events = journal.iter().map(|entry| (entry.at, &entry.event));
    Transfer::replay(events).unwrap_or_else(|| panic!("it does not fold: {journal:#?}"))
}

#[test]
fn a_journal_of_version_0_1_folds_to_what_it_was() {
    for Frozen { status, open, references, in_transit, journal } in frozen() {
        let transfer = folded(&journal);
        assert_eq!(transfer.version(), journal.len() as u64);
        // A merged collection was left open; it is at rest now, and shows the same.
        if transfer.merged_into().is_none() {
            assert_eq!(transfer.open_step(), open, "{journal:#?}");
            assert_eq!(transfer.in_transit().minor(), in_transit);
        }
        let now = StepName::ALL.map(|step| transfer.reference(step));
        assert_eq!(now, references, "no reference is used anew, and none is lost");
        // Only the opening and closing of cases has changed since (rules 15 and 16).
        let attended = |status| {
            let attention = [Status::NeedsAttention, Status::AwaitingCustomer].contains(&status);
            if attention { Status::InProgress } else { status }
        };
        assert_eq!(attended(transfer.status()), attended(status), "{journal:#?}");
    }
}

#[test]
fn a_transfer_of_version_0_1_comes_to_its_end() {
    let policy = policy(WhenAbsent::Reject, OnCoreRejection::Suspense);
    for Frozen { journal, .. } in frozen() {
        let mut transfer = folded(&journal);
        let mut at = transfer.updated_at();
        for turn in 0.. {
            assert!(turn < 200, "it does not come to its end: {transfer:#?}");
            check_way_out(&transfer, &policy, at).expect("there is a way out");
            if transfer.status().is_final() || transfer.merged_into().is_some() {
                break;
            }
            let mut update = TransferUpdate::resume(transfer.clone(), at);
            match transfer.plan(&policy, at) {
                Some(plan) if plan.due > at => at = plan.due,
                Some(plan) => {
                    let done = || Confirmation::bare(receipt(&format!("N{turn}")));
                    match plan.next {
                        Next::Check => happen(&mut update, Happening::Clear, &[], &policy),
                        Next::Send(step) => {
                            update.start(step, &policy);
                            update.conclude(step, Outcome::Executed(done()), &policy);
                        }
                        Next::Recover(step) => update.interrupted(step, &policy),
                        Next::Inquire(step) => {
                            update.apply_finding(step, Finding::Executed(done()), &policy);
                        }
                        Next::CallPerson(_) => update.call_person(&policy),
                        Next::BringIn | Next::Tell(_) => panic!("version 0.1 knew none"),
                    }
                }
                None => decide_something(&mut update, &policy),
            }
            if let Some(decision) = update.finish() {
                transfer = decision.transfer;
            }
        }
    }
}

/// A person does the first thing that leads on.
fn decide_something(update: &mut TransferUpdate, policy: &Policy) {
    let contradiction =
        update.transfer().cases().iter().find(|case| case.kind == CaseKind::Contradiction);
    if let Some(&OpenCase { kind: case, step, .. }) = contradiction {
        let close = PersonDecision::CloseCase { case, step };
        assert!(update.decide(&close, &somebody(), policy));
        return;
    }
    for choice in update.transfer().choices() {
        let decision = match choice {
            Choice::TryAgain => PersonDecision::TryAgain,
            Choice::GiveUp => PersonDecision::GiveUp,
            Choice::AcceptNotExecuted(step) => PersonDecision::AcceptNotExecuted { step },
            Choice::Assign => return happen(update, Happening::Assign, &[], policy),
            Choice::AcceptExecuted(_) | Choice::CloseCase | Choice::Reverse => continue,
        };
        if update.decide(&decision, &somebody(), policy) {
            return;
        }
    }
    panic!("nothing leads on: {:#?}", update.transfer());
}

/// Its references have room for 62 generations; the last one is not used for another.
#[test]
fn a_step_of_version_0_1_that_has_used_all_its_references_is_not_tried_again() {
    let at = Timestamp::from_micros(1);
    let mut journal = vec![
        Event::Received(instruction(Kind::Withdrawal, false)),
        Event::Cleared {
            account: CoreAccount { kind: AccountKind::Savings, id: 7 },
            account_no: "7".to_owned(),
        },
        Event::Started { step: StepName::First, generation: 0, attempt: 1 },
        Event::Concluded {
            step: StepName::First,
            outcome: Outcome::Executed(Confirmation::bare(receipt("C1"))),
        },
    ];
    for generation in 0..=62 {
        let step = StepName::Second;
        let refused = rejection(Retry::NewReference);
        if generation > 0 {
            let why = refused.message.clone();
            journal.push(Event::Reopened { step, new_reference: true, why });
        }
        journal.push(Event::Started { step, generation, attempt: u32::from(generation) + 1 });
        journal.push(Event::Concluded { step, outcome: Outcome::Rejected(refused) });
    }
    let id = TransferId::new(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0100));
    if let Some(Event::Received(instruction)) = journal.first_mut() {
        instruction.id = id;
    }
    let transfer = Transfer::replay(journal.iter().map(|event| (at, event))).expect("it folds");
    assert_eq!(transfer.reference(StepName::Second).generation(), id.generation_max());
    let choices = transfer.choices();
    assert!(choices.contains(&Choice::GiveUp) && !choices.contains(&Choice::TryAgain));
}
