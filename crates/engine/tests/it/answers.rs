//! Inquiries that a provider answers by callback: nothing hangs, and a claim alone settles nothing.

use std::time::Duration;

use bytes::Bytes;
use kiungo_domain::transfer::{Kind, Status, StepName};
use kiungo_domain::{Finding, Reference};
use kiungo_engine::Engine;
use kiungo_provider::RawCallback;

use crate::world::{World, provider_id, submit, transfer};

async fn notify(engine: &Engine, what: &str, reference: Reference, receipt: &str) {
    let callback = RawCallback {
        method: "POST".to_owned(),
        path: "results".to_owned(),
        headers: Vec::new(),
        body: Bytes::from(format!("{what} {} {receipt}", reference.hyphenated())),
    };
    engine.callback(&provider_id(), callback).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_callbacks_claim_is_asked_about_and_the_answer_settles_it() {
    let world = World::new();
    *world.answers_by_callback.lock().unwrap() = true;
    let engine = world.engine();
    let submitted = submit(&engine, "one", transfer(Kind::Deposit, "500")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let id = submitted.first.id;
    let status = async || engine.store().transfer(id).await.unwrap().unwrap().status();
    assert_eq!(status().await, Status::AwaitingCustomer);

    let reference = Reference::new(id, StepName::First, 0);
    notify(&engine, "result", reference, "executed 7KX21QD40B").await;
    let asked = world.asked_about.lock().unwrap().clone();
    assert!(matches!(&asked[..], [Finding::Executed(_)]), "{asked:?}");
    assert_eq!(status().await, Status::AwaitingCustomer, "a claim settles nothing");

    notify(&engine, "answer", reference, "7KX21QD40B").await;
    assert_eq!(status().await, Status::Completed);
    let known = engine.store().transfer(id).await.unwrap().unwrap();
    let receipt = known.step(StepName::First).confirmation().unwrap().receipt.clone();
    assert_eq!(receipt.as_str(), "7KX21QD40B");
    assert_eq!(world.asked_about.lock().unwrap().len(), 1, "an answer causes no question");

    // An answer about an attempt that was never made is asked about, and recorded as a
    // contradiction.
    let other = Reference::new(id, StepName::First, 1);
    notify(&engine, "result", other, "executed 7KX21QD40C").await;
    assert_eq!(world.asked_about.lock().unwrap().len(), 2);
    notify(&engine, "answer", other, "7KX21QD40C").await;
    let cases = engine.store().cases(None, 10).await.unwrap().rows;
    assert!(cases.iter().any(|case| case.transfer == Some(id)), "{cases:?}");
}

/// A provider knows nothing of a booking: what names one is neither asked about nor recorded.
#[tokio::test(start_paused = true)]
async fn a_callback_that_names_a_booking_of_the_core_is_kept_and_settles_nothing() {
    let world = World::new();
    *world.answers_by_callback.lock().unwrap() = true;
    let engine = world.engine();
    let submitted = submit(&engine, "one", transfer(Kind::Deposit, "500")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let id = submitted.first.id;
    let before = engine.store().transfer(id).await.unwrap().unwrap();

    let booking = Reference::new(id, StepName::Second, 0);
    notify(&engine, "result", booking, "executed 7KX21QD40B").await;
    notify(&engine, "answer", booking, "7KX21QD40B").await;
    assert!(world.asked_about.lock().unwrap().is_empty());
    assert_eq!(engine.store().transfer(id).await.unwrap().unwrap(), before);
    let quarantined = engine.store().overview(before.updated_at()).await.unwrap().quarantined;
    assert_eq!(quarantined, 2);
}
