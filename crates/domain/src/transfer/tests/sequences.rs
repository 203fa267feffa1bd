//! Sequences that must come out right, one by one.

use super::*;

/// A transfer, and the clock that moves a minute with every observation.
#[derive(Clone)]
pub(super) struct Scenario {
    pub(super) transfer: Transfer,
    pub(super) sendings: Vec<Sending>,
    pub(super) at: Timestamp,
    pub(super) policy: Policy,
}

impl Scenario {
    pub(super) fn new(kind: Kind, from_wallet: bool, refund: OnCoreRejection) -> Self {
        let at = Timestamp::from_micros(0);
        let first = TransferUpdate::receive(instruction(kind, from_wallet), at).finish().unwrap();
        Self {
            transfer: first.transfer,
            sendings: Vec::new(),
            at,
            policy: policy(WhenAbsent::Reject, refund),
        }
    }

    pub(super) fn then(&mut self, happening: Happening) -> &mut Self {
        self.at = self.at.after(Duration::from_secs(61));
        let mut update = TransferUpdate::resume(self.transfer.clone(), self.at);
        happen(&mut update, happening, &self.sendings, &self.policy);
        if let Some(decision) = update.finish() {
            self.transfer = decision.transfer;
            let open = self.transfer.open_step();
            let intended = open.and_then(|step| Sending::intended(&self.transfer, step));
            self.sendings.extend(intended);
        }
        self
    }

    /// Sends the open step, which comes to `outcome`.
    pub(super) fn sends(&mut self, outcome: Outcome) -> &mut Self {
        let step = self.transfer.open_step().expect("something to send");
        self.then(Happening::Send).then(Happening::Outcome(step, outcome))
    }

    pub(super) fn status(&self) -> Status {
        self.transfer.status()
    }
}

pub(super) fn done(text: &str) -> Outcome {
    Outcome::Executed(Confirmation::bare(receipt(text)))
}

pub(super) fn refused() -> Outcome {
    Outcome::Rejected(rejection(Retry::Never))
}

#[test]
fn each_kind_completes_after_both_legs() {
    for kind in Kind::ALL {
        let mut scenario = Scenario::new(kind, false, OnCoreRejection::Suspense);
        assert_eq!(scenario.status(), Status::Received);
        scenario.then(Happening::Clear).sends(done("R1"));
        assert_eq!(scenario.status(), Status::InProgress);
        assert_eq!(scenario.transfer.in_transit(), money(12_550));
        scenario.sends(done("R2"));
        assert_eq!(scenario.status(), Status::Completed, "{kind:?}");
    }
}

#[test]
fn a_refused_first_leg_fails_and_moves_nothing() {
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(refused());
    assert_eq!(scenario.status(), Status::Failed);
}

#[test]
fn a_refused_payout_takes_the_withdrawal_back() {
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(done("C1")).sends(refused()).sends(done("C2"));
    assert_eq!(scenario.status(), Status::Reversed);
}

#[test]
fn an_unknown_payout_is_never_taken_back_by_time_alone() {
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(done("C1")).sends(Outcome::unknown("time-out"));
    for _ in 0..500 {
        let finding = Finding::unclear("no answer");
        scenario.then(Happening::Finding(StepName::Second, finding)).then(Happening::Overdue);
    }
    assert_eq!(scenario.status(), Status::NeedsAttention);
    assert_eq!(scenario.transfer.open_step(), Some(StepName::Second));
    scenario.then(Happening::Finding(
        StepName::Second,
        Finding::Executed(Confirmation::bare(receipt("R9"))),
    ));
    assert_eq!(scenario.status(), Status::Completed);
}

#[test]
fn not_found_counts_only_after_the_window_and_repeatedly() {
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(Outcome::unknown("reset"));
    // Inside the window.
    let mut update = TransferUpdate::resume(
        scenario.transfer.clone(),
        scenario.at.after(Duration::from_secs(5)),
    );
    for _ in 0..10 {
        update.apply_finding(StepName::First, Finding::Absent, &scenario.policy);
    }
    scenario.transfer = update.finish().unwrap().transfer;
    assert_eq!(scenario.status(), Status::InProgress);
    scenario.then(Happening::Finding(StepName::First, Finding::Absent));
    assert_eq!(scenario.status(), Status::InProgress, "once is not enough");
    scenario.then(Happening::Finding(StepName::First, Finding::Absent));
    assert_eq!(scenario.status(), Status::Failed);
}

