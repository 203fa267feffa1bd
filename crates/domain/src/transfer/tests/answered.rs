//! Sendings that the other side answered with "nothing recorded", and of which a copy is executed.

use super::sequences::{Scenario, done, for_now, plan_of, refused};
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

fn scenario(kind: Kind) -> Scenario {
    let mut scenario = Scenario::new(kind, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear);
    scenario
}

fn before_processing() -> Outcome {
    Outcome::Rejected(rejection(Retry::AfterRepair))
}

/// Rejected before processing the second time: that says nothing about a copy of the first sending.
#[test]
fn a_first_leg_turned_away_until_repair_after_an_answer_is_not_failed() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.sends(busy()).sends(before_processing());
    assert_ne!(scenario.status(), Status::Failed, "the copy of the first sending may be executed");
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
        let mut scenario = scenario(kind);
        scenario.sends(done("R1"));
        match step {
            StepName::UndoFirst => drop(scenario.sends(refused())),
            StepName::UndoSecond => drop(scenario.sends(done("R2")).then(Happening::Reverse)),
            StepName::First | StepName::Second => {}
        }
        assert_eq!(scenario.transfer.open_step(), Some(step));
        let reference = scenario.transfer.reference(step);
        scenario.sends(busy()).sends(before_processing());
        if scenario.transfer.reference(step) != reference {
            wrong.push((kind, step));
        }
    }
    assert!(wrong.is_empty(), "a second operation under a new reference: {wrong:?}");
}

/// One answer does not make the absence of a sending without a result certain.
#[test]
fn a_transfer_that_may_have_moved_money_is_never_given_up_because_it_was_answered_once() {
    let failed = |answered: bool| {
        let mut scenario = scenario(Kind::Withdrawal);
        if answered {
            scenario.sends(busy());
        }
        scenario.at = scenario.at.after(scenario.policy.give_up_after);
        // This one runs on in the core: nobody answers, and it commits an hour later.
        scenario.sends(Outcome::unknown("time-out"));
        for _ in 0..9 {
            scenario.then(Happening::Finding(StepName::First, Finding::Absent));
        }
        scenario.status() == Status::Failed
    };
    assert!(!failed(false), "without the answer it is sent again under its reference");
    assert!(!failed(true), "and with it as well");
}

/// The same where the sending without a result came first.
#[test]
fn an_answer_does_not_outweigh_an_earlier_sending_without_a_result() {
    let mut scenario = scenario(Kind::Withdrawal);
    let absent = || Happening::Finding(StepName::First, Finding::Absent);
    scenario.sends(Outcome::unknown("lost")).then(absent()).then(absent()).sends(busy());
    scenario.at = scenario.at.after(scenario.policy.give_up_after);
    scenario.sends(Outcome::unknown("lost")).then(absent()).then(absent()).then(absent());
    assert_ne!(scenario.status(), Status::Failed);
}

/// Answered, and then kept back for good, by a hold or a closed provider: it is asked about.
#[test]
fn an_answered_first_leg_that_is_kept_back_is_asked_about() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.sends(busy());
    scenario.at = scenario.at.after(scenario.policy.core.case_after);
    let due = scenario.transfer.person_due(&scenario.policy, scenario.at);
    assert!(due.is_some_and(|due| due <= scenario.at), "a person is called before that");
    scenario.at = scenario.at.after(scenario.policy.give_up_after);
    // The engine says so whenever it holds a transfer back.
    scenario.then(Happening::Overdue);
    assert!(matches!(plan_of(&scenario).next, Next::Inquire(StepName::First)));
    let absent = || Happening::Finding(StepName::First, Finding::Absent);
    scenario.then(absent()).then(absent());
    assert_eq!(scenario.status(), Status::Failed, "the core's record is certain");
}

/// The older generation was executed, the newer one was answered and is known not to be made.
#[test]
fn an_older_withdrawal_counts_once_the_answered_newer_one_is_known_not_to_be_made() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.sends(for_now()).sends(busy());
    let step = StepName::First;
    scenario.then(hears(step, 0, executed("C0")));
    assert_eq!(scenario.transfer.case(), Some(CaseKind::Contradiction));
    scenario.then(Happening::Decide(PersonDecision::AcceptNotExecuted { step }));
    scenario.then(hears(step, 0, executed("C0")));
    let choices = scenario.transfer.choices();
    assert!(
        scenario.transfer.step(step).is_executed()
            || choices.contains(&Choice::AcceptExecuted(step)),
        "the customer was debited as C0: {:?}, {choices:?}",
        scenario.status()
    );
}

/// Where nothing of the newer one left us, the older one counts by itself.
#[test]
fn an_older_withdrawal_counts_where_the_newer_one_never_left_us() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.sends(for_now()).sends(Outcome::not_sent("no connection"));
    scenario.then(hears(StepName::First, 0, executed("C0")));
    assert!(scenario.transfer.step(StepName::First).is_executed());
}

/// An inquiry and a second sending bear the day of the first sending.
#[test]
fn a_sending_that_was_answered_is_of_the_time_at_which_it_was_sent_first() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.then(Happening::Send);
    let sent = scenario.at;
    scenario.then(Happening::Outcome(StepName::First, busy()));
    scenario.at = scenario.at.after(Duration::from_hours(70));
    scenario.sends(busy());
    assert!(matches!(plan_of(&scenario).next, Next::Inquire(StepName::First)));
    assert_eq!(scenario.transfer.step(StepName::First).first_sent(), Some(sent));
}

