//! The facts that can be asked of a transfer, and the words that are used for it.

use serde_json::json;

use super::sequences::{Scenario, done, plan_of, refused};
use super::*;
use crate::hold::Condition;

fn scenario(kind: Kind) -> Scenario {
    let mut scenario = Scenario::new(kind, false, OnCoreRejection::Suspense);
    scenario.then(Happening::Clear);
    scenario
}

/// Rule 11: no other transfer touches the account while an operation on it may be running.
#[test]
fn the_account_is_held_while_an_operation_on_it_may_be_running() {
    let mut scenario = scenario(Kind::Withdrawal);
    assert!(!scenario.transfer.holds_account(), "nothing is sent");
    scenario.then(Happening::Send);
    assert!(scenario.transfer.holds_account());
    scenario.then(Happening::Outcome(StepName::First, Outcome::unknown("lost")));
    assert!(scenario.transfer.holds_account());
    assert_eq!(scenario.transfer.unknown_since(), Some(scenario.at));
    scenario.then(Happening::Finding(
        StepName::First,
        Finding::Executed(Confirmation::bare(receipt("C1"))),
    ));
    assert_eq!(scenario.transfer.unknown_since(), None);
    scenario.sends(Outcome::unknown("lost"));
    assert!(!scenario.transfer.holds_account(), "the wallet's operation is not the account's");
    assert_eq!(scenario.transfer.unknown_since(), Some(scenario.at));
}

#[test]
fn an_accepted_step_is_not_unknown() {
    let mut scenario = scenario(Kind::Deposit);
    let accepted = Acceptance { handle: None, awaiting: Awaiting::Customer };
    scenario.sends(Outcome::Pending(accepted));
    assert_eq!(scenario.transfer.unknown_since(), None);
    assert_eq!(scenario.status(), Status::AwaitingCustomer);
}

/// A person is called then, however long the transfer waits for something else.
#[test]
fn a_person_is_due_a_while_after_the_money_has_left() {
    let mut scenario = scenario(Kind::Withdrawal);
    assert_eq!(scenario.transfer.person_due(&scenario.policy, scenario.at), None);
    scenario.sends(done("C1"));
    let due = scenario.at.after(scenario.policy.wallet.case_after);
    assert_eq!(scenario.transfer.transit_since(), Some(scenario.at));
    assert_eq!(scenario.transfer.person_due(&scenario.policy, scenario.at), Some(due));
    scenario.at = due;
    scenario.then(Happening::CallPerson);
    assert_eq!(
        scenario.transfer.person_due(&scenario.policy, scenario.at),
        None,
        "somebody was called"
    );
}

#[test]
fn a_reference_that_was_used_is_known_and_one_to_come_is_not() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.sends(done("C1")).sends(Outcome::Rejected(rejection(Retry::NewReference)));
    let of = |id, generation| Reference::new(id, StepName::Second, generation);
    let id = scenario.transfer.id();
    assert_eq!(scenario.transfer.step(StepName::Second).generation, 1);
    assert!(scenario.transfer.has_used(of(id, 0)) && scenario.transfer.has_used(of(id, 1)));
    assert!(!scenario.transfer.has_used(of(id, 2)));
    assert!(!scenario.transfer.has_used(of(other_transfer(), 0)));
}

#[test]
fn the_reason_of_an_end_is_told() {
    let mut scenario = scenario(Kind::Withdrawal);
    assert_eq!(scenario.transfer.rejection(), None);
    scenario.sends(done("C1")).sends(refused()).sends(done("C2"));
    assert_eq!(scenario.transfer.rejection(), Some(&rejection(Retry::Never)));
    let mut suspended = Scenario::new(Kind::Deposit, true, OnCoreRejection::Suspense);
    suspended.then(Happening::Refuse);
    assert_eq!(suspended.transfer.rejection(), Some(&rejection(Retry::Never)));
}

#[test]
fn a_transfer_knows_its_account_and_its_times() {
    let received = Timestamp::from_micros(5_000_000);
    let mut update = TransferUpdate::receive(instruction(Kind::Deposit, false), received);
    let account = CoreAccount { kind: AccountKind::Savings, id: 7 };
    update.cleared(account, "000000007".to_owned());
    let later = received.after(Duration::from_secs(1));
    let mut update = TransferUpdate::resume(update.finish().unwrap().transfer, later);
    update.start(StepName::First, &policy(WhenAbsent::Resend, OnCoreRejection::Suspense));
    let transfer = update.transfer();
    assert_eq!((transfer.account(), transfer.account_no()), (Some(account), Some("000000007")));
    assert_eq!((transfer.received_at(), transfer.updated_at()), (received, later));
}

/// The waits double, up to their bound.
#[test]
fn an_unsendable_step_is_tried_again_at_growing_intervals() {
    let mut scenario = scenario(Kind::Deposit);
    let waits: Vec<u64> = (0..8)
        .map(|_| {
            scenario.sends(Outcome::not_sent("no way"));
            plan_of(&scenario).due.since(scenario.at).as_secs()
        })
        .collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
}

