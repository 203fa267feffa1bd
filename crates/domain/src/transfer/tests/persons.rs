//! The decisions of persons, and the consequences of a wrong statement.

use super::sequences::{Scenario, done};
use super::*;

/// The transaction that was accepted as the booking turns out to be another one: it stays, and so
/// does the question.
#[test]
fn a_reversal_that_would_take_back_another_transaction_opens_a_case() {
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(done("R1")).sends(done("C1")).then(Happening::Reverse);
    let code = crate::outcome::NOT_THE_BOOKING.to_owned();
    scenario.sends(Outcome::Rejected(Rejection { code, ..rejection(Retry::Never) }));
    assert_eq!(scenario.status(), Status::Completed);
    assert_eq!(scenario.transfer.case(), Some(CaseKind::Contradiction));
    assert_eq!(scenario.transfer.cases()[0].step, Some(StepName::Second));
    assert!(scenario.transfer.choices().contains(&Choice::CloseCase));
}

/// An operation that never arrived is sent again under a new reference only: without one it waits
/// for what a person has seen at the other side.
#[test]
fn an_operation_that_never_arrived_is_not_sent_again_under_the_last_reference() {
    let (step, at) = (StepName::Second, Timestamp::from_micros(1));
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
    let id = TransferId::new(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0100));
    if let Some(Event::Received(instruction)) = journal.first_mut() {
        instruction.id = id;
    }
    for generation in 0..=id.generation_max() {
        journal.push(Event::Started { step, generation, attempt: u32::from(generation) + 1 });
        if generation < id.generation_max() {
            let outcome = Outcome::Rejected(rejection(Retry::NewReference));
            journal.push(Event::Concluded { step, outcome });
            let why = "refused".to_owned();
            journal.push(Event::Reopened { step, new_reference: true, why });
        }
    }
    journal.push(Event::Concluded { step, outcome: Outcome::unknown("time-out") });
    let (case, detail) = (CaseKind::NeverArrived, "it does not know it".to_owned());
    journal.push(Event::CaseOpened { case, step: Some(step), detail });
    let transfer = Transfer::replay(journal.iter().map(|event| (at, event))).expect("it folds");
    let last = transfer.reference(step);
    assert_eq!(last.generation(), id.generation_max());
    let choices = transfer.choices();
    assert!(!choices.contains(&Choice::TryAgain), "{choices:?}");
    assert!(choices.contains(&Choice::AcceptExecuted(step)), "{choices:?}");
    assert!(choices.contains(&Choice::AcceptNotExecuted(step)), "{choices:?}");
    assert!(transfer.why_refused(&PersonDecision::TryAgain).contains("reference"));
    let policy = policy(WhenAbsent::Case, OnCoreRejection::Suspense);
    let mut update = TransferUpdate::resume(transfer, at);
    assert!(!update.decide(&PersonDecision::TryAgain, &somebody(), &policy));
    assert_eq!(update.transfer().reference(step), last);
    assert!(update.decide(&PersonDecision::AcceptNotExecuted { step }, &somebody(), &policy));
    assert_eq!(update.transfer().open_step(), Some(StepName::UndoFirst));
}