#[test]
fn a_booking_that_never_arrives_is_sent_again_under_its_reference_until_the_core_says() {
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(Outcome::unknown("500"));
    let reference = scenario.transfer.reference(StepName::First);
    let absent = || Happening::Finding(StepName::First, Finding::Absent);
    for _ in 0..15 {
        // Still running, or stuck: a new reference could book a second time.
        scenario.then(absent()).then(absent());
        scenario
            .sends(Outcome::unknown("425"))
            .then(Happening::Finding(StepName::First, Finding::unclear("later")));
        assert_eq!(scenario.transfer.reference(StepName::First), reference);
        assert!(scenario.transfer.holds_account(), "another operation may not overtake it");
    }
    assert_eq!(scenario.status(), Status::NeedsAttention, "a person is called all the same");
    scenario.then(absent()).then(absent()).sends(done("C1"));
    assert_eq!(
        scenario.transfer.operation(scenario.transfer.open_step().unwrap()),
        Operation::PayOut
    );
    assert_eq!(scenario.status(), Status::InProgress);
}

/// A rejection of the second sending says nothing about the first, which may still run: a
/// new reference would book it twice, and failing would lose it.
#[test]
fn a_resending_turned_away_until_repair_settles_nothing() {
    let absent = |step| Happening::Finding(step, Finding::Absent);
    for (kind, from_wallet, step) in
        [(Kind::Withdrawal, false, StepName::First), (Kind::Deposit, true, StepName::Second)]
    {
        let mut scenario = Scenario::new(kind, from_wallet, OnCoreRejection::Suspense);
        scenario.then(Happening::Clear).sends(Outcome::unknown("lost"));
        let reference = scenario.transfer.reference(step);
        scenario.then(absent(step)).then(absent(step));
        scenario.sends(Outcome::Rejected(rejection(Retry::AfterRepair)));
        assert_eq!(scenario.status(), Status::NeedsAttention);
        assert_eq!(scenario.transfer.reference(step), reference, "the same key");
        assert!(scenario.transfer.holds_account());
        scenario.sends(done("C1"));
        assert!(scenario.transfer.step(step).is_executed());
    }
}

