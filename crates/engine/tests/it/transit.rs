//! Money does not leave the first side while the second is known to be closed, and money in transit
//! has a person.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kiungo_domain::hold::Condition;
use kiungo_domain::outcome::{Reason, Rejection, Retry};
use kiungo_domain::transfer::{CaseKind, Event, Operation, Status, StepName};
use kiungo_domain::{Finding, Kind, Outcome, Reference, Timestamp};
use kiungo_engine::Clock as _;
use kiungo_engine::fail_point::{FailPoint, FailPoints};
use kiungo_store::MemoryStore;

use crate::evidence::{Scene, dying, executed, refused_for_now};
use crate::world::{DAY, World, provider_id, rejection, submit, transfer, tzs, value};

/// A float that is empty over a night: the customer's money waits, one case of the provider says
/// so, and no other customer is debited meanwhile.
#[tokio::test(start_paused = true)]
async fn an_empty_float_holds_payouts_and_ends_by_itself() {
    let scene = Scene::open(World::new()).await;
    for _ in 0..200 {
        let outcome = refused_for_now(Reason::InsufficientFunds);
        scene.world.script().payouts.push_back(outcome);
    }
    let id = scene.submit(Kind::Withdrawal).await;
    scene.pass(60).await;
    let holds = scene.engine.store().holds().await.unwrap();
    let held: Vec<_> = holds.iter().map(|hold| (hold.operation, hold.condition)).collect();
    assert_eq!(held, [(Operation::PayOut, Condition::FloatEmpty)]);
    assert_eq!(scene.cases(id).await, [], "it is the provider's case, not the transfer's");
    let posts = scene.sent("post");
    let second = transfer_of(&scene, "second").await;
    scene.pass(300).await;
    assert_eq!(scene.sent("post"), posts, "nobody else is debited");
    assert_eq!(scene.show(second).await.status, Status::InProgress);
    // Twelve hours later it still has a plan, and a person was called long ago.
    scene.pass(12 * 3_600).await;
    let attempts = scene.sent("pay_out");
    assert!(attempts < 60, "{attempts} attempts are too many for a night");
    assert_eq!(scene.cases(id).await, [CaseKind::InTransitTooLong]);
    scene.world.script().payouts.clear();
    scene.pass(3 * 3_600).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
    assert_eq!(scene.show(second).await.status, Status::Completed);
    assert_eq!(scene.cases(id).await, []);
    assert_eq!(scene.engine.store().holds().await.unwrap(), []);
}

/// No transfer in transit is left that would try: the hold ends once the float suffices for what
/// was refused, not once there is anything at all; and a clock set back does not delay that.
#[tokio::test(start_paused = true)]
async fn an_empty_float_holds_until_it_suffices() {
    let scene = Scene::open(World::new()).await;
    scene.world.script().float = Some(tzs("0"));
    for _ in 0..50 {
        let outcome = refused_for_now(Reason::InsufficientFunds);
        scene.world.script().payouts.push_back(outcome);
    }
    let id = scene.submit(Kind::Withdrawal).await;
    scene.pass(5).await;
    let give_up = kiungo_domain::transfer::PersonDecision::GiveUp;
    let who = kiungo_domain::transfer::Deciding {
        by: "op".to_owned(),
        approved_by: None,
        reason: "the customer came back".to_owned(),
    };
    scene.engine.decide(id, give_up, who, None).await.unwrap();
    scene.pass(60).await;
    assert_eq!(scene.show(id).await.status, Status::Reversed);
    let posts = scene.sent("post");
    scene.world.script().payouts.clear();
    scene.world.script().float = Some(tzs("499.99"));
    let second = transfer_of(&scene, "second").await;
    scene.pass(3 * 3_600).await;
    assert_eq!(scene.sent("post"), posts, "some float is not enough: nobody is debited");
    scene.world.set_back(DAY);
    scene.world.script().float = Some(tzs("500"));
    scene.pass(2 * 3_600).await;
    assert_eq!(scene.show(second).await.status, Status::Completed);
    assert_eq!(scene.engine.store().holds().await.unwrap(), []);
}

