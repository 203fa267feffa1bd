//! Waits that must not be longer than their reason, and fees that must be booked once.

use super::sequences::{Scenario, plan_of};
use super::*;

/// A withdrawal that has left the core, and whose payout the provider refuses for now.
fn refused_payout(policy: &Policy, at: Timestamp) -> Transfer {
    let first = TransferUpdate::receive(instruction(Kind::Withdrawal, false), at).finish().unwrap();
    let mut update = TransferUpdate::resume(first.transfer, at);
    update.cleared(CoreAccount { kind: AccountKind::Savings, id: 7 }, "000000007".to_owned());
    update.start(StepName::First, policy);
    update.conclude(StepName::First, Outcome::Executed(Confirmation::bare(receipt("C1"))), policy);
    update.start(StepName::Second, policy);
    let refused = Outcome::Rejected(rejection(Retry::NewReference));
    update.conclude(StepName::Second, refused, policy);
    update.finish().unwrap().transfer
}

#[test]
fn a_step_that_could_not_be_sent_after_a_refusal_is_tried_soon() {
    let policy = policy(WhenAbsent::Reject, OnCoreRejection::Suspense);
    let begin = Timestamp::from_micros(0);
    let transfer = refused_payout(&policy, begin);
    let later = begin.after(Duration::from_mins(30));
    let mut update = TransferUpdate::resume(transfer, later);
    update.start(StepName::Second, &policy);
    let again = Outcome::Rejected(rejection(Retry::NewReference));
    update.conclude(StepName::Second, again, &policy);
    let refused = update.transfer().plan(&policy, later).unwrap();
    assert_eq!(refused.due, later.after(Duration::from_mins(15)), "half of its age");
    // A session was opened for it that is live a moment later: it must still be live then.
    update.start(StepName::Second, &policy);
    update.conclude(StepName::Second, Outcome::not_sent("no session yet"), &policy);
    let unsent = update.transfer().plan(&policy, later).unwrap();
    assert_eq!(unsent.due, later.after(policy.wallet.retry_first));
}

#[test]
fn a_person_is_called_in_time_whatever_else_could_be_tried() {
    let policy = policy(WhenAbsent::Reject, OnCoreRejection::Suspense);
    let begin = Timestamp::from_micros(0);
    let transfer = refused_payout(&policy, begin);
    let overdue = begin.after(policy.wallet.case_after);
    let before = transfer.plan(&policy, begin.after(Duration::from_mins(59))).unwrap();
    assert_eq!(before.next, Next::Send(StepName::Second));
    let plan = transfer.plan(&policy, overdue).unwrap();
    assert!(matches!(plan.next, Next::CallPerson(_)), "{plan:?}");
    let mut update = TransferUpdate::resume(transfer, overdue);
    update.call_person(&policy);
    let after = update.transfer().plan(&policy, overdue).unwrap();
    assert_eq!(after.next, Next::Send(StepName::Second), "and then it goes on");
}

#[test]
fn a_fee_for_a_payment_started_at_the_wallet_is_booked_once() {
    let policy = policy(WhenAbsent::Reject, OnCoreRejection::Suspense);
    let mut update =
        TransferUpdate::receive(instruction(Kind::Deposit, true), Timestamp::from_micros(0));
    update.charged(Some(money(50)), &policy);
    update.charged(Some(money(50)), &policy);
    let postings = update.finish().unwrap().postings;
    let fees = LedgerAccount::Fees(ProviderId::new("mpesa-tz").unwrap());
    let booked = postings.iter().filter(|it| it.account == fees).map(|it| it.minor);
    assert_eq!(booked.sum::<i64>(), 50);
}

