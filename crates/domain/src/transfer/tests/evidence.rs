//! Evidence about a sending while another one is under way, or before its own answer.

use super::sequences::{Scenario, done, for_now, plan_of, refused};
use super::*;

fn executed(text: &str) -> Finding {
    Finding::Executed(Confirmation::bare(receipt(text)))
}

fn reversed(text: &str) -> Finding {
    Finding::Reversed(Confirmation::bare(receipt(text)))
}

fn hears(step: StepName, generation: u16, finding: Finding) -> Happening {
    Happening::Hear(Channel::Callback, step, generation, finding)
}

fn scenario(kind: Kind) -> Scenario {
    let mut scenario = Scenario::new(kind, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear);
    scenario
}

/// A booking under way whose first sending is lost: it is sent again under the same reference.
fn resending() -> Scenario {
    let mut scenario = scenario(Kind::Withdrawal);
    let absent = || Happening::Finding(StepName::First, Finding::Absent);
    scenario.then(Happening::Send).then(Happening::Crash).then(absent()).then(absent());
    assert_eq!(scenario.transfer.reference(StepName::First).generation(), 0);
    scenario
}

/// The answer to the sending itself may still say that it was executed.
#[test]
fn a_refusal_heard_before_the_answer_settles_nothing() {
    let mut scenario = scenario(Kind::Deposit);
    scenario.then(Happening::Send);
    let before = scenario.transfer.clone();
    let first = StepName::First;
    for finding in [Finding::Rejected(rejection(Retry::Never)), reversed("R1"), Finding::Absent] {
        scenario.then(hears(first, 0, finding));
        assert_eq!(scenario.transfer, before);
    }
    scenario.then(Happening::Outcome(first, done("R1")));
    assert_eq!(scenario.transfer.in_transit(), money(12_550));
}

/// The provider took the money and gave it back by itself: nothing is left to be booked.
#[test]
fn a_collection_that_the_provider_reversed_moves_nothing() {
    let mut scenario = scenario(Kind::Deposit);
    scenario
        .sends(Outcome::unknown("lost"))
        .then(Happening::Finding(StepName::First, reversed("R1")));
    assert_eq!(scenario.status(), Status::Failed);
    assert!(scenario.transfer.in_transit().is_zero());
    assert_eq!(scenario.transfer.wallet_receipt(), None);
}

/// The same of a payout: the customer was not paid, and gets the booking back.
#[test]
fn a_payout_that_the_provider_reversed_is_taken_back() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.sends(done("C1")).sends(Outcome::unknown("lost"));
    scenario.then(Happening::Finding(StepName::Second, reversed("P1")));
    assert_eq!(scenario.transfer.open_step(), Some(StepName::UndoFirst));
}

/// In the core a person did it by hand: only a person knows what was meant.
#[test]
fn a_booking_that_was_reversed_in_the_core_waits_for_a_person() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario
        .sends(Outcome::unknown("lost"))
        .then(Happening::Finding(StepName::First, reversed("C1")));
    assert!(matches!(scenario.transfer.step(StepName::First).state, StepState::Waiting(_)));
    assert_eq!(scenario.transfer.case(), Some(CaseKind::Contradiction));
}

#[test]
fn a_resending_that_is_refused_for_good_is_refused() {
    let mut scenario = resending();
    scenario.sends(refused());
    assert_eq!(scenario.status(), Status::Failed);
}

/// There is nothing left to send, and nothing to ask a person.
#[test]
fn a_step_executed_before_its_resend_is_done() {
    let mut scenario = resending();
    scenario.then(hears(StepName::First, 0, executed("C1")));
    assert_eq!(scenario.transfer.core_receipt(), Some(&receipt("C1")));
    assert_eq!(
        (scenario.transfer.open_step(), scenario.transfer.case()),
        (Some(StepName::Second), None)
    );
    let mut scenario = resending();
    scenario.then(hears(StepName::First, 0, reversed("C1")));
    assert_eq!(scenario.transfer.case(), Some(CaseKind::Contradiction), "a person looks first");
}

/// Sending again under the same reference was decided because the first sending never arrived:
/// there is nothing to wait for.
#[test]
fn a_resending_is_due_at_once() {
    let scenario = resending();
    assert_eq!(plan_of(&scenario), Plan { next: Next::Send(StepName::First), due: scenario.at });
}