async fn transfer_of(scene: &Scene, key: &str) -> kiungo_domain::TransferId {
    let new = crate::world::transfer(Kind::Withdrawal, "500");
    crate::world::submit(&scene.engine, key, new).await.unwrap().first.id
}

/// Wrong credentials, a provider that is down: what cannot be sent calls a person all the same.
#[tokio::test(start_paused = true)]
async fn a_payout_that_cannot_be_sent_calls_a_person() {
    let scene = Scene::open(World::new()).await;
    scene.world.script().unreachable = true;
    for _ in 0..2_000 {
        let outcome = Outcome::not_sent("no session can be had");
        scene.world.script().payouts.push_back(outcome);
    }
    let id = scene.submit(Kind::Withdrawal).await;
    scene.pass(500).await;
    assert_eq!(scene.cases(id).await, []);
    let second = transfer_of(&scene, "second").await;
    scene.pass(200).await;
    assert_eq!(scene.cases(id).await, [CaseKind::InTransitTooLong]);
    assert_eq!(scene.sent("post"), 1, "the second withdrawal is not debited");
    scene.world.script().payouts.clear();
    scene.world.script().unreachable = false;
    scene.pass(300).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
    assert_eq!(scene.show(second).await.status, Status::Completed);
    assert_eq!(scene.cases(id).await, []);
}

