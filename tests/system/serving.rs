//! Serving, stopping, starting again.

use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use crate::kiungo::{Installation, Making, Serving, Wanted};
use crate::world::{KINDS, PROVIDERS, World};

/// Transfers of every kind at every provider, this many times.
pub(crate) fn wants(world: &World, times: usize) -> Vec<Wanted> {
    let each = || PROVIDERS.into_iter().flat_map(|p| KINDS.map(|kind| Wanted::new(world, kind, p)));
    (0..times).flat_map(|_| each()).collect()
}

/// Submits again (the same keys), waits until all are completed, and audits.
pub(crate) async fn settle(world: &World, serving: &Serving, wants: &[Wanted]) {
    settle_as(world, serving, wants, |transfer| transfer["status"] == "completed").await;
}

/// The same after a kill: an operation that the process had intended and not sent yet never arrives,
/// and its transfer fails or is reversed.
async fn settle_after_kill(world: &World, serving: &Serving, wants: &[Wanted]) {
    let is_expected = |transfer: &Value| {
        transfer["status"] == "completed" || transfer["rejection"]["reason"] == "never_arrived"
    };
    settle_as(world, serving, wants, is_expected).await;
}

async fn settle_as(
    world: &World,
    serving: &Serving,
    wants: &[Wanted],
    is_expected: impl Fn(&Value) -> bool,
) {
    let mut claims = Vec::new();
    for wanted in wants {
        let first = serving.submit(wanted).await.expect("an answer");
        let transfer = serving.until_final(first["id"].as_str().unwrap()).await;
        assert!(is_expected(&transfer), "{transfer}");
        claims.push(wanted.claim(&transfer));
    }
    let audit = world.audit(&claims);
    assert!(audit.is_clean(), "{audit:?}");
}

#[tokio::test]
async fn every_kind_completes_at_every_provider_and_a_stop_is_graceful() {
    let world = World::start().await;
    let installation = Installation::new(&world);
    let serving = installation.serve(&[]).await;
    assert!(serving.resident_kb() < 60_000, "{} kB resident at rest", serving.resident_kb());
    let wants = wants(&world, 1);
    settle(&world, &serving, &wants).await;
    assert!(serving.stop().await.success(), "{}", installation.log());
    assert!(installation.log().contains("clean=true"), "{}", installation.log());
}

#[tokio::test]
async fn work_left_by_a_stop_is_finished_after_the_next_start() {
    let world = World::start().await;
    let installation = Installation::new(&world);
    let serving = installation.serve(&[]).await;
    let wants = wants(&world, 5);
    for wanted in &wants {
        assert!(serving.submit(wanted).await.is_some());
    }
    assert!(serving.stop().await.success(), "{}", installation.log());
    let serving = installation.serve(&[]).await;
    settle(&world, &serving, &wants).await;
    assert!(serving.stop().await.success());
}

#[tokio::test]
async fn work_left_by_a_kill_is_finished_after_the_next_start() {
    kill_and_go_on(Installation::in_sqlite).await;
}

#[cfg(feature = "postgres-tests")]
#[tokio::test]
async fn work_left_by_a_kill_in_postgres_is_finished_after_the_next_start() {
    kill_and_go_on(crate::postgres::installation).await;
}

async fn kill_and_go_on(make: Making) {
    let world = World::start().await;
    let installation = make(&world).await;
    let serving = installation.serve(&[]).await;
    let before = wants(&world, 1);
    settle(&world, &serving, &before).await;
    let during = wants(&world, 2);
    for wanted in &during {
        assert!(serving.submit(wanted).await.is_some());
    }
    serving.kill().await;
    let serving = installation.serve(&[]).await;
    let all: Vec<_> = before.into_iter().chain(during).chain(wants(&world, 1)).collect();
    settle_after_kill(&world, &serving, &all).await;
    assert!(serving.stop().await.success(), "{}", installation.log());
}

#[tokio::test]
async fn a_core_that_is_down_at_the_start_is_connected_to_later() {
    let world = World::start().await;
    let reserved = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = reserved.local_addr().unwrap().to_string();
    drop(reserved);
    let installation = Installation::with_core_at(&world, &format!("http://{address}"));
    let serving = installation.serve(&[]).await;
    assert!(installation.log().contains("the least is assumed"), "{}", installation.log());
    world.put_up_core_at(&address).await;
    settle(&world, &serving, &wants(&world, 1)).await;
    while !installation.log().contains("resend_is_idempotent=true") {
        sleep(Duration::from_millis(100)).await;
    }
    assert!(serving.stop().await.success());
}
