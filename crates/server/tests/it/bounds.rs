//! Time, places and panics.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes};
use http::Request;
use http_body_util::{BodyExt, channel::Channel};
use kiungo_api::testing::Conduct;
use kiungo_server::ServerOptions;

use crate::world::{SECRET, World, creation, deposit, options, send};

#[tokio::test(start_paused = true)]
async fn a_request_that_is_not_answered_in_time_is_ended() {
    let world = World::new();
    *world.fake.conduct.lock().unwrap() = Conduct::Hangs;
    let began = tokio::time::Instant::now();
    let answer = world.create("k", &deposit()).await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (408, "request_timeout"));
    assert_eq!(began.elapsed(), Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_is_ended() {
    let world = World::new();
    let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(8);
    let trickle = tokio::spawn(async move {
        while sender.send_data(Bytes::from_static(b" ")).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let answer = world.send(creation("clerk", "k", Body::new(body))).await;
    assert_eq!(answer.problem(), "request_timeout");
    trickle.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stops_on_the_way_is_ended_sooner() {
    let world = World::new();
    let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(8);
    sender.send_data(Bytes::from_static(b"{\"kind\":")).await.unwrap();
    let began = tokio::time::Instant::now();
    let answer = world.send(creation("clerk", "k", Body::new(body))).await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (408, "request_timeout"));
    assert_eq!(began.elapsed(), Duration::from_secs(10));
    drop(sender);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let world = World::new();
    let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(8);
    sender.send_data(Bytes::from_static(b"{\"kind\":")).await.unwrap();
    sender.abort(std::io::ErrorKind::ConnectionReset.into());
    let answer = world.send(creation("clerk", "k", Body::new(body.boxed()))).await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (400, "malformed_request"));
}

#[tokio::test]
async fn a_panic_is_a_problem_and_the_server_goes_on() {
    let world = World::new();
    *world.fake.conduct.lock().unwrap() = Conduct::Panics;
    let answer = world.create("k", &deposit()).await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (500, "internal"));
    assert!(!answer.text().contains("as told"));
    *world.fake.conduct.lock().unwrap() = Conduct::Prompt;
    assert_eq!(world.create("k", &deposit()).await.status, 202);
}

/// A world in which one request of the clerk hangs.
async fn occupied(options: ServerOptions) -> Arc<World> {
    let world = Arc::new(World::with(options));
    *world.fake.conduct.lock().unwrap() = Conduct::Hangs;
    let hanging = Arc::clone(&world);
    tokio::spawn(async move { hanging.create("k", &deposit()).await });
    tokio::task::yield_now().await;
    *world.fake.conduct.lock().unwrap() = Conduct::Prompt;
    world
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_all_its_places_is_told_to_wait() {
    let world = occupied(ServerOptions { client_in_flight_max: 1, ..options() }).await;
    let answer = world.create("k2", &deposit()).await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (429, "too_many_requests"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(world.get("operator", "/v1/transfers").await.status, 200);
    // Its place comes free when the hanging request is ended.
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert_eq!(world.create("k2", &deposit()).await.status, 202);
}

#[tokio::test(start_paused = true)]
async fn a_full_server_turns_requests_away_and_still_takes_callbacks() {
    let world = occupied(ServerOptions { api_in_flight_max: 1, ..options() }).await;
    let answer = world.get("operator", "/v1/transfers").await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (503, "overloaded"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    let path = format!("/callbacks/mpesa-tz/{SECRET}/result");
    assert_eq!(world.send(Request::post(path).body(Body::from("x")).unwrap()).await.status, 202);
    assert_eq!(world.get("", "/healthz").await.status, 200);
    assert_eq!(world.get("reader", "/metrics").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn callbacks_have_a_bound_of_their_own() {
    let world = Arc::new(World::with(ServerOptions { callbacks_in_flight_max: 1, ..options() }));
    let path = format!("/callbacks/mpesa-tz/{SECRET}/result");
    let call = || Request::post(&path).body(Body::from("x")).unwrap();
    world.database.hangs.store(true, Ordering::SeqCst);
    let (router, hanging) = (world.router.clone(), call());
    tokio::spawn(async move { send(&router, hanging).await });
    tokio::task::yield_now().await;
    let answer = world.send(call()).await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (503, "overloaded"));
    // A caller without the secret takes no place and learns nothing.
    let stranger = Request::post("/callbacks/mpesa-tz/x/result").body(Body::from("x")).unwrap();
    assert_eq!(world.send(stranger).await.status, 404);
}