/// Two sendings under one reference: a late refusal of the first says nothing about the second.
#[test]
fn a_late_refusal_of_the_first_sending_says_nothing_about_the_second() {
    let mut scenario = resending();
    scenario.sends(Outcome::unknown("lost"));
    let before = scenario.transfer.clone();
    for outcome in [refused(), Outcome::Rejected(rejection(Retry::AfterRepair)), pending("H1")] {
        scenario.then(Happening::Late(0, outcome));
        assert_eq!(scenario.transfer, before);
    }
    // The second one's own does, unless it was rejected before processing.
    let second = scenario.sendings.len() - 1;
    scenario.then(Happening::Late(second, Outcome::Rejected(rejection(Retry::AfterRepair))));
    assert_eq!(scenario.transfer, before);
    scenario.then(Happening::Late(second, refused()));
    assert_eq!(scenario.status(), Status::Failed);
}

#[test]
fn a_late_refusal_of_the_only_sending_counts_whatever_it_was_refused_for() {
    for retry in [Retry::Never, Retry::AfterRepair] {
        let mut scenario = scenario(Kind::Deposit);
        scenario.then(Happening::Send).then(Happening::Crash);
        scenario.then(Happening::Late(0, Outcome::Rejected(rejection(retry))));
        assert_eq!(scenario.status(), Status::Failed, "{retry:?}");
    }
}

fn pending(handle: &str) -> Outcome {
    Outcome::Pending(Acceptance { handle: Some(handle.to_owned()), awaiting: Awaiting::Customer })
}

/// The other side's own id is in it, by which it may have to be asked.
#[test]
fn a_late_acceptance_keeps_the_other_sides_id() {
    let mut scenario = scenario(Kind::Deposit);
    scenario.then(Happening::Send).then(Happening::Crash).then(Happening::Late(0, pending("H1")));
    assert_eq!(scenario.transfer.step(StepName::First).handle.as_deref(), Some("H1"));
    assert_eq!(scenario.status(), Status::AwaitingCustomer);
}

/// A generation that was never used cannot have been executed by us.
#[test]
fn an_execution_under_a_reference_that_was_never_used_does_not_count() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.sends(done("C1")).then(hears(StepName::Second, 3, executed("P3")));
    assert_eq!(scenario.transfer.wallet_receipt(), None);
    assert_eq!(scenario.transfer.case(), Some(CaseKind::Contradiction));
    assert_eq!(scenario.transfer.in_transit(), money(12_550));
}

/// An undo that was refused for good, and made after all.
#[test]
fn an_undo_made_after_all_counts() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.sends(done("C1")).sends(refused()).sends(refused());
    assert_eq!(scenario.transfer.case(), Some(CaseKind::CompensationRefused));
    scenario.then(hears(StepName::UndoFirst, 0, executed("C2")));
    assert_eq!(scenario.status(), Status::Reversed);
    assert!(scenario.transfer.in_transit().is_zero());
}

/// The same while it is about to be tried under a new reference.
#[test]
fn an_undo_made_after_all_is_not_made_again() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.sends(done("C1")).sends(refused()).sends(for_now());
    assert_eq!(scenario.transfer.reference(StepName::UndoFirst).generation(), 1);
    scenario.then(hears(StepName::UndoFirst, 0, executed("C2")));
    assert_eq!((scenario.status(), scenario.transfer.open_step()), (Status::Reversed, None));
}

/// The other side answered the undo with "nothing recorded", and may execute a copy of it all the
/// same: the payout counts only once a person knows that it did not.
#[test]
fn a_payout_made_after_all_counts_only_once_its_answered_undo_is_known_not_to_be_made() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.sends(done("C1")).sends(refused()).sends(Outcome::not_recorded("a job is running"));
    scenario.then(hears(StepName::Second, 0, executed("P1"))).then(Happening::Send);
    let undo = scenario.transfer.step(StepName::UndoFirst);
    assert_eq!((undo.attempts, scenario.transfer.case()), (1, Some(CaseKind::Contradiction)));
    let paid = Choice::AcceptExecuted(StepName::Second);
    assert!(!scenario.transfer.choices().contains(&paid));
    let step = StepName::UndoFirst;
    scenario.then(Happening::Decide(PersonDecision::AcceptNotExecuted { step }));
    assert!(scenario.transfer.choices().contains(&paid));
    let confirmation = Confirmation::bare(receipt("P1"));
    let step = StepName::Second;
    scenario.then(Happening::Decide(PersonDecision::AcceptExecuted { step, confirmation }));
    assert_eq!(scenario.transfer.open_step(), None);
    assert!(scenario.transfer.in_transit().is_zero());
    assert!(scenario.transfer.step(StepName::Second).is_executed());
}

