//! Sendings that the other side answered with "nothing recorded", and of which a copy is executed.

use super::sequences::{Story, done, for_now, plan_of, refused};
use super::*;

fn busy() -> Outcome {
    Outcome::not_recorded("a job is running")
}

fn executed(text: &str) -> Finding {
    Finding::Executed(Confirmation::bare(receipt(text)))
}

fn hears(step: StepName, generation: u16, finding: Finding) -> Happening {
    Happening::Hear(Channel::Inquiry, step, generation, finding)
}

fn story(kind: Kind) -> Story {
    let mut story = Story::new(kind, false, OnCoreRejection::Suspense);
    story.then(Happening::Clear);
    story
}

fn before_processing() -> Outcome {
    Outcome::Rejected(rejection(Retry::AfterRepair))
}

/// Rejected before processing the second time: that says nothing about a copy of the first sending.
#[test]
fn a_first_leg_turned_away_until_repair_after_an_answer_is_not_failed() {
    let mut story = story(Kind::Withdrawal);
    story.sends(busy()).sends(before_processing());
    assert_ne!(story.status(), Status::Failed, "the copy of the first sending may be executed");
}

/// Nor does any other step get a new reference while a copy under the old one may be executed.
#[test]
fn a_later_step_turned_away_until_repair_after_an_answer_keeps_its_reference() {
    let mut wrong = Vec::new();
    for (kind, step) in [
        (Kind::Deposit, StepName::Second),
        (Kind::Withdrawal, StepName::Second),
        (Kind::Withdrawal, StepName::UndoFirst),
        (Kind::Deposit, StepName::UndoSecond),
    ] {
        let mut story = story(kind);
        story.sends(done("R1"));
        match step {
            StepName::UndoFirst => drop(story.sends(refused())),
            StepName::UndoSecond => drop(story.sends(done("R2")).then(Happening::Reverse)),
            StepName::First | StepName::Second => {}
        }
        assert_eq!(story.transfer.open_step(), Some(step));
        let reference = story.transfer.reference(step);
        story.sends(busy()).sends(before_processing());
        if story.transfer.reference(step) != reference {
            wrong.push((kind, step));
        }
    }
    assert!(wrong.is_empty(), "a second operation under a new reference: {wrong:?}");
}

/// One answer does not make the absence of a sending without a result certain.
#[test]
fn a_transfer_that_may_have_moved_money_is_never_given_up_because_it_was_answered_once() {
    let failed = |answered: bool| {
        let mut story = story(Kind::Withdrawal);
        if answered {
            story.sends(busy());
        }
        story.at = story.at.after(story.policy.give_up_after);
        // This one runs on in the core: nobody answers, and it commits an hour later.
        story.sends(Outcome::unknown("time-out"));
        for _ in 0..9 {
            story.then(Happening::Finding(StepName::First, Finding::Absent));
        }
        story.status() == Status::Failed
    };
    assert!(!failed(false), "without the answer it is sent again under its reference");
    assert!(!failed(true), "and with it as well");
}

/// The same where the sending without a result came first.
#[test]
fn an_answer_does_not_outweigh_an_earlier_sending_without_a_result() {
    let mut story = story(Kind::Withdrawal);
    let absent = || Happening::Finding(StepName::First, Finding::Absent);
    story.sends(Outcome::unknown("lost")).then(absent()).then(absent()).sends(busy());
    story.at = story.at.after(story.policy.give_up_after);
    story.sends(Outcome::unknown("lost")).then(absent()).then(absent()).then(absent());
    assert_ne!(story.status(), Status::Failed);
}

/// Answered, and then kept back for good, by a hold or a closed provider: it is asked about.
#[test]
fn an_answered_first_leg_that_is_kept_back_is_asked_about() {
    let mut story = story(Kind::Withdrawal);
    story.sends(busy());
    story.at = story.at.after(story.policy.core.case_after);
    let due = story.transfer.person_due(&story.policy, story.at);
    assert!(due.is_some_and(|due| due <= story.at), "a person is called before that");
    story.at = story.at.after(story.policy.give_up_after);
    // The engine says so whenever it holds a transfer back.
    story.then(Happening::Overdue);
    assert!(matches!(plan_of(&story).next, Next::Inquire(StepName::First)));
    let absent = || Happening::Finding(StepName::First, Finding::Absent);
    story.then(absent()).then(absent());
    assert_eq!(story.status(), Status::Failed, "the core's record is certain");
}

/// The older generation was executed, the newer one was answered and is known not to be made.
#[test]
fn an_older_withdrawal_counts_once_the_answered_newer_one_is_known_not_to_be_made() {
    let mut story = story(Kind::Withdrawal);
    story.sends(for_now()).sends(busy());
    let step = StepName::First;
    story.then(hears(step, 0, executed("C0")));
    assert_eq!(story.transfer.case(), Some(CaseKind::Contradiction));
    story.then(Happening::Decide(PersonDecision::AcceptNotExecuted { step }));
    story.then(hears(step, 0, executed("C0")));
    let choices = story.transfer.choices();
    assert!(
        story.transfer.step(step).is_done() || choices.contains(&Choice::AcceptExecuted(step)),
        "the customer was debited as C0: {:?}, {choices:?}",
        story.status()
    );
}

/// Where nothing of the newer one left us, the older one counts by itself.
#[test]
fn an_older_withdrawal_counts_where_the_newer_one_never_left_us() {
    let mut story = story(Kind::Withdrawal);
    story.sends(for_now()).sends(Outcome::not_sent("no connection"));
    story.then(hears(StepName::First, 0, executed("C0")));
    assert!(story.transfer.step(StepName::First).is_done());
}

