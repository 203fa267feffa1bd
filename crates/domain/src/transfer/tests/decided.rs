//! Decisions of persons, and the consequences of a definite refusal.

use super::sequences::{Scenario, done, for_now, refused};
use super::*;

fn scenario(kind: Kind) -> Scenario {
    let mut scenario = Scenario::new(kind, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear);
    scenario
}

fn choices(scenario: &Scenario) -> Vec<Choice> {
    scenario.transfer.choices()
}

/// A person stops what was not sent: before anything moved it fails, afterwards it is reversed.
#[test]
fn a_given_up_step_is_not_sent() {
    let mut unmoved = scenario(Kind::Withdrawal);
    unmoved.then(Happening::Decide(PersonDecision::GiveUp));
    assert_eq!(unmoved.status(), Status::Failed);

    let mut moved = scenario(Kind::Withdrawal);
    moved.sends(done("C1"));
    assert!(choices(&moved).contains(&Choice::GiveUp));
    moved.then(Happening::Decide(PersonDecision::GiveUp));
    assert_eq!(moved.transfer.open_step(), Some(StepName::UndoFirst));
    assert!(!choices(&moved).contains(&Choice::GiveUp), "giving back is not given up");
    moved.sends(done("C2"));
    assert_eq!(moved.status(), Status::Reversed);

    let mut received = Scenario::new(Kind::Deposit, true, OnCoreRejection::Suspense);
    received.then(Happening::Clear).then(Happening::Decide(PersonDecision::GiveUp));
    assert_eq!(received.status(), Status::Suspended);
}

#[test]
fn a_step_that_may_have_been_executed_cannot_be_given_up() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.sends(done("C1")).sends(Outcome::unknown("lost"));
    let before = scenario.transfer.clone();
    assert!(!choices(&scenario).contains(&Choice::GiveUp));
    scenario.then(Happening::Decide(PersonDecision::GiveUp));
    assert_eq!(scenario.transfer, before);
}

#[test]
fn an_unknown_payout_that_a_person_knows_not_to_be_executed_is_taken_back() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.sends(done("C1")).sends(Outcome::unknown("lost"));
    let step = StepName::Second;
    assert!(choices(&scenario).contains(&Choice::AcceptNotExecuted(step)));
    scenario.then(Happening::Decide(PersonDecision::AcceptNotExecuted { step }));
    assert_eq!(scenario.transfer.open_step(), Some(StepName::UndoFirst));
}

/// A collection that the provider has reversed, before anything followed.
fn reversed_collection() -> Scenario {
    let mut scenario = scenario(Kind::Deposit);
    scenario.sends(done("R1"));
    let reversed = Finding::Reversed(Confirmation::bare(receipt("R1")));
    scenario.then(Happening::Hear(Channel::Callback, StepName::First, 0, reversed));
    assert!(scenario.transfer.is_held());
    scenario
}

/// The money is no longer in transit, and the books say so.
#[test]
fn a_collection_that_a_person_knows_to_be_taken_back_counts_no_longer() {
    let mut scenario = reversed_collection();
    let step = StepName::First;
    assert!(choices(&scenario).contains(&Choice::AcceptNotExecuted(step)));
    let mut update = TransferUpdate::resume(scenario.transfer.clone(), scenario.at);
    assert!(update.decide(
        &PersonDecision::AcceptNotExecuted { step },
        &somebody(),
        &scenario.policy
    ));
    let decision = update.finish().unwrap();
    let booked: Vec<_> =
        decision.postings.iter().map(|it| (it.account.to_string(), it.minor)).collect();
    let (float, transit) = ("float:mpesa-tz".to_owned(), "transit:mpesa-tz".to_owned());
    assert_eq!(booked, [(float, -12_550), (transit, 12_550)]);
    scenario.transfer = decision.transfer;
    assert_eq!(scenario.status(), Status::Failed);
    assert!(scenario.transfer.in_transit().is_zero());
}

/// It is the provider that says so; and once the booking is under way, it is too late.
#[test]
fn a_collection_counts_as_long_as_nobody_heard_otherwise_or_something_follows() {
    let not_executed = Choice::AcceptNotExecuted(StepName::First);
    let mut unheard = scenario(Kind::Deposit);
    unheard.sends(done("R1"));
    assert!(!choices(&unheard).contains(&not_executed));

    let mut followed = scenario(Kind::Deposit);
    followed.sends(done("R1")).sends(Outcome::unknown("lost"));
    let reversed = Finding::Reversed(Confirmation::bare(receipt("R1")));
    followed.then(Happening::Hear(Channel::Callback, StepName::First, 0, reversed));
    assert_eq!(followed.transfer.case(), Some(CaseKind::Contradiction));
    assert!(!choices(&followed).contains(&not_executed));

    // A copy of the booking that was answered may be executed: it is settled first.
    let mut answered = scenario(Kind::Deposit);
    answered.sends(done("R1")).sends(Outcome::not_recorded("a job is running"));
    let reversed = Finding::Reversed(Confirmation::bare(receipt("R1")));
    answered.then(Happening::Hear(Channel::Callback, StepName::First, 0, reversed));
    assert!(!choices(&answered).contains(&not_executed));
    let step = StepName::Second;
    answered.then(Happening::Decide(PersonDecision::AcceptNotExecuted { step }));
    assert!(choices(&answered).contains(&not_executed));

    let mut second = reversed_collection();
    let case = CaseKind::Contradiction;
    let close = PersonDecision::CloseCase { case, step: Some(StepName::First) };
    second.then(Happening::Decide(close)).sends(done("C1"));
    assert_eq!(second.status(), Status::Completed);
    assert!(!choices(&second).contains(&not_executed));
}