#[test]
fn an_inquiry_that_says_refused_until_repair_is_about_the_sending_itself() {
    let mut scenario = Scenario::new(Kind::Deposit, true, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(Outcome::unknown("lost"));
    let reference = scenario.transfer.reference(StepName::Second);
    let refused = Finding::Rejected(rejection(Retry::AfterRepair));
    scenario.then(Happening::Finding(StepName::Second, refused));
    assert_eq!(scenario.status(), Status::NeedsAttention);
    assert_ne!(scenario.transfer.reference(StepName::Second), reference, "the old one is used up");
}

/// The resending cannot leave the machine for days, but the first sending did.
#[test]
fn a_transfer_that_may_have_moved_money_is_never_given_up() {
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(Outcome::unknown("lost"));
    let absent = || Happening::Finding(StepName::First, Finding::Absent);
    scenario.then(absent()).then(absent());
    for _ in 0..500 {
        scenario.sends(Outcome::not_sent("no way to the core")).then(Happening::Overdue);
    }
    assert_eq!(scenario.status(), Status::NeedsAttention);
    assert!(scenario.transfer.holds_account());
}

#[test]
fn money_that_the_core_refuses_waits_in_suspense_and_finds_its_account() {
    let mut scenario = Scenario::new(Kind::Deposit, true, OnCoreRejection::Suspense);
    scenario.then(Happening::Refuse);
    assert_eq!(scenario.status(), Status::Suspended);
    scenario.then(Happening::Assign);
    assert_eq!(scenario.status(), Status::Received);
    scenario.then(Happening::Clear).sends(done("C1"));
    assert_eq!(scenario.status(), Status::Completed);
}

#[test]
fn money_that_the_core_refuses_goes_back_where_the_mapping_says_so() {
    let mut scenario = Scenario::new(Kind::Repayment, false, OnCoreRejection::Refund);
    scenario.then(Happening::Clear).sends(done("R1")).sends(refused()).sends(done("R2"));
    assert_eq!(scenario.status(), Status::Reversed);
}

#[test]
fn a_requested_reversal_gives_both_legs_back_and_a_refused_one_nothing() {
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(done("R1")).sends(done("C1")).then(Happening::Reverse);
    assert_eq!(scenario.status(), Status::InProgress);
    let mut refused_scenario = Scenario { transfer: scenario.transfer.clone(), ..scenario };
    refused_scenario.sends(refused());
    assert_eq!(refused_scenario.status(), Status::Completed);
    refused_scenario.then(Happening::Reverse).sends(done("C2")).sends(done("R2"));
    assert_eq!(refused_scenario.status(), Status::Reversed);
}

#[test]
fn another_amount_in_the_answer_stops_the_transfer() {
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    let stated = Stated { amount: Some(money(1)), ..Stated::default() };
    let confirmation = Confirmation { stated, ..Confirmation::bare(receipt("R1")) };
    scenario.then(Happening::Clear).sends(Outcome::Executed(confirmation));
    assert_eq!(scenario.transfer.case(), Some(CaseKind::Mismatch));
    assert_eq!(scenario.status(), Status::NeedsAttention);
}

#[test]
fn a_late_success_after_an_undo_opens_a_case_and_changes_nothing() {
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(done("C1")).sends(refused()).sends(done("C2"));
    let late = Finding::Executed(Confirmation::bare(receipt("R9")));
    scenario.then(Happening::Finding(StepName::Second, late));
    assert_eq!(scenario.status(), Status::Reversed);
    assert_eq!(scenario.transfer.case(), Some(CaseKind::Contradiction));
}

#[test]
fn nothing_sent_for_too_long_fails_before_anything_moved_and_only_then() {
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(Outcome::not_sent("refused connection"));
    scenario.at = scenario.at.after(Duration::from_hours(25));
    let mut paid = Scenario {
        transfer: scenario.transfer.clone(),
        sendings: scenario.sendings.clone(),
        at: scenario.at,
        policy: scenario.policy.clone(),
    };
    scenario.then(Happening::Overdue);
    assert_eq!(scenario.status(), Status::Failed);
    paid.sends(done("C1")).sends(Outcome::not_sent("refused connection")).then(Happening::Overdue);
    assert_eq!(paid.status(), Status::InProgress, "money that has moved is never given up");
}

/// Another process took the sender for dead, and then its answer came.
#[test]
fn the_answer_to_a_sending_that_was_taken_for_lost_counts() {
    let late = |outcome: Outcome| {
        let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
        scenario.then(Happening::Clear).then(Happening::Send).then(Happening::Crash);
        scenario.then(Happening::Late(0, outcome)).transfer.clone()
    };
    let done = late(Outcome::Executed(Confirmation::bare(receipt("R1"))));
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
fn rejecting_a_resend_does_not_settle_the_first_attempt() {
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).then(Happening::Send).then(Happening::Crash);
    scenario.then(Happening::Finding(StepName::First, Finding::Absent));
    scenario.then(Happening::Finding(StepName::First, Finding::Absent));
    scenario.then(Happening::Send);
    assert_eq!(scenario.transfer.step(StepName::First).attempts, 2);
    let before = scenario.transfer.clone();
    scenario.then(Happening::Late(0, Outcome::Rejected(rejection(Retry::Never))));
    assert_eq!(scenario.transfer, before, "the second sending is under way");
    scenario.then(Happening::Crash);
    scenario.then(Happening::Late(1, Outcome::Rejected(rejection(Retry::AfterRepair))));
    assert!(matches!(scenario.transfer.step(StepName::First).state, StepState::Waiting(_)));
}

#[test]
fn a_given_up_step_that_is_executed_after_all_calls_a_person() {
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).then(Happening::Send).then(Happening::Crash);
    scenario.then(Happening::Finding(StepName::First, Finding::Absent));
    scenario.then(Happening::Finding(StepName::First, Finding::Absent));
    assert_eq!(scenario.transfer.status(), Status::Failed);
    scenario.then(Happening::Late(0, Outcome::Executed(Confirmation::bare(receipt("R1")))));
    assert_eq!(scenario.transfer.case(), Some(CaseKind::Contradiction));
    assert_eq!(scenario.transfer.status(), Status::Failed, "final does not flip");
}