/// A clock that ran ahead and is set back delays the call of a person by the call's own wait at most.
#[test]
fn a_person_is_called_although_the_clock_was_set_back() {
    let policy = policy(WhenAbsent::Reject, OnCoreRejection::Suspense);
    let day = Duration::from_hours(24);
    let ahead = Timestamp::from_micros(0).after(day);
    let transfer = refused_payout(&policy, ahead);
    let called_at = |now: Timestamp| {
        let plan = transfer.plan(&policy, now).unwrap();
        matches!(plan.next, Next::CallPerson(_)) && plan.due <= now
    };
    assert!(called_at(Timestamp::from_micros(0)), "nothing says how long it has waited");
    // Set back by less than the wait, the beginning still tells something.
    let a_little = Timestamp::from_micros(ahead.as_micros() - 1_800_000_000);
    assert!(!called_at(a_little));
    let mut update = TransferUpdate::resume(transfer.clone(), Timestamp::from_micros(0));
    update.call_person(&policy);
    assert_eq!(update.transfer().case(), Some(CaseKind::InTransitTooLong));
}

/// Absences count again after one indexing window by the new time, not when it has caught up.
#[test]
fn absences_count_although_the_clock_was_set_back() {
    let policy = policy(WhenAbsent::Resend, OnCoreRejection::Suspense);
    let ahead = Timestamp::from_micros(0).after(Duration::from_hours(24));
    let mut update = TransferUpdate::receive(instruction(Kind::Deposit, false), ahead);
    update.cleared(CoreAccount { kind: AccountKind::Savings, id: 7 }, "000000007".to_owned());
    update.start(StepName::First, &policy);
    update.conclude(StepName::First, Outcome::unknown("time-out"), &policy);
    let mut transfer = update.finish().unwrap().transfer;
    let mut now = Timestamp::from_micros(0);
    for _ in 0..=policy.wallet.absent_times {
        assert!(matches!(transfer.step(StepName::First).state, StepState::Waiting(_)));
        let mut update = TransferUpdate::resume(transfer, now);
        update.apply_finding(StepName::First, Finding::Absent, &policy);
        transfer = update.finish().unwrap().transfer;
        now = now.after(policy.wallet.absent_after.max(Duration::from_hours(1)));
    }
    assert!(matches!(transfer.step(StepName::First).state, StepState::Ready { .. }));
}

/// Refusals stay spaced by the age of the step when the clock is set back: the age begins anew, and
/// references do not run out within hours.
#[test]
fn refusals_stay_spaced_although_the_clock_was_set_back() {
    let policy = policy(WhenAbsent::Reject, OnCoreRejection::Suspense);
    let mut transfer =
        refused_payout(&policy, Timestamp::from_micros(0).after(Duration::from_hours(24)));
    let mut now = Timestamp::from_micros(0);
    let mut attempts = 0_u32;
    while now < Timestamp::from_micros(0).after(Duration::from_hours(12)) {
        let mut update = TransferUpdate::resume(transfer, now);
        if update.start(StepName::Second, &policy).is_some() {
            let refused = Outcome::Rejected(rejection(Retry::NewReference));
            update.conclude(StepName::Second, refused, &policy);
            attempts += 1;
        } else {
            update.call_person(&policy);
        }
        transfer = update.finish().unwrap().transfer;
        let due = transfer.plan(&policy, now).unwrap().due;
        now = due.max(now.after(Duration::from_millis(1)));
    }
    assert!(attempts < 60, "{attempts} attempts in twelve hours");
}

/// Refused again for the same reason, the question is the same one, and as old as it is.
#[test]
fn a_case_about_a_repair_keeps_its_age_over_refusals() {
    let policy = policy(WhenAbsent::Reject, OnCoreRejection::Suspense);
    let begin = Timestamp::from_micros(0);
    let mut update = TransferUpdate::receive(instruction(Kind::Deposit, true), begin);
    update.cleared(CoreAccount { kind: AccountKind::Savings, id: 7 }, "000000007".to_owned());
    let mut transfer = update.finish().unwrap().transfer;
    for hours in 0..3 {
        let mut update = TransferUpdate::resume(transfer, begin.after(Duration::from_hours(hours)));
        update.start(StepName::Second, &policy);
        let refused = Outcome::Rejected(rejection(Retry::AfterRepair));
        update.conclude(StepName::Second, refused, &policy);
        transfer = update.finish().unwrap().transfer;
        let repair = transfer.cases.find(CaseKind::RepairNeeded, Some(StepName::Second)).unwrap();
        assert_eq!((repair.opened_at, repair.details.len()), (begin, 1));
    }
    let mut update = TransferUpdate::resume(transfer, begin.after(Duration::from_hours(4)));
    update.start(StepName::Second, &policy);
    let done = Outcome::Executed(Confirmation::bare(receipt("P1")));
    update.conclude(StepName::Second, done, &policy);
    assert_eq!(update.transfer().cases(), []);
}