#[test]
fn only_what_is_completed_or_suspended_is_given_back() {
    let asks = |scenario: &Scenario| {
        let mut update = TransferUpdate::resume(scenario.transfer.clone(), scenario.at);
        (update.request_reversal("op", "asked"), update.finish().is_some())
    };
    let mut completed = scenario(Kind::Deposit);
    assert_eq!(asks(&completed), (false, false));
    completed.sends(done("R1"));
    assert_eq!(asks(&completed), (false, false), "it is under way");
    completed.sends(done("C1"));
    assert_eq!(asks(&completed), (true, true));
    let mut suspended = Scenario::new(Kind::Deposit, true, OnCoreRejection::Suspense);
    suspended.then(Happening::Refuse);
    assert_eq!(asks(&suspended), (true, true));
}

/// A reversal that could not come to its end is refused before anything is reversed.
#[test]
fn a_reversal_that_would_be_refused_changes_nothing() {
    let mut scenario = scenario(Kind::Disbursement);
    scenario.sends(done("C1")).sends(done("P1")).then(Happening::Reverse);
    assert_eq!(scenario.status(), Status::InProgress);
    let mut update = TransferUpdate::resume(scenario.transfer.clone(), scenario.at);
    update.reversal_refused(rejection(Retry::Never));
    assert_eq!(update.finish().unwrap().transfer.status(), Status::Completed);
    scenario.then(Happening::Send);
    let mut update = TransferUpdate::resume(scenario.transfer.clone(), scenario.at);
    update.reversal_refused(rejection(Retry::Never));
    assert_eq!(update.finish(), None, "it is under way");
    let step = StepName::UndoSecond;
    scenario.then(Happening::Outcome(step, Outcome::not_recorded("a job is running")));
    let mut update = TransferUpdate::resume(scenario.transfer.clone(), scenario.at);
    update.reversal_refused(rejection(Retry::Never));
    assert_eq!(update.finish(), None, "a copy of it may be executed");
}

/// Before anything has moved, a limit of the day ends a transfer; what was sent is not ended so.
#[test]
fn a_turned_away_step_was_not_sent() {
    let mut scenario = scenario(Kind::Withdrawal);
    let turned_away = |scenario: &Scenario| {
        let mut update = TransferUpdate::resume(scenario.transfer.clone(), scenario.at);
        update.turned_away(StepName::First, rejection(Retry::Never), &scenario.policy);
        update.finish().map(|decision| decision.transfer.status())
    };
    assert_eq!(turned_away(&scenario), Some(Status::Failed));
    let mut answered = scenario.clone();
    answered.sends(Outcome::not_recorded("a job is running"));
    assert_eq!(turned_away(&answered), None, "a copy of it may be executed");
    scenario.sends(Outcome::unknown("lost"));
    assert_eq!(turned_away(&scenario), None);
}

/// No money has moved: the transfer fails, after as many tries as the mapping says.
#[test]
fn a_collection_refused_for_now_fails_after_its_tries() {
    let mut scenario = scenario(Kind::Deposit);
    for tries in 1..=3 {
        scenario.sends(for_now());
        assert_eq!(scenario.status(), Status::InProgress, "{tries}");
    }
    scenario.sends(for_now());
    assert_eq!(scenario.status(), Status::Failed);
}

/// A refund of what the core refused, and the money that it could not give back.
#[test]
fn a_refund_that_is_refused_waits_in_suspense() {
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Refund);
    scenario.then(Happening::Clear).sends(done("R1")).sends(refused()).sends(refused());
    assert_eq!(scenario.status(), Status::Suspended);
}

/// A first sending that is under way may still move money, however long ago its transfer began.
#[test]
fn a_step_that_is_being_sent_is_not_given_up_by_time() {
    let mut scenario = scenario(Kind::Deposit);
    scenario.then(Happening::Send);
    scenario.at = scenario.at.after(Duration::from_hours(25));
    let before = scenario.transfer.clone();
    scenario.then(Happening::Overdue);
    assert_eq!(scenario.transfer, before);
}

/// The payout was refused, and so was the undo: what is tried again is the undo, and never the payout.
#[test]
fn a_refused_undo_is_tried_again_and_not_the_payout() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.sends(done("C1")).sends(refused()).sends(refused());
    assert_eq!(scenario.transfer.open_step(), None);
    assert!(choices(&scenario).contains(&Choice::TryAgain));
    scenario.then(Happening::Decide(PersonDecision::TryAgain));
    assert_eq!(scenario.transfer.open_step(), Some(StepName::UndoFirst));
    assert_eq!(scenario.transfer.reference(StepName::UndoFirst).generation(), 1);
}

#[test]
fn an_unsent_step_cannot_be_accepted_as_not_executed() {
    let mut scenario = scenario(Kind::Withdrawal);
    let not_executed = Choice::AcceptNotExecuted(StepName::First);
    assert!(!choices(&scenario).contains(&not_executed));
    scenario.sends(Outcome::not_sent("no way to the core"));
    assert!(!choices(&scenario).contains(&not_executed));
}

#[test]
fn a_reversal_is_offered_for_what_is_completed_or_suspended() {
    let mut completed = scenario(Kind::Deposit);
    completed.sends(done("R1"));
    assert!(!choices(&completed).contains(&Choice::Reverse));
    completed.sends(done("C1"));
    assert_eq!(choices(&completed), [Choice::Reverse]);
    let mut suspended = Scenario::new(Kind::Deposit, true, OnCoreRejection::Suspense);
    assert!(!choices(&suspended).contains(&Choice::Reverse));
    suspended.then(Happening::Refuse);
    assert_eq!(choices(&suspended), [Choice::Assign, Choice::Reverse]);
}