/// The payout was given up and its undo waits: once it turns out to have been made, the undo is not
/// sent, and no later success closes what a person has to look at.
#[test]
fn a_payout_given_up_and_made_after_all_is_not_taken_back() {
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(done("C1")).then(Happening::Send).then(Happening::Crash);
    scenario.then(Happening::Finding(StepName::Second, Finding::Absent));
    scenario.then(Happening::Finding(StepName::Second, Finding::Absent));
    assert_eq!(scenario.transfer.open_step(), Some(StepName::UndoFirst));
    let payout = scenario.sendings.iter().position(|sent| sent.step() == StepName::Second).unwrap();
    scenario.then(Happening::Late(payout, done("P1")));
    assert_eq!(scenario.transfer.open_step(), None);
    assert_eq!(
        (scenario.status(), scenario.transfer.wallet_receipt()),
        (Status::Completed, Some(&receipt("P1")))
    );
    assert_eq!(scenario.transfer.case(), Some(CaseKind::Contradiction));
    assert!(scenario.transfer.choices().contains(&Choice::CloseCase));
}

/// The undo was refused for good, and then the payout turns out to have been made: the payout
/// counts, and no person is asked to take the money back.
#[test]
fn a_payout_made_after_all_counts_although_its_undo_was_refused() {
    for by_person in [false, true] {
        let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
        scenario
            .then(Happening::Clear)
            .sends(done("C1"))
            .then(Happening::Send)
            .then(Happening::Crash);
        scenario.then(Happening::Finding(StepName::Second, Finding::Absent));
        scenario.then(Happening::Finding(StepName::Second, Finding::Absent)).sends(refused());
        assert_eq!(scenario.transfer.case(), Some(CaseKind::CompensationRefused));
        let (step, confirmation) = (StepName::Second, Confirmation::bare(receipt("P1")));
        scenario.then(if by_person {
            Happening::Decide(PersonDecision::AcceptExecuted { step, confirmation })
        } else {
            let payout = scenario.sendings.iter().position(|sent| sent.step() == step).unwrap();
            Happening::Late(payout, done("P1"))
        });
        assert_eq!(scenario.status(), Status::Completed);
        assert_eq!(scenario.transfer.wallet_receipt(), Some(&receipt("P1")));
        let again = scenario.transfer.choices().contains(&Choice::TryAgain);
        assert!(!again, "there is nothing to take back");
    }
}

/// The same of money that waits in suspense because it could not be reversed: it has its account.
#[test]
fn a_booking_made_after_all_counts_although_its_refund_was_refused() {
    let mut scenario = Scenario::new(Kind::Deposit, true, OnCoreRejection::Refund);
    scenario.then(Happening::Clear).then(Happening::Send).then(Happening::Crash);
    let (step, booked) = (StepName::Second, Finding::Rejected(rejection(Retry::Never)));
    scenario.then(Happening::Finding(step, booked)).sends(refused());
    assert_eq!(scenario.status(), Status::Suspended);
    let heard = Finding::Executed(Confirmation::bare(receipt("C1")));
    scenario.then(Happening::Hear(Channel::Inquiry, step, 0, heard));
    assert_eq!(
        (scenario.status(), scenario.transfer.core_receipt()),
        (Status::Completed, Some(&receipt("C1")))
    );
    assert!(!scenario.transfer.choices().contains(&Choice::Assign), "it would be booked twice");
}

