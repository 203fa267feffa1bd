//! Sequences that must come out right, one by one.

use super::*;

/// A transfer, and the clock that moves a minute with every observation.
struct Story {
    transfer: Transfer,
    sendings: Vec<Sending>,
    at: Timestamp,
    policy: Policy,
}

impl Story {
    fn new(kind: Kind, from_wallet: bool, refund: OnCoreRejection) -> Self {
        let at = Timestamp::from_micros(0);
        let first = Draft::receive(instruction(kind, from_wallet), at).finish().unwrap();
        Self {
            transfer: first.transfer,
            sendings: Vec::new(),
            at,
            policy: policy(WhenAbsent::Reject, refund),
        }
    }

    fn then(&mut self, happening: Happening) -> &mut Self {
        self.at = self.at.after(Duration::from_secs(61));
        let mut draft = Draft::resume(self.transfer.clone(), self.at);
        happen(&mut draft, happening, &self.sendings, &self.policy);
        if let Some(decision) = draft.finish() {
            self.transfer = decision.transfer;
            let open = self.transfer.open_step();
            let intended = open.and_then(|step| Sending::intended(&self.transfer, step));
            self.sendings.extend(intended);
        }
        self
    }

    /// Sends the open step, which comes to `outcome`.
    fn sends(&mut self, outcome: Outcome) -> &mut Self {
        let step = self.transfer.open_step().expect("something to send");
        self.then(Happening::Send).then(Happening::Outcome(step, outcome))
    }

    fn status(&self) -> Status {
        self.transfer.status()
    }
}

fn done(text: &str) -> Outcome {
    Outcome::Completed(Confirmation::bare(receipt(text)))
}

fn refused() -> Outcome {
    Outcome::Rejected(rejection(Retry::Never))
}

#[test]
fn each_kind_completes_after_both_legs() {
    for kind in Kind::ALL {
        let mut story = Story::new(kind, false, OnCoreRejection::Suspense);
        assert_eq!(story.status(), Status::Received);
        story.then(Happening::Clear).sends(done("R1"));
        assert_eq!(story.status(), Status::InProgress);
        assert_eq!(story.transfer.in_transit(), money(12_550));
        story.sends(done("R2"));
        assert_eq!(story.status(), Status::Completed, "{kind:?}");
    }
}

#[test]
fn a_refused_first_leg_fails_and_moves_nothing() {
    let mut story = Story::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    story.then(Happening::Clear).sends(refused());
    assert_eq!(story.status(), Status::Failed);
}

#[test]
fn a_refused_payout_takes_the_withdrawal_back() {
    let mut story = Story::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    story.then(Happening::Clear).sends(done("C1")).sends(refused()).sends(done("C2"));
    assert_eq!(story.status(), Status::Reversed);
}

#[test]
fn an_unknown_payout_is_never_taken_back_by_time_alone() {
    let mut story = Story::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    story.then(Happening::Clear).sends(done("C1")).sends(Outcome::unknown("time-out"));
    for _ in 0..500 {
        let finding = Finding::unclear("no answer");
        story.then(Happening::Finding(StepName::Second, finding)).then(Happening::Overdue);
    }
    assert_eq!(story.status(), Status::NeedsAttention);
    assert_eq!(story.transfer.open_step(), Some(StepName::Second));
    story.then(Happening::Finding(
        StepName::Second,
        Finding::Executed(Confirmation::bare(receipt("R9"))),
    ));
    assert_eq!(story.status(), Status::Completed);
}

#[test]
fn not_found_counts_only_after_the_window_and_repeatedly() {
    let mut story = Story::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    story.then(Happening::Clear).sends(Outcome::unknown("reset"));
    // Inside the window.
    let mut draft = Draft::resume(story.transfer.clone(), story.at.after(Duration::from_secs(5)));
    for _ in 0..10 {
        draft.learn(StepName::First, Finding::Absent, &story.policy);
    }
    story.transfer = draft.finish().unwrap().transfer;
    assert_eq!(story.status(), Status::InProgress);
    story.then(Happening::Finding(StepName::First, Finding::Absent));
    assert_eq!(story.status(), Status::InProgress, "once is not enough");
    story.then(Happening::Finding(StepName::First, Finding::Absent));
    assert_eq!(story.status(), Status::Failed);
}