/// What is looked for, and sent again, is of the day on which it was sent first.
#[test]
fn a_sending_that_was_answered_is_of_the_time_at_which_it_was_sent_first() {
    let mut story = story(Kind::Withdrawal);
    story.then(Happening::Send);
    let sent = story.at;
    story.then(Happening::Outcome(StepName::First, busy()));
    story.at = story.at.after(Duration::from_hours(70));
    story.sends(busy());
    assert!(matches!(plan_of(&story).next, Next::Inquire(StepName::First)));
    assert_eq!(story.transfer.step(StepName::First).first_sent(), Some(sent));
}

/// A copy of a merged collection is executed afterwards.
#[test]
fn a_copy_of_a_merged_collection_is_brought_in() {
    let mut story = story(Kind::Deposit);
    story.sends(for_now()).sends(busy()).sends(Outcome::unknown("lost"));
    story.then(Happening::Merge(Status::InProgress));
    story.then(hears(StepName::First, 1, executed("R9")));
    assert!(story.transfer.stray_payment().is_some());
}

/// A person says that an answered undo was not executed, and a copy of it was.
#[test]
fn an_undo_executed_after_a_person_said_otherwise_is_a_contradiction() {
    let mut story = story(Kind::Deposit);
    story.sends(done("R1")).sends(done("C1")).then(Happening::Reverse).sends(busy());
    let step = StepName::UndoSecond;
    assert!(story.transfer.choices().contains(&Choice::AcceptNotExecuted(step)));
    story.then(Happening::Decide(PersonDecision::AcceptNotExecuted { step }));
    assert_eq!(story.status(), Status::Completed);
    story.then(hears(step, 0, executed("U0")));
    assert_eq!(story.transfer.case(), Some(CaseKind::Contradiction));
}

/// A late answer "nothing recorded" to a sending taken for lost does not end the transfer.
#[test]
fn a_late_answer_gives_nothing_up() {
    let mut story = story(Kind::Withdrawal);
    story.then(Happening::Send).then(Happening::Crash);
    story.then(Happening::Late(0, busy()));
    story.at = story.at.after(story.policy.give_up_after);
    story.then(Happening::Overdue);
    assert_ne!(story.status(), Status::Failed);
}

/// An overdue collection, resent at an idempotent provider: a person is called.
#[test]
fn an_overdue_answered_collection_calls_a_person() {
    let mut story = story(Kind::Deposit);
    story.policy.wallet.when_absent = WhenAbsent::Resend;
    story.sends(busy());
    story.at = story.at.after(story.policy.give_up_after);
    for _ in 0..60 {
        if story.transfer.case().is_some() {
            break;
        }
        if matches!(plan_of(&story).next, Next::Send(_)) {
            story.sends(busy());
        }
        story.then(Happening::Finding(StepName::First, Finding::Absent));
        story.then(Happening::CallPerson);
    }
    assert_eq!(story.transfer.case(), Some(CaseKind::UnknownTooLong));
    assert!(!story.transfer.choices().is_empty());
}

/// A requested reversal whose first step is answered so for ever.
#[test]
fn a_person_is_called_about_an_answered_undo_that_does_not_end() {
    let mut story = story(Kind::Deposit);
    story.sends(done("R1")).sends(done("C1")).then(Happening::Reverse);
    for _ in 0..24 * 30 {
        story.sends(busy());
        story.at = story.at.after(Duration::from_hours(1));
        story.then(Happening::CallPerson);
        if story.transfer.case().is_some() {
            return;
        }
    }
    panic!("30 days: {:?}, no case", story.status());
}

/// Where the other side promises nothing about a second sending, an answered one is sent again soon
/// only: later, the other side may no longer know the reference that a copy was executed under.
#[test]
fn what_was_answered_long_ago_is_asked_about_before_it_is_sent_again() {
    for (promised, waited, asked) in
        [(false, true, true), (false, false, false), (true, true, false)]
    {
        let mut story = story(Kind::Withdrawal);
        story.policy.wallet.resend_is_idempotent = promised;
        story.policy.wallet.absent_after = Duration::from_hours(1);
        story.policy.wallet.case_after = Duration::from_hours(24);
        story.policy.wallet.when_payout_absent = WhenAbsent::Case;
        story.sends(done("C1")).sends(busy());
        let step = StepName::Second;
        if waited {
            story.at = story.at.after(story.policy.wallet.absent_after);
        }
        story.then(Happening::Send);
        let waiting = matches!(story.transfer.step(step).state, StepState::Waiting(_));
        assert_eq!(waiting, asked, "{promised} {waited}");
        if !asked {
            continue;
        }
        assert_eq!(story.transfer.step(step).attempts, 1);
        let mut executed_by_a_copy = story.clone();
        executed_by_a_copy.then(Happening::Finding(step, executed("P1")));
        assert_eq!(executed_by_a_copy.status(), Status::Completed);
        // Answered, and absent: it is sent again under its reference, and no person is needed.
        let reference = story.transfer.reference(step);
        for _ in 0..2 {
            story.at = story.at.after(story.policy.wallet.absent_after);
            story.then(Happening::Finding(step, Finding::Absent));
        }
        story.then(Happening::Send);
        assert_eq!((story.transfer.reference(step), story.transfer.case()), (reference, None));
        assert_eq!(story.transfer.step(step).attempts, 2);
    }
}
