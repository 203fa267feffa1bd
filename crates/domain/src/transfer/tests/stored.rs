//! Events of every form are read. The files `events_<form>.jsonl` are frozen: an event each line, as a
//! program of that time stored it.

use super::event_table::events;
use super::*;
use crate::transfer::stored::{FORM, StoredEventError};

const FORM_0: &str = include_str!("events_0.jsonl");
const FORM_1: &str = include_str!("events_1.jsonl");

/// The place of a kind of event among all of them.
fn kind_of(event: &Event) -> usize {
    match event {
        Event::Received(_) => 0,
        Event::Cleared { .. } => 1,
        Event::Refused { .. } => 2,
        Event::Started { .. } => 3,
        Event::Concluded { .. } => 4,
        Event::Inquired { .. } => 5,
        Event::Hinted { .. } => 6,
        Event::Reopened { .. } => 7,
        Event::Compensating { .. } => 8,
        Event::Suspended { .. } => 9,
        Event::Assigned { .. } => 10,
        Event::ReversalRequested { .. } => 11,
        Event::ReversalRefused { .. } => 12,
        Event::Merged { .. } => 13,
        Event::Followed { .. } => 14,
        Event::Carries { .. } => 15,
        Event::Told { .. } => 16,
        Event::Heard { .. } => 17,
        Event::Adopted { .. } => 18,
        Event::Annulled { .. } => 19,
        Event::BroughtIn { .. } => 20,
        Event::FeeCharged { .. } => 21,
        Event::CaseOpened { .. } => 22,
        Event::Decided { .. } => 23,
    }
}

const KINDS: usize = 24;

/// One event of each kind at least, and of each form that an optional part gives it.
fn samples() -> Vec<Event> {
    let step = StepName::Second;
    let stated = Stated {
        amount: Some(money(12_550)),
        msisdn: Some(Msisdn::parse("255700000001").unwrap()),
        reference: Some(Reference::new(other_transfer(), step, 1)),
        account: Some(CoreAccount { kind: AccountKind::Loan, id: 12 }),
    };
    let confirmation = Confirmation { receipt: receipt("R8"), fee: Some(money(150)), stated };
    let accepted = Acceptance { handle: Some("h-1".to_owned()), awaiting: Awaiting::Customer };
    let heard = |finding| Event::Heard { step, generation: 2, channel: Channel::Callback, finding };
    let decided = |decision| {
        let (by, reason) = ("op".to_owned(), "seen".to_owned());
        Event::Decided { decision, by, approved_by: None, reason }
    };
    let completed = Outcome::Executed(confirmation.clone());
    let case = CaseKind::Contradiction;
    let mut samples: Vec<Event> = events().into_iter().map(|(_, event)| event).collect();
    samples.extend([
        Event::Received(instruction(Kind::Repayment, true)),
        Event::Concluded { step, outcome: completed },
        Event::Concluded { step, outcome: Outcome::Pending(accepted.clone()) },
        Event::Concluded { step, outcome: Outcome::not_recorded("-") },
        Event::Inquired { step, finding: Finding::InProgress(accepted), counted: false },
        heard(Finding::Executed(confirmation.clone())),
        heard(Finding::Reversed(confirmation.clone())),
        heard(Finding::Rejected(rejection(Retry::Never))),
        Event::BroughtIn { step, receipt: receipt("R8"), into: other_transfer() },
        Event::CaseOpened { case, step: Some(step), detail: "d".to_owned() },
        Event::CaseOpened { case: CaseKind::Suspense, step: None, detail: "d".to_owned() },
        decided(PersonDecision::TryAgain),
        decided(PersonDecision::GiveUp),
        decided(PersonDecision::AcceptExecuted { step, confirmation }),
        decided(PersonDecision::AcceptNotExecuted { step }),
        decided(PersonDecision::CloseCase { case, step: Some(step) }),
    ]);
    samples
}

#[test]
fn the_samples_are_of_every_kind() {
    let kinds: BTreeSet<usize> = samples().iter().map(kind_of).collect();
    assert_eq!(kinds, (0..KINDS).collect());
}

/// A change of what is written is a new form: raise `FORM`, write the step from this one to it, and
/// freeze the new form in a file of its own.
#[test]
fn the_present_form_is_written_as_it_was_frozen() {
    let written: Vec<String> = samples().iter().map(|event| event.to_stored().unwrap()).collect();
    if std::env::var_os("FREEZE_EVENTS").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/transfer/tests/events_1.jsonl");
        std::fs::write(file, written.join("\n") + "\n").unwrap();
    }
    let frozen: Vec<&str> = FORM_1.lines().collect();
    assert_eq!(written, frozen);
}

#[test]
fn events_of_every_form_are_read() {
    for (form, frozen) in [FORM_0, FORM_1].into_iter().enumerate() {
        let read: Vec<Event> =
            frozen.lines().map(|line| Event::from_stored(line).unwrap()).collect();
        assert_eq!(read, samples(), "form {form}");
    }
    assert_eq!(FORM, 1, "there is a file for each form");
}

#[test]
fn a_newer_form_and_what_is_no_event_are_refused_without_their_content() {
    let newer = r#"{"form":2,"event":"told","shows":"completed"}"#;
    assert_eq!(Event::from_stored(newer), Err(StoredEventError::Newer(2)));
    for text in ["", "{", "[]", "null", r#"{"event":"sold"}"#, r#"{"form":1,"event":"0712"}"#] {
        let error = Event::from_stored(text).unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, StoredEventError::Unreadable { .. }), "{text}: {said}");
        assert!(!said.contains("0712") && !said.contains("sold"), "{said}");
    }
}