/// The same of a payout under a new reference, of which a copy may be executed.
#[test]
fn an_older_payout_does_not_count_while_a_copy_of_the_newer_one_may_be_executed() {
    for (outcome, adopted) in [
        (Outcome::not_sent("no connection"), true),
        (Outcome::not_recorded("a job is running"), false),
    ] {
        let mut scenario = scenario(Kind::Withdrawal);
        scenario.sends(done("C1")).sends(for_now()).sends(outcome);
        assert_eq!(scenario.transfer.reference(StepName::Second).generation(), 1);
        scenario.then(hears(StepName::Second, 0, executed("P0"))).then(Happening::Send);
        assert_eq!(scenario.transfer.step(StepName::Second).is_executed(), adopted);
        assert_eq!(scenario.transfer.case(), Some(CaseKind::Contradiction));
        assert_eq!(scenario.transfer.step(StepName::Second).attempts, 2, "nothing more is sent");
    }
}

/// A receipt that another transfer has calls a person, and what was sent is asked about further.
#[test]
fn a_receipt_of_another_transfer_calls_a_person() {
    for answered in [false, true] {
        let mut scenario = scenario(Kind::Deposit);
        scenario.then(Happening::Send);
        if answered {
            scenario.then(Happening::Crash);
        }
        let mut update = TransferUpdate::resume(scenario.transfer.clone(), scenario.at);
        update.receipt_taken(StepName::First, &receipt("R1"), other_transfer(), &scenario.policy);
        let transfer = update.finish().unwrap().transfer;
        assert_eq!(transfer.case(), Some(CaseKind::ReceiptTaken));
        assert!(matches!(transfer.step(StepName::First).state, StepState::Waiting(_)));
        assert!(transfer.in_transit().is_zero());
    }
}

/// Every receipt of a provider belongs to the transfer that it was heard by; a core's ids are its
/// own.
#[test]
fn the_receipts_of_wallet_operations_are_claimed() {
    let mut scenario = scenario(Kind::Deposit);
    let claimed = |scenario: &Scenario, happening: Happening| {
        let mut update = TransferUpdate::resume(scenario.transfer.clone(), scenario.at);
        happen(&mut update, happening, &scenario.sendings, &scenario.policy);
        let claims = update.finish().unwrap().receipts.into_iter();
        claims.map(|it| (it.operation, it.receipt.to_string())).collect::<Vec<_>>()
    };
    scenario.then(Happening::Send);
    let first = Happening::Outcome(StepName::First, done("R1"));
    assert_eq!(claimed(&scenario, first.clone()), [(Operation::Collect, "R1".to_owned())]);
    scenario.then(first).then(Happening::Send);
    assert_eq!(claimed(&scenario, Happening::Outcome(StepName::Second, done("C1"))), []);

    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(done("C1")).sends(for_now());
    let adopted = hears(StepName::Second, 0, executed("P0"));
    assert_eq!(claimed(&scenario, adopted), [(Operation::PayOut, "P0".to_owned())]);

    let told =
        TransferUpdate::receive(instruction(Kind::Deposit, true), scenario.at).finish().unwrap();
    let told: Vec<_> = told.receipts.iter().map(|it| it.receipt.to_string()).collect();
    assert_eq!(told, ["W1"]);
}

/// Evidence about another transfer is none of this one.
#[test]
fn evidence_about_another_transfer_changes_nothing() {
    let mut scenario = scenario(Kind::Deposit);
    scenario.sends(Outcome::unknown("lost"));
    let before = scenario.transfer.clone();
    let mut update = TransferUpdate::resume(scenario.transfer.clone(), scenario.at);
    let reference = Reference::new(other_transfer(), StepName::First, 0);
    let evidence = Evidence { channel: Channel::Callback, reference, finding: executed("R1") };
    update.apply_evidence(evidence, &scenario.policy);
    assert_eq!(update.transfer(), &before);
    assert_eq!(update.finish(), None);
}

