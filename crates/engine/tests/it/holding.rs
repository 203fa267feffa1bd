//! Holds that are changed while they are read.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kiungo_domain::hold::Condition;
use kiungo_domain::outcome::{Acceptance, Awaiting, Reason};
use kiungo_domain::transfer::{Deciding, Operation, PersonDecision, Status, StepName};
use kiungo_domain::{Finding, Kind, Outcome, Reference, TransferId};

use crate::evidence::{Office, refused_for_now};
use crate::faulty::Faults;
use crate::world::{World, Yielding, provider_id, submit, transfer, tzs};

async fn payout(office: &Office, key: &str, amount: &str) -> TransferId {
    let new = transfer(Kind::Withdrawal, amount);
    let id = submit(&office.engine, key, new).await.unwrap().first.id;
    office.pass(5).await;
    id
}

fn conditions(office: &Office) -> Vec<Condition> {
    let holds = office.engine.holds(&provider_id());
    holds.iter().map(|hold| hold.condition).collect()
}

fn pending() -> Outcome {
    Outcome::Pending(Acceptance { handle: None, awaiting: Awaiting::Processing })
}

/// A smaller payout that comes through says nothing about the larger one that waits for the float.
#[tokio::test(start_paused = true)]
async fn a_smaller_payout_does_not_end_a_float_hold() {
    let office = Office::open(World::new()).await;
    let refusals = [Reason::Other, Reason::InsufficientFunds].map(refused_for_now);
    office.world.script().payouts.extend(refusals);
    let [small, large] = ["100", "500"].map(|amount| transfer(Kind::Withdrawal, amount));
    let small = submit(&office.engine, "small", small).await.unwrap().first.id;
    office.pass(1).await;
    let large = submit(&office.engine, "large", large).await.unwrap().first.id;
    office.pass(1).await;
    assert_eq!(office.show(small).await.status, Status::InProgress, "it is to be tried again");
    let held = office.engine.holds(&provider_id());
    assert_eq!(held.iter().map(|hold| hold.needed).collect::<Vec<_>>(), [Some(tzs("500"))]);
    let who = Deciding { by: "op".to_owned(), approved_by: None, reason: "back".to_owned() };
    office.engine.decide(large, PersonDecision::GiveUp, who, None).await.unwrap();
    for _ in 0..200 {
        if office.show(small).await.status != Status::Completed {
            office.pass(5).await;
        }
    }
    assert_eq!(office.show(small).await.status, Status::Completed, "it was the probe");
    let still = office.engine.holds(&provider_id());
    assert_eq!(still.iter().map(|hold| hold.since).collect::<Vec<_>>(), [held[0].since]);
}

/// The smallest payout that was refused says how much the float must have at least.
#[tokio::test(start_paused = true)]
async fn a_float_hold_waits_for_the_least_that_was_refused() {
    let office = Office::open(World::new()).await;
    office.world.script().payouts.extend([pending(), pending()]);
    let (small, large) =
        (payout(&office, "small", "100").await, payout(&office, "large", "500").await);
    for id in [small, large] {
        let Outcome::Rejected(refused) = refused_for_now(Reason::InsufficientFunds) else {
            unreachable!("it is a refusal")
        };
        let reference = Reference::new(id, StepName::Second, 0);
        office.world.script().truth.insert(reference, Finding::Refused(refused));
        office.engine.inquire_now(id, "officer").await.unwrap();
        office.pass(5).await;
    }
    let held = office.engine.holds(&provider_id());
    assert_eq!(held.iter().map(|hold| hold.needed).collect::<Vec<_>>(), [Some(tzs("100"))]);
}

/// No account is debited while the provider does not answer: its breaker is open (rule 17).
#[tokio::test(start_paused = true)]
async fn nothing_leaves_the_core_while_the_provider_does_not_answer() {
    let office = Office::open(World::new()).await;
    for _ in 0..100 {
        office.world.script().payouts.push_back(Outcome::unknown("time-out"));
    }
    for number in 0..20 {
        let new = transfer(Kind::Withdrawal, "500");
        submit(&office.engine, &format!("early {number}"), new).await.unwrap();
    }
    office.pass(1).await;
    let before = office.sent("post");
    assert_eq!(before, 20);
    let new = transfer(Kind::Withdrawal, "500");
    let late = submit(&office.engine, "late", new).await.unwrap().first.id;
    office.pass(1).await;
    assert_eq!(office.sent("post"), before, "nobody is debited");
    office.world.script().payouts.clear();
    office.pass(60).await;
    assert_eq!(office.show(late).await.status, Status::Completed);
}

/// A person releases whatever holds an operation, a condition as well as another person.
#[tokio::test(start_paused = true)]
async fn a_person_releases_what_a_condition_holds() {
    let office = Office::open(World::new()).await;
    office.world.script().payouts.push_back(refused_for_now(Reason::InsufficientFunds));
    let id = payout(&office, "one", "500").await;
    assert_eq!(conditions(&office), [Condition::FloatEmpty]);
    assert!(office.engine.release_operation(&provider_id(), Operation::PayOut).await.unwrap());
    assert_eq!(conditions(&office), []);
    assert_eq!(office.engine.store().holds().await.unwrap(), []);
    office.pass(60).await;
    assert_eq!(office.show(id).await.status, Status::Completed);
}

/// A probe that was under way while a person released the operation does not bring the hold back.
#[tokio::test(start_paused = true)]
async fn a_probe_under_way_does_not_bring_a_released_hold_back() {
    let office = Office::open(World::new()).await;
    office.world.script().float = Some(tzs("0"));
    office.world.script().payouts.push_back(refused_for_now(Reason::InsufficientFunds));
    let id = payout(&office, "one", "500").await;
    let who = Deciding { by: "op".to_owned(), approved_by: None, reason: "back".to_owned() };
    office.engine.decide(id, PersonDecision::GiveUp, who, None).await.unwrap();
    office.pass(60).await;
    office.world.balance_hangs.store(true, Ordering::SeqCst);
    office.pass(1_200).await;
    assert!(office.world.balances_asked.load(Ordering::SeqCst) > 0, "it is being asked");
    assert!(office.engine.release_operation(&provider_id(), Operation::PayOut).await.unwrap());
    office.world.balance_hangs.store(false, Ordering::SeqCst);
    office.pass(30).await;
    assert_eq!(conditions(&office), []);
    assert_eq!(office.engine.store().holds().await.unwrap(), []);
}

/// A hold that a person makes while the holds are being read outlasts that reading.
#[tokio::test(start_paused = true)]
async fn a_hold_outlasts_what_was_read_before_it() {
    let world = World::new();
    let faults = Faults::new();
    let engine = world.engine_over(faults.store(), Arc::new(Yielding));
    engine.start().await.unwrap();
    let office = Office { world, engine };
    let (go_on, slow) = tokio::sync::oneshot::channel();
    *faults.slow_holds.lock().unwrap() = Some(slow);
    office.pass(6).await;
    assert!(faults.slow_holds.lock().unwrap().is_none(), "it is being read");
    let (provider, operation) = (provider_id(), Operation::PayOut);
    office.engine.hold_operation(&provider, operation, "asha", "moved").await.unwrap();
    go_on.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    let held = office.engine.holds(&provider);
    assert_eq!(held.iter().map(|it| it.condition).collect::<Vec<_>>(), [Condition::Person]);
}