/// A booking is about to be sent under a new reference when the first one turns out to be executed.
#[test]
fn nothing_is_sent_anew_once_the_first_sending_is_known_to_be_executed() {
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.policy.core.when_absent = WhenAbsent::NewReference;
    scenario.then(Happening::Clear).then(Happening::Send).then(Happening::Crash);
    scenario.then(Happening::Finding(StepName::First, Finding::Absent));
    scenario.then(Happening::Finding(StepName::First, Finding::Absent));
    assert_eq!(scenario.transfer.reference(StepName::First).generation(), 1);
    scenario.then(Happening::Late(0, done("C1")));
    assert_eq!(scenario.transfer.core_receipt(), Some(&receipt("C1")));
    assert_eq!(
        scenario.transfer.open_step(),
        Some(StepName::Second),
        "the payout, not the booking"
    );
    assert_eq!(scenario.transfer.case(), Some(CaseKind::Contradiction));
    scenario.then(Happening::Send);
    assert_eq!(scenario.transfer.step(StepName::Second).attempts, 0, "a person looks first");
    let (case, step) = (CaseKind::Contradiction, Some(StepName::First));
    scenario.then(Happening::Decide(PersonDecision::CloseCase { case, step })).sends(done("P1"));
    assert_eq!((scenario.status(), scenario.transfer.case()), (Status::Completed, None));
}

/// A process dies over its sending, and the next one starts a day later: what is looked for, and sent
/// again, is of the day on which it was sent first.
#[test]
fn a_sending_is_of_the_time_at_which_it_was_sent_first() {
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(Outcome::not_sent("no way to the core"));
    assert_eq!(scenario.transfer.step(StepName::First).first_sent(), None, "nobody has seen it");
    let first = |scenario: &Scenario| scenario.transfer.step(StepName::First).first_sent();
    scenario.then(Happening::Send);
    let sent = scenario.at;
    assert_eq!(first(&scenario), Some(sent));
    scenario.at = scenario.at.after(Duration::from_hours(30));
    scenario.then(Happening::Crash);
    assert_eq!(first(&scenario), Some(sent));
    scenario.then(Happening::Finding(StepName::First, Finding::Absent));
    scenario.then(Happening::Finding(StepName::First, Finding::Absent)).then(Happening::Send);
    assert_eq!(scenario.transfer.step(StepName::First).attempts, 3);
    assert_eq!(first(&scenario), Some(sent), "sent again under the same reference");
}

/// Evidence about an attempt that was given up settles nothing of the one that is waited for.
#[test]
fn evidence_about_another_generation_does_not_settle_the_present_one() {
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario
        .then(Happening::Clear)
        .sends(done("C1"))
        .sends(for_now())
        .sends(Outcome::unknown("lost"));
    let second = StepName::Second;
    let heard = |finding| Happening::Hear(Channel::Callback, second, 0, finding);
    let before = scenario.transfer.clone();
    scenario.then(heard(Finding::Rejected(rejection(Retry::Never)))).then(heard(Finding::Absent));
    assert_eq!(scenario.transfer, before);
    scenario.then(heard(Finding::Executed(Confirmation::bare(receipt("P0")))));
    assert!(matches!(scenario.transfer.step(second).state, StepState::Waiting(_)));
    assert_eq!(scenario.transfer.case(), Some(CaseKind::Contradiction));
}

pub(super) fn for_now() -> Outcome {
    Outcome::Rejected(rejection(Retry::NewReference))
}

pub(super) fn plan_of(scenario: &Scenario) -> Plan {
    scenario.transfer.plan(&scenario.policy, scenario.at).expect("a plan")
}

/// A float that is empty over a weekend: it backs off to hours, and never runs out of references.
#[test]
fn a_payout_refused_for_now_goes_on_for_ever_and_ever_more_slowly() {
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(done("C1"));
    let (begun, mut references) = (scenario.at, BTreeSet::new());
    for _ in 0..300 {
        scenario.at = scenario.at.max(plan_of(&scenario).due);
        assert!(
            references.insert(scenario.transfer.reference(StepName::Second)),
            "none is used twice"
        );
        scenario.sends(for_now());
    }
    assert!(scenario.at.since(begun) > Duration::from_hours(24 * 20), "not hundreds in a night");
    assert_eq!(scenario.transfer.open_step(), Some(StepName::Second));
    scenario.at = scenario.at.max(plan_of(&scenario).due);
    scenario.sends(done("P1"));
    assert_eq!(scenario.status(), Status::Completed);
}