/// A copy of a merged collection is executed afterwards.
#[test]
fn a_copy_of_a_merged_collection_is_brought_in() {
    let mut scenario = scenario(Kind::Deposit);
    scenario.sends(for_now()).sends(busy()).sends(Outcome::unknown("lost"));
    scenario.then(Happening::Merge(Status::InProgress));
    scenario.then(hears(StepName::First, 1, executed("R9")));
    assert!(scenario.transfer.stray_payment().is_some());
}

/// A person says that an answered undo was not executed, and a copy of it was.
#[test]
fn an_undo_executed_after_a_person_said_otherwise_is_a_contradiction() {
    let mut scenario = scenario(Kind::Deposit);
    scenario.sends(done("R1")).sends(done("C1")).then(Happening::Reverse).sends(busy());
    let step = StepName::UndoSecond;
    assert!(scenario.transfer.choices().contains(&Choice::AcceptNotExecuted(step)));
    scenario.then(Happening::Decide(PersonDecision::AcceptNotExecuted { step }));
    assert_eq!(scenario.status(), Status::Completed);
    scenario.then(hears(step, 0, executed("U0")));
    assert_eq!(scenario.transfer.case(), Some(CaseKind::Contradiction));
}

/// A late answer "nothing recorded" to a sending taken for lost does not end the transfer.
#[test]
fn a_late_answer_gives_nothing_up() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.then(Happening::Send).then(Happening::Crash);
    scenario.then(Happening::Late(0, busy()));
    scenario.at = scenario.at.after(scenario.policy.give_up_after);
    scenario.then(Happening::Overdue);
    assert_ne!(scenario.status(), Status::Failed);
}

/// An overdue collection, resent at an idempotent provider: a person is called.
#[test]
fn an_overdue_answered_collection_calls_a_person() {
    let mut scenario = scenario(Kind::Deposit);
    scenario.policy.wallet.when_absent = WhenAbsent::Resend;
    scenario.sends(busy());
    scenario.at = scenario.at.after(scenario.policy.give_up_after);
    for _ in 0..60 {
        if scenario.transfer.case().is_some() {
            break;
        }
        if matches!(plan_of(&scenario).next, Next::Send(_)) {
            scenario.sends(busy());
        }
        scenario.then(Happening::Finding(StepName::First, Finding::Absent));
        scenario.then(Happening::CallPerson);
    }
    assert_eq!(scenario.transfer.case(), Some(CaseKind::UnknownTooLong));
    assert!(!scenario.transfer.choices().is_empty());
}

/// A requested reversal whose first step is answered so for ever.
#[test]
fn a_person_is_called_about_an_answered_undo_that_does_not_end() {
    let mut scenario = scenario(Kind::Deposit);
    scenario.sends(done("R1")).sends(done("C1")).then(Happening::Reverse);
    for _ in 0..24 * 30 {
        scenario.sends(busy());
        scenario.at = scenario.at.after(Duration::from_hours(1));
        scenario.then(Happening::CallPerson);
        if scenario.transfer.case().is_some() {
            return;
        }
    }
    panic!("30 days: {:?}, no case", scenario.status());
}

/// Where the other side promises nothing about a second sending, an answered one is sent again soon
/// only: later, the other side may no longer know the reference that a copy was executed under.
#[test]
fn a_step_answered_long_ago_is_asked_about_before_it_is_sent_again() {
    for (promised, waited, asked) in
        [(false, true, true), (false, false, false), (true, true, false)]
    {
        let mut scenario = scenario(Kind::Withdrawal);
        scenario.policy.wallet.resend_is_idempotent = promised;
        scenario.policy.wallet.absent_after = Duration::from_hours(1);
        scenario.policy.wallet.case_after = Duration::from_hours(24);
        scenario.policy.wallet.when_payout_absent = WhenAbsent::Case;
        scenario.sends(done("C1")).sends(busy());
        let step = StepName::Second;
        if waited {
            scenario.at = scenario.at.after(scenario.policy.wallet.absent_after);
        }
        scenario.then(Happening::Send);
        let waiting = matches!(scenario.transfer.step(step).state, StepState::Waiting(_));
        assert_eq!(waiting, asked, "{promised} {waited}");
        if !asked {
            continue;
        }
        assert_eq!(scenario.transfer.step(step).attempts, 1);
        let mut executed_by_a_copy = scenario.clone();
        executed_by_a_copy.then(Happening::Finding(step, executed("P1")));
        assert_eq!(executed_by_a_copy.status(), Status::Completed);
        // Answered, and absent: it is sent again under its reference, and no person is needed.
        let reference = scenario.transfer.reference(step);
        for _ in 0..2 {
            scenario.at = scenario.at.after(scenario.policy.wallet.absent_after);
            scenario.then(Happening::Finding(step, Finding::Absent));
        }
        scenario.then(Happening::Send);
        assert_eq!(
            (scenario.transfer.reference(step), scenario.transfer.case()),
            (reference, None)
        );
        assert_eq!(scenario.transfer.step(step).attempts, 2);
    }
}