/// We have reversed it ourselves, or are about to: its reversal is no contradiction.
#[test]
fn a_reversal_of_our_own_is_no_contradiction() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.sends(done("C1")).sends(refused()).then(Happening::Send);
    let sent = scenario.transfer.clone();
    scenario.then(hears(StepName::First, 0, reversed("C1")));
    assert_eq!(scenario.transfer, sent);
    scenario.then(Happening::Outcome(StepName::UndoFirst, done("C2")));
    let undone = scenario.transfer.clone();
    scenario.then(hears(StepName::First, 0, reversed("C1")));
    assert_eq!(scenario.transfer, undone);
}

/// A booking that others have reversed must not be reversed twice.
#[test]
fn a_reversal_by_others_keeps_our_own_from_being_sent() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.sends(done("C1")).sends(refused());
    scenario.then(hears(StepName::First, 0, reversed("C1"))).then(Happening::Send);
    assert_eq!(scenario.transfer.case(), Some(CaseKind::Contradiction));
    assert_eq!(scenario.transfer.step(StepName::UndoFirst).attempts, 0);
}

#[test]
fn evidence_that_agrees_with_the_record_changes_nothing() {
    let mut scenario = scenario(Kind::Deposit);
    scenario.sends(done("R1"));
    let before = scenario.transfer.clone();
    scenario.then(hears(StepName::First, 0, executed("R1")));
    assert_eq!(scenario.transfer, before);
}

/// The same contradiction is written down once; another one is written down as well.
#[test]
fn the_same_contradiction_is_recorded_once_and_another_one_too() {
    let mut scenario = scenario(Kind::Deposit);
    scenario.sends(refused());
    let mut versions = vec![scenario.transfer.version()];
    for (generation, text) in [(0, "R1"), (0, "R1"), (0, "R2"), (0, "R2"), (1, "R1"), (1, "R1")] {
        scenario.then(hears(StepName::First, generation, executed(text)));
        versions.push(scenario.transfer.version());
    }
    let recorded: Vec<bool> = versions.windows(2).map(|pair| pair[0] != pair[1]).collect();
    assert_eq!(recorded, [true, false, true, false, true, false]);
    assert_eq!(scenario.transfer.cases()[0].details.len(), 3);
    // A refusal and a reversal of what counts are two things as well.
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(done("R1"));
    for finding in [Finding::Rejected(rejection(Retry::Never)), reversed("R1")] {
        let before = scenario.transfer.version();
        scenario.then(hears(StepName::First, 0, finding.clone()));
        assert_ne!(scenario.transfer.version(), before, "{finding:?}");
        let before = scenario.transfer.version();
        scenario.then(hears(StepName::First, 0, finding));
        assert_eq!(scenario.transfer.version(), before);
    }
}

/// An execution that a person said was reversed stays with the transfer: that it stands after all
/// is recorded once, and another receipt is another payment.
#[test]
fn the_execution_of_what_was_annulled_is_news_once_and_no_payment_beside() {
    let mut scenario = scenario(Kind::Deposit);
    scenario.sends(done("R1")).then(hears(StepName::First, 0, reversed("R1")));
    let step = StepName::First;
    scenario.then(Happening::Decide(PersonDecision::AcceptNotExecuted { step }));
    assert_eq!(scenario.status(), Status::Failed);
    let before = scenario.transfer.clone();
    scenario.then(hears(step, 0, reversed("R1")));
    assert_eq!(scenario.transfer, before);
    scenario.then(hears(step, 0, executed("R1")));
    assert_eq!(scenario.transfer.cases()[0].details.len(), 2, "a person is called");
    let before = scenario.transfer.clone();
    scenario.then(hears(step, 0, executed("R1"))).then(hears(step, 0, reversed("R1")));
    assert_eq!(scenario.transfer, before);
    assert_eq!(scenario.transfer.stray_payment(), None);
    scenario.then(hears(step, 0, executed("R2")));
    let stray = scenario.transfer.stray_payment().map(|(_, heard)| heard.receipt.to_string());
    assert_eq!(stray.as_deref(), Some("R2"));
}

/// Money that has no account yet is not assigned while evidence says that it was reversed.
#[test]
fn a_payment_contradicted_before_its_check_waits_for_a_person() {
    let mut scenario = Scenario::new(Kind::Deposit, true, OnCoreRejection::Suspense);
    assert_eq!(plan_of(&scenario).next, Next::Check);
    scenario.then(hears(StepName::First, 0, reversed("W1")));
    assert_eq!(scenario.transfer.plan(&scenario.policy, scenario.at), None);
    assert_eq!(scenario.status(), Status::NeedsAttention);
}
