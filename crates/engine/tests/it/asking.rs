use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kiungo_domain::transfer::Status;
use kiungo_domain::{Kind, Timestamp};
use kiungo_engine::request::AskError;
use tokio::task::JoinSet;

use crate::world::{World, provider_id, submit, transfer, tzs};

/// Asks for the balance this many times while no answer comes; returns the number of requests that
/// were shed.
async fn clicking(world: &Arc<World>, engine: &kiungo_engine::Engine, clicks: usize) -> usize {
    world.balance_hangs.store(true, Ordering::SeqCst);
    let mut asking = JoinSet::new();
    for _ in 0..clicks {
        let engine = engine.clone();
        asking.spawn(async move { engine.balance(&provider_id()).await.unwrap() });
    }
    let mut shed = 0;
    while let Ok(Some(answer)) =
        tokio::time::timeout(Duration::from_secs(1), asking.join_next()).await
    {
        match answer.unwrap() {
            Err(AskError::Shed { retry_after }) => {
                assert!(retry_after >= Duration::from_secs(1), "{retry_after:?}");
                shed += 1;
            }
            other => panic!("answered: {other:?}"),
        }
    }
    asking.detach_all();
    shed
}

#[tokio::test(start_paused = true)]
async fn a_client_that_clicks_holds_no_transfer_up() {
    let world = World::new();
    world.script().float = Some(tzs("900"));
    let engine = world.engine();
    engine.start().await.unwrap();
    let shed = clicking(&world, &engine, 200).await;
    let asked = usize::try_from(world.balances_asked.load(Ordering::SeqCst)).unwrap();
    assert_eq!((asked, shed), (16, 184), "a quarter of the 64 that may be in flight");
    let id = submit(&engine, "k", transfer(Kind::Deposit, "500")).await.unwrap().first.id;
    let began = tokio::time::Instant::now();
    while engine.store().summary(id).await.unwrap().unwrap().status != Status::Completed {
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(began.elapsed() < Duration::from_secs(5), "held up");
    }
}

#[tokio::test(start_paused = true)]
async fn a_balance_is_not_asked_for_while_the_provider_is_closed() {
    let world = World::new();
    world.script().float = Some(tzs("900"));
    let engine = world.engine();
    assert_eq!(engine.balance(&provider_id()).await.unwrap(), Ok(tzs("900")));
    world.script().opens_at = Some(Timestamp::from_micros(i64::MAX));
    let shed = engine.balance(&provider_id()).await.unwrap();
    assert!(matches!(shed, Err(AskError::Shed { .. })), "{shed:?}");
    assert_eq!(world.balances_asked.load(Ordering::SeqCst), 1);
}