#[test]
fn a_booking_that_never_arrives_is_sent_again_under_its_reference_until_the_core_says() {
    let mut story = Story::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    story.then(Happening::Clear).sends(Outcome::unknown("500"));
    let reference = story.transfer.reference(StepName::First);
    let absent = || Happening::Finding(StepName::First, Finding::Absent);
    for _ in 0..15 {
        // Still running, or stuck: a new reference could book a second time.
        story.then(absent()).then(absent());
        story
            .sends(Outcome::unknown("425"))
            .then(Happening::Finding(StepName::First, Finding::unclear("later")));
        assert_eq!(story.transfer.reference(StepName::First), reference);
        assert!(story.transfer.holds_account(), "another operation may not overtake it");
    }
    assert_eq!(story.status(), Status::NeedsAttention, "a person is called all the same");
    story.then(absent()).then(absent()).sends(done("C1"));
    assert_eq!(story.transfer.operation(story.transfer.open_step().unwrap()), Operation::PayOut);
    assert_eq!(story.status(), Status::InProgress);
}

/// A door that is closed to the second sending says nothing about the first, which may still run: a
/// new reference would book it twice, and failing would lose it.
#[test]
fn a_resending_turned_away_until_repair_settles_nothing() {
    let absent = |step| Happening::Finding(step, Finding::Absent);
    for (kind, from_wallet, step) in
        [(Kind::Withdrawal, false, StepName::First), (Kind::Deposit, true, StepName::Second)]
    {
        let mut story = Story::new(kind, from_wallet, OnCoreRejection::Suspense);
        story.then(Happening::Clear).sends(Outcome::unknown("lost"));
        let reference = story.transfer.reference(step);
        story.then(absent(step)).then(absent(step));
        story.sends(Outcome::Rejected(rejection(Retry::AfterRepair)));
        assert_eq!(story.status(), Status::NeedsAttention);
        assert_eq!(story.transfer.reference(step), reference, "the same key");
        assert!(story.transfer.holds_account());
        story.sends(done("C1"));
        assert!(story.transfer.step(step).is_done());
    }
}

#[test]
fn an_inquiry_that_says_refused_until_repair_is_about_the_sending_itself() {
    let mut story = Story::new(Kind::Deposit, true, OnCoreRejection::Suspense);
    story.then(Happening::Clear).sends(Outcome::unknown("lost"));
    let reference = story.transfer.reference(StepName::Second);
    let refused = Finding::Refused(rejection(Retry::AfterRepair));
    story.then(Happening::Finding(StepName::Second, refused));
    assert_eq!(story.status(), Status::NeedsAttention);
    assert_ne!(story.transfer.reference(StepName::Second), reference, "the old one is used up");
}

/// The resending cannot leave the machine for days, but the first sending did.
#[test]
fn a_transfer_that_may_have_moved_money_is_never_given_up() {
    let mut story = Story::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    story.then(Happening::Clear).sends(Outcome::unknown("lost"));
    let absent = || Happening::Finding(StepName::First, Finding::Absent);
    story.then(absent()).then(absent());
    for _ in 0..500 {
        story.sends(Outcome::not_sent("no way to the core")).then(Happening::Overdue);
    }
    assert_eq!(story.status(), Status::NeedsAttention);
    assert!(story.transfer.holds_account());
}

#[test]
fn money_that_the_core_refuses_waits_in_suspense_and_finds_its_account() {
    let mut story = Story::new(Kind::Deposit, true, OnCoreRejection::Suspense);
    story.then(Happening::Refuse);
    assert_eq!(story.status(), Status::Suspended);
    story.then(Happening::Assign);
    assert_eq!(story.status(), Status::Received);
    story.then(Happening::Clear).sends(done("C1"));
    assert_eq!(story.status(), Status::Completed);
}

#[test]
fn money_that_the_core_refuses_goes_back_where_the_mapping_says_so() {
    let mut story = Story::new(Kind::Repayment, false, OnCoreRejection::Refund);
    story.then(Happening::Clear).sends(done("R1")).sends(refused()).sends(done("R2"));
    assert_eq!(story.status(), Status::Reversed);
}

#[test]
fn a_requested_reversal_gives_both_legs_back_and_a_refused_one_nothing() {
    let mut story = Story::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    story.then(Happening::Clear).sends(done("R1")).sends(done("C1")).then(Happening::Reverse);
    assert_eq!(story.status(), Status::InProgress);
    let mut refused_story = Story { transfer: story.transfer.clone(), ..story };
    refused_story.sends(refused());
    assert_eq!(refused_story.status(), Status::Completed);
    refused_story.then(Happening::Reverse).sends(done("C2")).sends(done("R2"));
    assert_eq!(refused_story.status(), Status::Reversed);
}