/// An inquiry that had no answer is repeated soon, then ever later, up to an interval of the
/// inquiry schedule: what stood in its way may be over long before that.
#[test]
fn an_inquiry_without_an_answer_is_repeated_soon() {
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(Outcome::unknown("reset"));
    scenario.policy.wallet.inquiry_schedule =
        vec![Duration::from_secs(30), Duration::from_secs(20)];
    let wait = |scenario: &Scenario| plan_of(scenario).due.since(scenario.at).as_secs();
    let mut waits = Vec::new();
    let unclear = || Finding::Unclear { why: "the session is not live yet".to_owned() };
    for finding in [unclear(), unclear(), unclear(), unclear(), unclear(), Finding::Absent] {
        scenario.then(Happening::Finding(StepName::First, finding));
        waits.push(wait(&scenario));
    }
    for finding in [unclear(), unclear()] {
        scenario.then(Happening::Finding(StepName::First, finding));
        waits.push(wait(&scenario));
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 20, 1, 2]);
    for _ in 0..40 {
        scenario.then(Happening::Finding(StepName::First, unclear()));
    }
    assert_eq!(wait(&scenario), 20);
}

/// The network doubles a request: one copy is answered "busy, nothing recorded", the other is executed
/// a moment later. A first leg is not given up on that answer before the other side was asked.
#[test]
fn a_first_leg_is_asked_about_before_it_is_given_up_on_an_answer() {
    let busy = || Outcome::not_recorded("a job is running");
    let refused = || Outcome::not_sent("connection refused");
    for last in [busy(), refused()] {
        let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
        scenario.then(Happening::Clear).sends(busy());
        scenario.at = scenario.at.after(scenario.policy.give_up_after);
        let mut held = scenario.clone();
        held.then(Happening::Overdue);
        assert!(matches!(plan_of(&held).next, Next::Inquire(StepName::First)), "while it is held");
        scenario.sends(last);
        assert!(!scenario.status().is_final());
        assert!(matches!(plan_of(&scenario).next, Next::Inquire(StepName::First)));
        let mut absent = scenario.clone();
        scenario.then(Happening::Finding(
            StepName::First,
            Finding::Executed(Confirmation::bare(receipt("C1"))),
        ));
        assert_eq!(scenario.transfer.in_transit(), scenario.transfer.amount());
        absent.policy.core.when_absent = WhenAbsent::Resend;
        for _ in 0..9 {
            absent.at = absent.at.after(Duration::from_mins(10));
            absent.then(Happening::Finding(StepName::First, Finding::Absent));
        }
        assert_eq!(absent.status(), Status::Failed);
    }
    // Later attempts that never left us do not make it forgotten, and a person does not end it unseen.
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(busy()).sends(refused());
    let choices = scenario.transfer.choices();
    assert!(!choices.contains(&Choice::GiveUp), "{choices:?}");
    assert!(choices.contains(&Choice::AcceptNotExecuted(StepName::First)), "{choices:?}");
    scenario.at = scenario.at.after(scenario.policy.give_up_after);
    scenario.sends(refused());
    assert!(matches!(plan_of(&scenario).next, Next::Inquire(StepName::First)));
    // An operation that was never sent is not asked about.
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear);
    scenario.at = scenario.at.after(scenario.policy.give_up_after);
    scenario.sends(refused());
    assert_eq!(scenario.status(), Status::Failed);
}