/// The gravest of several open questions is shown, whichever came first.
#[test]
fn the_gravest_question_is_shown_first() {
    let mut scenario = scenario(Kind::Withdrawal);
    scenario.sends(done("C1"));
    scenario.at = scenario.at.after(Duration::from_hours(2));
    scenario.then(Happening::CallPerson);
    assert_eq!(scenario.transfer.case(), Some(CaseKind::InTransitTooLong));
    let reversed = Finding::Reversed(Confirmation::bare(receipt("C1")));
    scenario.then(Happening::Hear(Channel::Callback, StepName::First, 0, reversed));
    assert_eq!(scenario.transfer.cases().len(), 2);
    let shown = scenario.transfer.case().unwrap();
    let place = |kind| CaseKind::ALL.iter().position(|it| *it == kind).unwrap();
    let gravest = scenario.transfer.cases().iter().map(|it| place(it.kind)).min();
    assert_eq!(Some(place(shown)), gravest);
    assert_eq!(shown, CaseKind::Contradiction);
}

/// A question that comes again is not told again; one with other words is, up to a bound.
#[test]
fn a_case_keeps_each_detail_once() {
    let mut scenario = scenario(Kind::Deposit);
    let other = |amount| Confirmation {
        stated: Stated { amount: Some(money(amount)), ..Stated::default() },
        ..Confirmation::bare(receipt("R1"))
    };
    scenario.sends(Outcome::Executed(other(1)));
    let mut counts = Vec::new();
    for amount in [1, 2, 2, 1] {
        let finding = Finding::Executed(other(amount));
        scenario.then(Happening::Finding(StepName::First, finding));
        counts.push(scenario.transfer.cases()[0].details.len());
    }
    assert_eq!(counts, [1, 2, 2, 2]);
    for amount in 3..60 {
        let finding = Finding::Executed(other(amount));
        scenario.then(Happening::Finding(StepName::First, finding));
    }
    let many = scenario.transfer.cases()[0].details.len();
    assert!((3..58).contains(&many), "{many}");
    let version = scenario.transfer.version();
    scenario.then(Happening::Finding(StepName::First, Finding::Executed(other(99))));
    assert_eq!(scenario.transfer.version(), version + 1, "it was asked, and nothing else is kept");
}

/// The same words are stored and shown.
#[test]
fn the_words_are_those_of_the_journal() {
    for kind in CaseKind::ALL {
        assert_eq!(json!(kind), kind.as_str());
    }
    for condition in Condition::ALL {
        assert_eq!(json!(condition), condition.as_str());
    }
    for payer in FeePayer::ALL {
        assert_eq!(json!(payer), payer.as_str());
    }
    for step in StepName::ALL {
        assert_eq!(json!(step), step.as_str());
    }
    let step = StepName::Second;
    let confirmation = Confirmation::bare(receipt("R1"));
    for decision in [
        PersonDecision::TryAgain,
        PersonDecision::GiveUp,
        PersonDecision::AcceptExecuted { step, confirmation },
        PersonDecision::AcceptNotExecuted { step },
        PersonDecision::CloseCase { case: CaseKind::Mismatch, step: None },
    ] {
        assert_eq!(json!(decision)["action"], decision.as_str());
    }
    let provider = ProviderId::new("mpesa-tz").unwrap();
    assert_eq!(json!(LedgerAccount::Transit(provider)), "transit:mpesa-tz");
}

/// A choice has the word of its decision, and the step that it is about.
#[test]
fn a_choice_says_what_it_is_about() {
    let step = StepName::Second;
    for (choice, word, about) in [
        (Choice::TryAgain, "try_again", None),
        (Choice::GiveUp, "give_up", None),
        (Choice::AcceptExecuted(step), "accept_executed", Some(step)),
        (Choice::AcceptNotExecuted(step), "accept_not_executed", Some(step)),
        (Choice::CloseCase, "close_case", None),
        (Choice::Assign, "assign", None),
        (Choice::Reverse, "reverse", None),
    ] {
        assert_eq!((choice.as_str(), choice.step()), (word, about));
    }
}

/// A provider's operation is held for what concerns all of them, and a person is called for what does
/// not end by itself.
#[test]
fn a_condition_of_the_provider_is_told_from_a_refusal_of_one() {
    let of = |operation, retry, reason| {
        Condition::of(operation, &Rejection { reason, ..rejection(retry) })
    };
    let (now, poor) = (Retry::NewReference, Reason::InsufficientFunds);
    assert_eq!(of(Operation::PayOut, now, poor), Some(Condition::FloatEmpty));
    assert_eq!(of(Operation::Collect, now, poor), None, "the payer is poor");
    assert_eq!(of(Operation::PayOut, Retry::Never, poor), None);
    let repair = of(Operation::Collect, Retry::AfterRepair, Reason::Configuration);
    assert_eq!(repair, Some(Condition::NeedsRepair));
    assert_eq!(of(Operation::Deposit, Retry::AfterRepair, Reason::Configuration), None);
    let words = |of: fn(Condition) -> bool| Condition::ALL.map(of);
    assert_eq!(words(Condition::is_case), [true, true, true, true, false]);
    assert_eq!(words(Condition::is_probed), [false, true, true, true, true]);
}