/// A permission is missing for a night: money that was received goes on waiting.
#[test]
fn a_booking_refused_until_repair_is_tried_again_for_as_long_as_it_takes() {
    let mut scenario = Scenario::new(Kind::Deposit, true, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear);
    for _ in 0..200 {
        scenario.sends(Outcome::Rejected(rejection(Retry::AfterRepair)));
        plan_of(&scenario);
    }
    assert_eq!(scenario.transfer.case(), Some(CaseKind::RepairNeeded));
    assert!(scenario.transfer.choices().contains(&Choice::GiveUp));
}

#[test]
fn money_in_transit_calls_a_person_whatever_its_step_does() {
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(done("C1"));
    let left = scenario.at;
    while scenario.transfer.case().is_none() {
        assert!(scenario.at.since(left) < Duration::from_hours(2), "nobody was called");
        scenario.sends(Outcome::not_sent("no session can be had"));
    }
    assert_eq!(scenario.transfer.case(), Some(CaseKind::InTransitTooLong));
    scenario.sends(done("P1"));
    assert_eq!((scenario.status(), scenario.transfer.case()), (Status::Completed, None));
}

/// The next try is hours away: the plan calls a person before that.
#[test]
fn a_person_is_called_in_time_though_nothing_else_is_due() {
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.policy.core.case_after = Duration::from_hours(10);
    scenario.policy.wallet.case_after = Duration::from_hours(10);
    scenario.then(Happening::Clear).sends(done("C1"));
    let left = scenario.at;
    loop {
        let plan = plan_of(&scenario);
        scenario.at = plan.due;
        assert!(scenario.at.since(left) < Duration::from_hours(11), "nobody was called");
        if let Next::CallPerson(overdue) = plan.next {
            assert_eq!(overdue.case, CaseKind::InTransitTooLong);
            break;
        }
        let mut update = TransferUpdate::resume(scenario.transfer.clone(), scenario.at);
        update.start(StepName::Second, &scenario.policy);
        update.conclude(StepName::Second, for_now(), &scenario.policy);
        scenario.transfer = update.finish().unwrap().transfer;
        // The repetition is known, and calls no person.
        let close = PersonDecision::CloseCase {
            case: CaseKind::RepairNeeded,
            step: Some(StepName::Second),
        };
        if scenario.transfer.case().is_some() {
            scenario.policy.wallet.retries_before_case = 250;
            scenario.then(Happening::Decide(close));
        }
    }
}

#[test]
fn a_mismatch_that_repeats_waits_longer_each_time() {
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    let other = || Confirmation {
        stated: Stated { amount: Some(money(1)), ..Stated::default() },
        ..Confirmation::bare(receipt("R1"))
    };
    scenario.then(Happening::Clear).sends(Outcome::Executed(other()));
    let waits: Vec<u64> = (0..4)
        .map(|_| {
            let wait = plan_of(&scenario).due.since(scenario.at).as_secs();
            scenario.then(Happening::Finding(StepName::First, Finding::Executed(other())));
            wait
        })
        .collect();
    assert_eq!(waits, [30, 120, 120, 120]);
    assert_eq!(scenario.transfer.case(), Some(CaseKind::Mismatch));
}

/// One field at a time: each is compared with what was asked.
#[test]
fn an_answer_that_names_anything_else_is_a_case() {
    let elsewhere = CoreAccount { kind: AccountKind::Savings, id: 8 };
    let nobody = Reference::new(other_transfer(), StepName::First, 0);
    let stated = |stated: Stated| Confirmation { stated, ..Confirmation::bare(receipt("R1")) };
    let wallet = [
        Stated { amount: Some(money(1)), ..Stated::default() },
        Stated { msisdn: Msisdn::parse("255700000002").ok(), ..Stated::default() },
        Stated { reference: Some(nobody), ..Stated::default() },
    ];
    for wrong in wallet {
        let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
        scenario.then(Happening::Clear).sends(Outcome::Executed(stated(wrong.clone())));
        assert_eq!(scenario.transfer.case(), Some(CaseKind::Mismatch), "{wrong:?}");
        assert!(scenario.transfer.in_transit().is_zero());
    }
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    let wrong = Stated { account: Some(elsewhere), ..Stated::default() };
    scenario.then(Happening::Clear).sends(Outcome::Executed(stated(wrong)));
    assert_eq!(scenario.transfer.case(), Some(CaseKind::Mismatch), "the core's account");
}