#[test]
fn another_amount_in_the_answer_stops_the_transfer() {
    let mut story = Story::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    let stated = Stated { amount: Some(money(1)), ..Stated::default() };
    let confirmation = Confirmation { stated, ..Confirmation::bare(receipt("R1")) };
    story.then(Happening::Clear).sends(Outcome::Completed(confirmation));
    assert_eq!(story.transfer.case(), Some(CaseKind::Mismatch));
    assert_eq!(story.status(), Status::NeedsAttention);
}

#[test]
fn a_late_success_after_an_undo_opens_a_case_and_changes_nothing() {
    let mut story = Story::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    story.then(Happening::Clear).sends(done("C1")).sends(refused()).sends(done("C2"));
    let late = Finding::Executed(Confirmation::bare(receipt("R9")));
    story.then(Happening::Finding(StepName::Second, late));
    assert_eq!(story.status(), Status::Reversed);
    assert_eq!(story.transfer.case(), Some(CaseKind::Contradiction));
}

#[test]
fn nothing_sent_for_too_long_fails_before_anything_moved_and_only_then() {
    let mut story = Story::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    story.then(Happening::Clear).sends(Outcome::not_sent("refused connection"));
    story.at = story.at.after(Duration::from_hours(25));
    let mut paid = Story {
        transfer: story.transfer.clone(),
        sendings: story.sendings.clone(),
        at: story.at,
        policy: story.policy.clone(),
    };
    story.then(Happening::Overdue);
    assert_eq!(story.status(), Status::Failed);
    paid.sends(done("C1")).sends(Outcome::not_sent("refused connection")).then(Happening::Overdue);
    assert_eq!(paid.status(), Status::InProgress, "money that has moved is never given up");
}

/// Another process took the sender for dead, and then its answer came.
#[test]
fn the_answer_to_a_sending_that_was_taken_for_lost_counts() {
    let late = |outcome: Outcome| {
        let mut story = Story::new(Kind::Deposit, false, OnCoreRejection::Suspense);
        story.then(Happening::Clear).then(Happening::Send).then(Happening::Crash);
        story.then(Happening::Late(0, outcome)).transfer.clone()
    };
    let done = late(Outcome::Completed(Confirmation::bare(receipt("R1"))));
    assert_eq!(done.wallet_receipt(), Some(&receipt("R1")));
    let refused = late(Outcome::Rejected(rejection(Retry::Never)));
    assert_eq!(refused.status(), Status::Failed);
    for nothing in [Outcome::not_sent("held up"), Outcome::unknown("time-out")] {
        let waiting = late(nothing);
        assert!(matches!(waiting.step(StepName::First).state, StepState::Waiting(_)));
    }
}

/// The same reference was sent again meanwhile: what turns the second one away does not settle the
/// first, and the answer to the first does not end the second.
#[test]
fn a_door_that_is_closed_to_the_second_sending_settles_nothing_of_the_first() {
    let mut story = Story::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    story.then(Happening::Clear).then(Happening::Send).then(Happening::Crash);
    story.then(Happening::Finding(StepName::First, Finding::Absent));
    story.then(Happening::Finding(StepName::First, Finding::Absent));
    story.then(Happening::Send);
    assert_eq!(story.transfer.step(StepName::First).attempts, 2);
    let before = story.transfer.clone();
    story.then(Happening::Late(0, Outcome::Rejected(rejection(Retry::Never))));
    assert_eq!(story.transfer, before, "the second sending is under way");
    story.then(Happening::Crash);
    story.then(Happening::Late(1, Outcome::Rejected(rejection(Retry::AfterRepair))));
    assert!(matches!(story.transfer.step(StepName::First).state, StepState::Waiting(_)));
}

#[test]
fn what_was_given_up_and_is_executed_after_all_calls_a_person() {
    let mut story = Story::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    story.then(Happening::Clear).then(Happening::Send).then(Happening::Crash);
    story.then(Happening::Finding(StepName::First, Finding::Absent));
    story.then(Happening::Finding(StepName::First, Finding::Absent));
    assert_eq!(story.transfer.status(), Status::Failed);
    story.then(Happening::Late(0, Outcome::Completed(Confirmation::bare(receipt("R1")))));
    assert_eq!(story.transfer.case(), Some(CaseKind::Contradiction));
    assert_eq!(story.transfer.status(), Status::Failed, "final does not flip");
}
