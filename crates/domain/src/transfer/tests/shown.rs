//! The status of two transfers of one payment, and the plans that depend on the clock.

use super::sequences::{Scenario, done, plan_of, refused};
use super::*;

fn draft_of(scenario: &Scenario) -> TransferUpdate {
    TransferUpdate::resume(scenario.transfer.clone(), scenario.at)
}

/// A transfer that carries the payment of another one tells it each change of its status.
#[test]
fn a_carrier_tells_its_status_to_the_carried_transfer() {
    let mut scenario = Scenario::new(Kind::Deposit, true, OnCoreRejection::Suspense);
    scenario.then(Happening::Refuse).then(Happening::Carry);
    assert_eq!(scenario.transfer.carries(), [other_transfer()]);
    assert_eq!(plan_of(&scenario).next, Next::Tell(Status::Suspended));
    let mut update = draft_of(&scenario);
    update.told(Status::Suspended);
    scenario.transfer = update.finish().unwrap().transfer;
    let told = scenario.transfer.clone();
    assert_eq!(told.plan(&scenario.policy, scenario.at), None, "it knows");
    scenario.then(Happening::Carry);
    assert_eq!(scenario.transfer, told, "it is carried already");
    scenario.then(Happening::Assign);
    assert_eq!(plan_of(&scenario).next, Next::Tell(Status::Received));
}

#[test]
fn a_merged_transfer_shows_what_its_owner_shows_and_nobody_else() {
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(Outcome::unknown("lost"));
    scenario.at = scenario.at.after(Duration::from_hours(2));
    scenario.then(Happening::CallPerson);
    assert_eq!(scenario.transfer.case(), Some(CaseKind::UnknownTooLong));
    scenario.then(Happening::Merge(Status::InProgress));
    assert_eq!(scenario.status(), Status::InProgress);
    assert_eq!(scenario.transfer.cases(), [], "the other one answers for it");
    let follow = |owner, shows| {
        let mut update = draft_of(&scenario);
        update.follow(owner, shows);
        update.finish().map(|decision| decision.transfer.status())
    };
    assert_eq!(follow(other_transfer(), Status::Completed), Some(Status::Completed));
    assert_eq!(follow(other_transfer(), Status::InProgress), None, "nothing new");
    assert_eq!(follow(scenario.transfer.id(), Status::Failed), None, "not its owner");
}

/// A payment that was received beside the one that counts becomes a transfer of its own, once.
#[test]
fn a_stray_payment_is_brought_in_once() {
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(refused());
    let heard = Finding::Executed(Confirmation::bare(receipt("R9")));
    scenario.then(Happening::Hear(Channel::Callback, StepName::First, 0, heard));
    assert_eq!(scenario.status(), Status::Failed);
    assert_eq!(plan_of(&scenario).next, Next::BringIn);
    let mut update = draft_of(&scenario);
    update.brought_in(receipt("R9"), other_transfer());
    scenario.transfer = update.finish().unwrap().transfer;
    assert_eq!(scenario.transfer.plan(&scenario.policy, scenario.at), None);
    assert_eq!(scenario.transfer.stray_payment(), None);
}

/// The customer approved twice: one payment counts, and the other one is money of its own.
#[test]
fn a_second_payment_under_a_collection_is_brought_in() {
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(done("R1"));
    let heard = Finding::Executed(Confirmation::bare(receipt("R2")));
    scenario.then(Happening::Hear(Channel::Callback, StepName::First, 0, heard));
    let stray = scenario.transfer.stray_payment().map(|(_, heard)| heard.receipt.to_string());
    assert_eq!(stray.as_deref(), Some("R2"));
    assert_eq!(plan_of(&scenario).next, Next::BringIn);
    assert_eq!(scenario.transfer.in_transit(), money(12_550), "the first one's");
}

/// Clocks of several processes differ a little: what another one has just recorded waits as always.
/// A time further ahead was recorded by a clock that has been set back since.
#[test]
fn a_time_ahead_is_due_at_once_only_beyond_the_clock_skew() {
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(Outcome::unknown("lost"));
    let due = |ahead: i64| {
        let now = Timestamp::from_micros(scenario.at.as_micros() - ahead);
        let plan = scenario.transfer.plan(&scenario.policy, now).expect("a plan");
        assert_eq!(plan.next, Next::Inquire(StepName::First));
        (plan.due, now)
    };
    let interval = scenario.at.after(Duration::from_secs(30));
    for ahead in [0, 1, 1_999_999, 2_000_000] {
        assert_eq!(due(ahead).0, interval, "{ahead} µs ahead");
    }
    for ahead in [2_000_001, 3_600_000_000] {
        let (due, now) = due(ahead);
        assert_eq!(due, now, "{ahead} µs ahead");
    }
}

#[test]
fn a_hint_has_the_open_step_asked_about_at_once_and_only_once() {
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).then(Happening::Hint);
    assert!(!scenario.transfer.is_hinted(), "nothing was sent");
    scenario.sends(Outcome::unknown("lost"));
    assert!(plan_of(&scenario).due > scenario.at);
    let mut update = draft_of(&scenario);
    update.hint("callback");
    let hinted = update.transfer().clone();
    assert!(hinted.is_hinted());
    update.hint("callback");
    assert_eq!(*update.transfer(), hinted);
    scenario.transfer = hinted;
    assert_eq!(plan_of(&scenario).due, scenario.at);
    scenario.then(Happening::Finding(StepName::First, Finding::unclear("-")));
    assert!(plan_of(&scenario).due > scenario.at, "it has been asked");
}

/// Each sending has its number, in the journal that people read.
#[test]
fn the_sendings_of_a_step_are_numbered() {
    let mut scenario = Scenario::new(Kind::Deposit, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear);
    let mut numbers = Vec::new();
    for _ in 0..3 {
        let mut update = draft_of(&scenario);
        update.start(StepName::First, &scenario.policy);
        let decision = update.finish().unwrap();
        for entry in &decision.entries {
            if let Event::Started { attempt, .. } = entry.event {
                numbers.push(attempt);
            }
        }
        scenario.transfer = decision.transfer;
        scenario.then(Happening::Outcome(StepName::First, Outcome::not_sent("no way")));
    }
    assert_eq!(numbers, [1, 2, 3]);
}

/// People are told how long the money has been on its way, and what it waits for.
#[test]
fn the_case_about_money_in_transit_says_where_it_is() {
    let mut scenario = Scenario::new(Kind::Withdrawal, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear).sends(done("C1"));
    scenario.at = scenario.at.after(Duration::from_mins(90));
    scenario.then(Happening::CallPerson);
    let details = &scenario.transfer.cases()[0].details;
    let expected = "125.50 TZS left one side 91 minutes ago, and pay_out has not come to an end";
    assert_eq!(*details, [expected]);
}
