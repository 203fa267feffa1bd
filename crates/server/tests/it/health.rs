use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use kiungo_server::ServerOptions;
use serde_json::json;

use crate::world::{Answer, World, options};

async fn get(world: &World, path: &str) -> Answer {
    world.send(Request::get(path).body(Body::empty()).unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn readiness_is_the_engines_and_the_databases() {
    let world = World::new();
    assert_eq!(get(&world, "/healthz").await.json(), json!({ "status": "ok" }));
    assert_eq!(get(&world, "/readyz").await.json(), json!({ "status": "ready" }));
    world.readiness.set(false);
    let answer = get(&world, "/readyz").await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (503, "not_ready"));
    world.readiness.set(true);
    world.database.down.store(true, Ordering::SeqCst);
    assert_eq!(get(&world, "/readyz").await.problem(), "store_unavailable");
    world.database.hangs.store(true, Ordering::SeqCst);
    let began = tokio::time::Instant::now();
    assert_eq!(get(&world, "/readyz").await.problem(), "store_unavailable");
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    assert_eq!(get(&world, "/healthz").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn metrics_tell_how_things_stand() {
    let world = World::new();
    world.created("k1").await;
    let answer = world.get("reader", "/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").unwrap().starts_with("text/plain"));
    let text = answer.text();
    insta::assert_snapshot!("metrics", text);
    // A second transfer is not seen within the second, and is seen after it.
    world.created("k2").await;
    let line = |count| {
        format!(
            "kiungo_transfers{{kind=\"deposit\",provider=\"mpesa-tz\",status=\"received\"}} {count}\n"
        )
    };
    assert!(world.get("reader", "/metrics").await.text().contains(&line(1)));
    tokio::time::sleep(Duration::from_millis(1001)).await;
    assert!(world.get("reader", "/metrics").await.text().contains(&line(2)));
}

#[tokio::test(start_paused = true)]
async fn without_a_database_the_metrics_say_so() {
    let world = World::new();
    world.database.down.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        let text = world.get("reader", "/metrics").await.text();
        assert!(text.contains("kiungo_store_up 0\n") && text.contains("kiungo_breaker_state"));
        assert!(!text.contains("\nkiungo_transfers"), "{text}");
        world.database.hangs.store(true, Ordering::SeqCst);
    }
    for path in ["/v1/transfers", "/v1/cases", "/v1/suspense"] {
        world.database.hangs.store(false, Ordering::SeqCst);
        let answer = world.get("reader", path).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (503, "store_unavailable"));
    }
}

#[tokio::test]
async fn metrics_are_open_only_if_told() {
    let world = World::with(ServerOptions { metrics_open: true, ..options() });
    assert_eq!(get(&world, "/metrics").await.status, 200);
    assert_eq!(get(&World::new(), "/metrics").await.status, 401);
}

#[tokio::test]
async fn every_answer_is_dressed() {
    let world = World::new();
    for path in ["/healthz", "/nothing", "/v1/transfers", "/docs"] {
        let answer = get(&world, path).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert!(
            answer.header("content-security-policy").unwrap().starts_with("default-src 'none'")
        );
        assert!(answer.header("cache-control").is_some());
        assert!(answer.header("x-request-id").is_some());
    }
    let named = Request::get("/healthz").header("x-request-id", "call-17");
    let answer = world.send(named.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.header("x-request-id"), Some("call-17"));
}
