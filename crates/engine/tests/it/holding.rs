//! Holds that are changed while they are read.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::hold::Condition;
use kiungo_domain::transfer::Operation;
use kiungo_store::Store;

use crate::evidence::Office;
use crate::faulty::FaultyStore;
use crate::world::{World, Yielding, provider_id};

/// What is read of the holds was held before a person held one more: that one stays.
#[tokio::test(start_paused = true)]
async fn a_hold_outlasts_what_was_read_before_it() {
    let world = World::new();
    let store = Arc::new(FaultyStore::new());
    let engine = world.engine_over(Arc::clone(&store) as Arc<dyn Store>, Arc::new(Yielding));
    engine.start().await.unwrap();
    let office = Office { world, engine };
    let (go_on, slow) = tokio::sync::oneshot::channel();
    *store.slow_holds.lock().unwrap() = Some(slow);
    office.pass(6).await;
    assert!(store.slow_holds.lock().unwrap().is_none(), "it is being read");
    let (provider, operation) = (provider_id(), Operation::PayOut);
    office.engine.hold_operation(&provider, operation, "asha", "moved").await.unwrap();
    go_on.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    let held = office.engine.holds(&provider);
    assert_eq!(held.iter().map(|it| it.condition).collect::<Vec<_>>(), [Condition::Person]);
}
