//! Holds that are changed while they are read.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kiungo_domain::hold::Condition;
use kiungo_domain::outcome::{Acceptance, Awaiting, Reason};
use kiungo_domain::transfer::{Deciding, Operation, PersonDecision, Status, StepName};
use kiungo_domain::{Finding, Kind, Outcome, Reference, TransferId};

use crate::evidence::{Scene, refused_for_now};
use crate::faulty::Faults;
use crate::world::{World, Yielding, provider_id, submit, transfer, tzs};

async fn payout(scene: &Scene, key: &str, amount: &str) -> TransferId {
    let new = transfer(Kind::Withdrawal, amount);
    let id = submit(&scene.engine, key, new).await.unwrap().first.id;
    scene.pass(5).await;
    id
}

fn conditions(scene: &Scene) -> Vec<Condition> {
    let holds = scene.engine.holds(&provider_id());
    holds.iter().map(|hold| hold.condition).collect()
}

fn pending() -> Outcome {
    Outcome::Pending(Acceptance { handle: None, awaiting: Awaiting::Processing })
}

/// A smaller payout that comes through says nothing about the larger one that waits for the float.
#[tokio::test(start_paused = true)]
async fn a_smaller_payout_does_not_end_a_float_hold() {
    let scene = Scene::open(World::new()).await;
    let refusals = [Reason::Other, Reason::InsufficientFunds].map(refused_for_now);
    scene.world.script().payouts.extend(refusals);
    let [small, large] = ["100", "500"].map(|amount| transfer(Kind::Withdrawal, amount));
    let small = submit(&scene.engine, "small", small).await.unwrap().first.id;
    scene.pass(1).await;
    let large = submit(&scene.engine, "large", large).await.unwrap().first.id;
    scene.pass(1).await;
    assert_eq!(scene.show(small).await.status, Status::InProgress, "it is to be tried again");
    let held = scene.engine.holds(&provider_id());
    assert_eq!(held.iter().map(|hold| hold.needed).collect::<Vec<_>>(), [Some(tzs("500"))]);
    let who = Deciding { by: "op".to_owned(), approved_by: None, reason: "back".to_owned() };
    scene.engine.decide(large, PersonDecision::GiveUp, who, None).await.unwrap();
    for _ in 0..200 {
        if scene.show(small).await.status != Status::Completed {
            scene.pass(5).await;
        }
    }
    assert_eq!(scene.show(small).await.status, Status::Completed, "it was the probe");
    let still = scene.engine.holds(&provider_id());
    assert_eq!(still.iter().map(|hold| hold.since).collect::<Vec<_>>(), [held[0].since]);
}

/// The smallest payout that was refused says how much the float must have at least.
#[tokio::test(start_paused = true)]
async fn a_float_hold_waits_for_the_least_that_was_refused() {
    let scene = Scene::open(World::new()).await;
    scene.world.script().payouts.extend([pending(), pending()]);
    let (small, large) =
        (payout(&scene, "small", "100").await, payout(&scene, "large", "500").await);
    for id in [small, large] {
        let Outcome::Rejected(refused) = refused_for_now(Reason::InsufficientFunds) else {
            unreachable!("it is a refusal")
        };
        let reference = Reference::new(id, StepName::Second, 0);
        scene.world.script().truth.insert(reference, Finding::Rejected(refused));
        scene.engine.inquire_now(id, "officer").await.unwrap();
        scene.pass(5).await;
    }
    let held = scene.engine.holds(&provider_id());
    assert_eq!(held.iter().map(|hold| hold.needed).collect::<Vec<_>>(), [Some(tzs("100"))]);
}

/// No account is debited while the provider does not answer: its breaker is open (rule 17).
#[tokio::test(start_paused = true)]
async fn nothing_leaves_the_core_while_the_provider_does_not_answer() {
    let scene = Scene::open(World::new()).await;
    for _ in 0..100 {
        scene.world.script().payouts.push_back(Outcome::unknown("time-out"));
    }
    for number in 0..20 {
        let new = transfer(Kind::Withdrawal, "500");
        submit(&scene.engine, &format!("early {number}"), new).await.unwrap();
    }
    scene.pass(1).await;
    let before = scene.sent("post");
    assert_eq!(before, 20);
    let new = transfer(Kind::Withdrawal, "500");
    let late = submit(&scene.engine, "late", new).await.unwrap().first.id;
    scene.pass(1).await;
    assert_eq!(scene.sent("post"), before, "nobody is debited");
    scene.world.script().payouts.clear();
    scene.pass(60).await;
    assert_eq!(scene.show(late).await.status, Status::Completed);
}

/// A person releases whatever holds an operation, a condition as well as another person.
#[tokio::test(start_paused = true)]
async fn a_person_releases_what_a_condition_holds() {
    let scene = Scene::open(World::new()).await;
    scene.world.script().payouts.push_back(refused_for_now(Reason::InsufficientFunds));
    let id = payout(&scene, "one", "500").await;
    assert_eq!(conditions(&scene), [Condition::FloatEmpty]);
    assert!(scene.engine.release_operation(&provider_id(), Operation::PayOut).await.unwrap());
    assert_eq!(conditions(&scene), []);
    assert_eq!(scene.engine.store().holds().await.unwrap(), []);
    scene.pass(60).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
}

/// A probe that was under way while a person released the operation does not bring the hold back.
#[tokio::test(start_paused = true)]
async fn a_probe_under_way_does_not_bring_a_released_hold_back() {
    let scene = Scene::open(World::new()).await;
    scene.world.script().float = Some(tzs("0"));
    scene.world.script().payouts.push_back(refused_for_now(Reason::InsufficientFunds));
    let id = payout(&scene, "one", "500").await;
    let who = Deciding { by: "op".to_owned(), approved_by: None, reason: "back".to_owned() };
    scene.engine.decide(id, PersonDecision::GiveUp, who, None).await.unwrap();
    scene.pass(60).await;
    scene.world.balance_hangs.store(true, Ordering::SeqCst);
    scene.pass(1_200).await;
    assert!(scene.world.balances_asked.load(Ordering::SeqCst) > 0, "it is being asked");
    assert!(scene.engine.release_operation(&provider_id(), Operation::PayOut).await.unwrap());
    scene.world.balance_hangs.store(false, Ordering::SeqCst);
    scene.pass(30).await;
    assert_eq!(conditions(&scene), []);
    assert_eq!(scene.engine.store().holds().await.unwrap(), []);
}

/// A hold that a person makes while the holds are being read outlasts that reading.
#[tokio::test(start_paused = true)]
async fn a_hold_outlasts_what_was_read_before_it() {
    let world = World::new();
    let faults = Faults::new();
    let engine = world.engine_over(faults.store(), Arc::new(Yielding));
    engine.start().await.unwrap();
    let scene = Scene { world, engine };
    let (go_on, slow) = tokio::sync::oneshot::channel();
    *faults.slow_holds.lock().unwrap() = Some(slow);
    scene.pass(6).await;
    assert!(faults.slow_holds.lock().unwrap().is_none(), "it is being read");
    let (provider, operation) = (provider_id(), Operation::PayOut);
    scene.engine.hold_operation(&provider, operation, "asha", "moved").await.unwrap();
    go_on.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    let held = scene.engine.holds(&provider);
    assert_eq!(held.iter().map(|it| it.condition).collect::<Vec<_>>(), [Condition::Person]);
}