/// The waits of transfers that failed together are spread; the calls of persons about them are not.
#[tokio::test(start_paused = true)]
async fn persons_are_called_without_a_spread() {
    let world = World::new();
    world.script().inquiry_schedule = Some(vec![Duration::from_secs(400)]);
    let scene = Scene::open(world).await;
    for _ in 0..8 {
        scene.world.script().payouts.push_back(Outcome::unknown("the connection was lost"));
    }
    let mut ids = Vec::new();
    for key in 0..8 {
        ids.push(transfer_of(&scene, &key.to_string()).await);
    }
    scene.pass(597).await;
    for id in &ids {
        assert_eq!(scene.cases(*id).await, []);
    }
    // The last inquiry was long before that, and the next one is long after it.
    scene.pass(6).await;
    for id in &ids {
        assert_eq!(scene.cases(*id).await.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_leaves_the_core_outside_the_providers_hours() {
    let scene = Scene::open(World::new()).await;
    scene.world.script().opens_at = Some(Timestamp::from_micros(7_200_000_000));
    let id = scene.submit(Kind::Disbursement).await;
    scene.pass(600).await;
    assert_eq!((scene.sent("post"), scene.sent("pay_out")), (0, 0));
    scene.pass(7_200).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_person_holds_and_releases_an_operation() {
    let scene = Scene::open(World::new()).await;
    let provider = provider_id();
    let hold = scene.engine.hold_operation(&provider, Operation::PayOut, "op", "audit");
    hold.await.unwrap();
    let id = scene.submit(Kind::Withdrawal).await;
    scene.pass(3_600).await;
    assert_eq!((scene.sent("post"), scene.sent("pay_out")), (0, 0));
    let released = scene.engine.release_operation(&provider, Operation::PayOut).await;
    assert!(released.unwrap());
    scene.pass(70).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
}

/// A disbursement whose loan has been repaid since: the core would refuse to take it back, and so
/// the wallet's money stays where it is.
#[tokio::test(start_paused = true)]
async fn a_reversal_that_could_not_come_to_its_end_moves_nothing() {
    let scene = Scene::open(World::new()).await;
    let id = scene.submit(Kind::Disbursement).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
    let rejection = Rejection { code: "later.transactions".to_owned(), ..rejection(Reason::Other) };
    scene.world.script().undo_refused = Some(rejection);
    scene.engine.request_reversal(id, "op", "wrong wallet", None).await.unwrap();
    scene.pass(60).await;
    let shown = scene.show(id).await;
    assert_eq!(shown.status, Status::Completed);
    assert!(!scene.tells_of(id).await.iter().any(|event| matches!(
        event,
        kiungo_domain::transfer::Event::Started {
            step: kiungo_domain::transfer::StepName::UndoSecond,
            ..
        }
    )));
}

/// The clock is set back by an hour in mid-flow: nothing waits for it to catch up.
#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_stops_nothing() {
    let scene = Scene::open(World::new()).await;
    scene.pass(7_200).await;
    for _ in 0..3 {
        scene.world.script().payouts.push_back(Outcome::not_sent("refused connection"));
    }
    let id = scene.submit(Kind::Withdrawal).await;
    scene.world.set_back(std::time::Duration::from_hours(1));
    scene.pass(60).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
}

/// A day that is used up between acceptance and sending: what has not moved fails, and nobody is
/// debited for it.
#[tokio::test(start_paused = true)]
async fn a_day_that_fills_up_before_the_core_is_debited_fails_the_withdrawal() {
    let world = World::new();
    *world.wallet_may.lock().unwrap() = Some(value("700"));
    let scene = Scene::open(world).await;
    // Accepted on the first day, and held until the next.
    let next_day = Timestamp::from_micros(0).after(DAY);
    scene.world.script().opens_at = Some(next_day.after(std::time::Duration::from_mins(2)));
    let held = scene.submit(Kind::Withdrawal).await;
    scene.world.wait(DAY);
    let second = transfer_of(&scene, "second").await;
    scene.pass(1_800).await;
    let (one, other) = (scene.show(held).await, scene.show(second).await);
    let mut ends = [one.status, other.status];
    ends.sort();
    assert_eq!(ends, [Status::Completed, Status::Failed], "500 and 500 do not fit into 700");
    assert_eq!((scene.sent("post"), scene.sent("pay_out")), (1, 1));
}

/// The core answered "nothing recorded" on one day, and executed a copy of the request: the withdrawal
/// does not fail because the next day is full. It is asked about once it is overdue, and paid.
#[tokio::test(start_paused = true)]
async fn a_full_day_does_not_fail_a_withdrawal_that_the_core_has_answered() {
    let world = World::new();
    *world.wallet_may.lock().unwrap() = Some(value("700"));
    let scene = Scene::open(world).await;
    let midnight = Timestamp::from_micros(0).after(DAY);
    scene.world.wait(Duration::from_hours(23));
    let busy = || Outcome::not_recorded("a job is running");
    scene.world.script().posts.extend((0..100).map(|_| busy()));
    let answered = scene.submit(Kind::Withdrawal).await;
    assert_ne!(scene.sent("post"), 0);
    scene.world.script().posts.clear();
    scene.world.script().opens_at = Some(midnight.after(Duration::from_mins(2)));
    scene.world.wait(Duration::from_hours(1));
    let second = transfer_of(&scene, "second").await;
    scene.pass(1_800).await;
    assert_eq!(scene.show(second).await.status, Status::Completed);
    assert_eq!(scene.show(answered).await.status, Status::NeedsAttention, "a person is called");
    scene.world.script().core_finds = Some(executed("900001"));
    scene.pass(25 * 3_600).await;
    assert_eq!(scene.show(answered).await.status, Status::Completed);
    assert_eq!(scene.sent("pay_out"), 2);
}

/// The machine was suspended between the intent and the sending: its own clock stood still, the
/// time of day did not, and others may have taken the process for dead.
#[tokio::test(start_paused = true)]
async fn nothing_is_sent_after_the_machine_was_suspended() {
    struct Suspends(Arc<World>, AtomicBool);
    #[async_trait::async_trait]
    impl FailPoints for Suspends {
        async fn reached(&self, moment: FailPoint, _what: &str) {
            if moment == FailPoint::BeforeSend && !self.1.swap(true, Ordering::SeqCst) {
                self.0.wait(std::time::Duration::from_hours(1));
            }
        }
    }
    let world = World::new();
    let suspends = Arc::new(Suspends(Arc::clone(&world), AtomicBool::new(false)));
    let engine = world.engine_over(Arc::new(MemoryStore::audited()), suspends);
    engine.start().await.unwrap();
    let scene = Scene { world, engine };
    let id = scene.submit(Kind::Deposit).await;
    // The schedule looks again within half a minute.
    scene.pass(60).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
    let unsent =
        scene.tells_of(id).await.into_iter().filter(|event| {
            matches!(event, Event::Concluded { outcome: Outcome::NotSent { .. }, .. })
        });
    assert_eq!((unsent.count(), scene.sent("collect")), (1, 1), "not the old intent: a new one");
}

/// The same, while the adapter waits for a session or a connection: the transport sends nothing
/// then.
#[tokio::test(start_paused = true)]
async fn nothing_is_sent_by_an_adapter_that_was_suspended() {
    let scene = Scene::open(World::new()).await;
    scene.world.script().suspended = Some(std::time::Duration::from_hours(1));
    let id = scene.submit(Kind::Deposit).await;
    scene.pass(60).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
    let unsent =
        scene.tells_of(id).await.into_iter().filter(|event| {
            matches!(event, Event::Concluded { outcome: Outcome::NotSent { .. }, .. })
        });
    assert_eq!((unsent.count(), scene.sent("collect")), (1, 1));
}

/// A booking that is sent again is booked on the day of its first sending, not of the last.
#[tokio::test(start_paused = true)]
async fn a_booking_that_is_sent_again_is_of_its_first_day() {
    let scene = Scene::open(World::new()).await;
    for _ in 0..2 {
        scene.world.script().posts.push_back(Outcome::unknown("lost"));
    }
    scene.world.script().core_finds = Some(Finding::Absent);
    let id = scene.submit(Kind::Deposit).await;
    scene.pass(600).await;
    assert_eq!(scene.show(id).await.status, Status::Completed);
    let booked_at = scene.world.script().booked_at.clone();
    let first = booked_at[0];
    assert_eq!(booked_at, [first; 3]);
}

#[test]
fn a_refusal_for_now_is_of_the_whole_operation_or_of_one_step() {
    let refused = |retry, reason| Rejection { retry, ..rejection(reason) };
    for (operation, retry, reason, expected) in [
        (
            Operation::PayOut,
            Retry::NewReference,
            Reason::InsufficientFunds,
            Some(Condition::FloatEmpty),
        ),
        (Operation::Collect, Retry::NewReference, Reason::InsufficientFunds, None),
        (Operation::PayOut, Retry::Never, Reason::InsufficientFunds, None),
        (
            Operation::Collect,
            Retry::AfterRepair,
            Reason::Configuration,
            Some(Condition::NeedsRepair),
        ),
        (
            Operation::PayOut,
            Retry::NewReference,
            Reason::SessionBlocked,
            Some(Condition::SessionBlocked),
        ),
        (Operation::Deposit, Retry::AfterRepair, Reason::Configuration, None),
    ] {
        assert_eq!(Condition::of(operation, &refused(retry, reason)), expected, "{operation:?}");
    }
}

/// The core answers "busy, nothing recorded" and executes a copy of the request all the same. A day
/// later the withdrawal would be given up; the process dies after any of its commits. The core is
/// asked first: the customer was debited, and is paid once.
#[tokio::test(start_paused = true)]
async fn a_withdrawal_that_was_answered_is_not_given_up_while_the_core_has_booked_it() {
    let mut paid = 0;
    for commits in 1..9 {
        let world = World::new();
        {
            let mut script = world.script();
            let busy = || Outcome::not_recorded("a job is running");
            script.posts.extend((0..200).map(|_| busy()));
            script.core_finds = Some(executed("900001"));
        }
        let scene = dying(Arc::clone(&world), commits, async |scene| {
            let new = transfer(Kind::Withdrawal, "500");
            let submitted = submit(&scene.engine, "1", new);
            let _ = tokio::time::timeout(Duration::from_millis(500), submitted).await;
            // A payout over which the process dies was executed.
            for row in scene.all().await {
                let payout = Reference::new(row.id, StepName::Second, 0);
                scene.world.script().truth.insert(payout, executed("QX1"));
            }
            let opens_at = scene.world.now().after(DAY);
            scene.world.script().opens_at = Some(opens_at);
            scene.pass(24 * 3_600).await;
            scene.world.script().opens_at = None;
            scene.pass(60).await;
        });
        for shown in scene.await.all().await {
            assert_eq!(shown.status, Status::Completed, "{commits}");
            let sent = &world.script().sent;
            assert!(sent.iter().filter(|it| it.starts_with("pay_out")).count() <= 1, "{commits}");
            paid += 1;
        }
    }
    assert!(paid >= 6, "{paid}");
}
