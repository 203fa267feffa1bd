//! The work that the schedule takes up, and when.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::party::AccountKey;
use kiungo_domain::transfer::{Deciding, Kind, PersonDecision, Status};
use kiungo_domain::{AccountRef, Finding, Outcome};

use crate::evidence::{Scene, executed};
use crate::faulty::Faults;
use crate::world::{World, Yielding, submit, transfer};

/// The time for which the schedule sleeps at most when nothing is due.
const SLEEP_MAX_SECONDS: u64 = 30;

/// A retry that is put off while the schedule looks for the next due time is done in time: it used
/// to be slept through if the schedule had woken up by itself.
#[tokio::test(start_paused = true)]
async fn work_postponed_during_a_look_is_not_slept_through() {
    let world = World::new();
    let faults = Faults::new();
    let engine = world.engine_over(faults.store(), Arc::new(Yielding));
    engine.start().await.unwrap();
    let scene = Scene { world, engine };
    scene.pass(SLEEP_MAX_SECONDS - 1).await;
    let (go_on, slow) = tokio::sync::oneshot::channel();
    *faults.slow_next_due.lock().unwrap() = Some(slow);
    scene.pass(2).await;
    assert!(faults.slow_next_due.lock().unwrap().is_none(), "the schedule looks");
    scene.world.script().collects.push_back(Outcome::not_sent("connection refused"));
    let order = transfer(Kind::Deposit, "500");
    let id = submit(&scene.engine, "one", order).await.unwrap().first.id;
    tokio::time::sleep(Duration::from_millis(10)).await;
    go_on.send(()).unwrap();
    scene.pass(5).await;
    let summary = scene.engine.store().summary(id).await.unwrap().unwrap();
    assert_eq!(summary.status, Status::Completed);
}

/// A person finds another account for a deposit that waits behind a booking whose outcome is
/// unknown: its retry does not wait for the account that it no longer needs.
#[tokio::test(start_paused = true)]
async fn a_transfer_that_no_longer_needs_an_account_does_not_wait_for_it() {
    let scene = Scene::open(World::new()).await;
    scene.world.script().core_finds = Some(Finding::Unclear { why: "down".to_owned() });
    scene.world.script().posts.push_back(Outcome::unknown("time-out"));
    let ahead = scene.submit(Kind::Deposit).await;
    let mut waiting = Vec::new();
    for key in ["moved", "behind"] {
        let order = transfer(Kind::Deposit, "500");
        waiting.push(submit(&scene.engine, key, order).await.unwrap().first.id);
    }
    scene.pass(5).await;
    assert_eq!(scene.sent("post"), 1, "one operation at a time on an account");
    let [moved, behind] = waiting[..] else { panic!("two") };
    let who = Deciding { by: "asha".to_owned(), approved_by: None, reason: "moved".to_owned() };
    scene.engine.decide(moved, PersonDecision::GiveUp, who, None).await.unwrap();
    scene.pass(5).await;
    scene.world.script().posts.push_back(Outcome::not_sent("the core is down"));
    let account = AccountRef { kind: None, key: AccountKey::Id(8) };
    scene.engine.assign(moved, account, "asha", None).await.unwrap();
    scene.pass(10).await;
    assert_eq!(scene.show(moved).await.status, Status::Completed);
    assert_eq!(scene.show(behind).await.status, Status::InProgress);
    scene.world.script().core_finds = Some(executed("900001"));
    scene.pass(120).await;
    for id in [ahead, behind] {
        assert_eq!(scene.show(id).await.status, Status::Completed);
    }
}