#[test]
fn ten_absences_in_one_second_are_one() {
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(Outcome::unknown("reset"));
    scenario.at = scenario.at.after(Duration::from_mins(10));
    let mut update = TransferUpdate::resume(scenario.transfer.clone(), scenario.at);
    for _ in 0..10 {
        update.apply_finding(StepName::First, Finding::Absent, &scenario.policy);
    }
    scenario.transfer = update.finish().unwrap().transfer;
    assert_eq!(scenario.status(), Status::InProgress);
    scenario.then(Happening::Finding(StepName::First, Finding::Absent));
    assert_eq!(scenario.status(), Status::Failed, "an interval later the second one counts");
}

#[test]
fn in_progress_makes_the_absences_begin_anew() {
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(Outcome::unknown("reset"));
    let going = || Acceptance { handle: None, awaiting: Awaiting::Processing };
    let finds = |finding| Happening::Finding(StepName::First, finding);
    scenario.then(finds(Finding::Absent)).then(finds(Finding::InProgress(going())));
    scenario.then(finds(Finding::Absent));
    assert_eq!(scenario.status(), Status::InProgress);
}

#[test]
fn an_assignment_after_a_refusal_is_booked_under_a_new_reference() {
    let mut scenario = Scenario::new(Kind::Deposit, true, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear);
    let before = scenario.transfer.reference(StepName::Second);
    scenario.sends(refused()).then(Happening::Assign).then(Happening::Clear);
    assert_ne!(scenario.transfer.reference(StepName::Second), before, "the core would replay it");
}

/// A contradiction holds what follows, and the next success does not close it.
#[test]
fn nothing_that_follows_a_contradiction_is_sent_until_a_person_closes_it() {
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(done("R1"));
    let reversed = Finding::Reversed(Confirmation::bare(receipt("R1")));
    scenario.then(Happening::Finding(StepName::First, Finding::unclear("-")));
    let hears = Happening::Hear(Channel::Callback, StepName::First, 0, reversed);
    scenario.then(hears).then(Happening::Send);
    assert_eq!(scenario.transfer.step(StepName::Second).attempts, 0);
    assert_eq!(scenario.transfer.plan(&scenario.policy, scenario.at), None);
    let case = CaseKind::Contradiction;
    let close = PersonDecision::CloseCase { case, step: Some(StepName::First) };
    scenario.then(Happening::Decide(close)).sends(done("C1"));
    assert_eq!(scenario.status(), Status::Completed);
}

/// A fee goes to whom it belongs: what the customer pays is not taken from the float.
#[test]
fn a_fee_is_booked_to_whom_it_belongs() {
    for (kind, fees) in [(Kind::Deposit, 250), (Kind::Withdrawal, 0)] {
        let (mut scenario, fee) =
            (Scenario::new(kind, false, OnCoreRejection::Suspense), money(250));
        let charged = |text| Confirmation { fee: Some(fee), ..Confirmation::bare(receipt(text)) };
        let mut update =
            TransferUpdate::resume(scenario.then(Happening::Clear).transfer.clone(), scenario.at);
        for (step, text) in [(StepName::First, "1"), (StepName::Second, "2")] {
            update.start(step, &scenario.policy);
            update.conclude(step, Outcome::Executed(charged(text)), &scenario.policy);
        }
        let decision = update.finish().unwrap();
        let of = |posting: &&Posting| matches!(posting.account, LedgerAccount::Fees(_));
        let booked: i64 = decision.postings.iter().filter(of).map(|it| it.minor).sum();
        assert_eq!(booked, fees, "{kind:?}");
    }
}
