//! Correlation ids are used once.

use std::sync::Arc;

use kiungo_simulator::testing::{call, no_faults, settle};
use kiungo_simulator_gsma::options::{Credentials, Flow, Options};

use super::{BASE, ID, collection, error, expected, world, world_with};

#[tokio::test(start_paused = true)]
async fn a_second_use_of_a_correlation_id_is_refused_and_changes_nothing() {
    let world = world(Flow::Synchronous);
    assert_eq!(world.collect(ID, "5").await.status, 201);
    let again = world.collect(&ID.to_uppercase(), "5").await;
    assert_eq!(error(&again), expected(400, "businessRule", "duplicateRequest"));
    assert_eq!(world.moved(), 1);
    // On GET the header is ignored.
    let path = format!("{BASE}/accounts/balance");
    let read = call(&world.router, "GET", &path, &[("x-correlationid", ID)], "").await;
    assert_eq!(read.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_simultaneous_duplicates_move_money_once() {
    let world = Arc::new(world_with(
        Options { flow: Flow::Synchronous, delay_ms: 50, ..Options::default() },
        no_faults(),
    ));
    let tasks: Vec<_> = (0..1_000)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move { world.collect(ID, "5").await.status })
        })
        .collect();
    let mut created = 0;
    for task in tasks {
        created += usize::from(task.await.unwrap() == 201);
    }
    assert_eq!((created, world.moved()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_rejection_of_a_duplicate_can_come_by_callback() {
    let options = Options { asynchronous_duplicates: true, ..Options::default() };
    let world = world_with(options, no_faults());
    world.collect(ID, "5").await;
    settle().await;
    assert_eq!(world.collect(ID, "5").await.status, 202);
    settle().await;
    let received = world.mailbox.received();
    assert_eq!(received[1].body["errorCode"], "duplicateRequest");
    assert_eq!(received[1].headers["x-correlationid"], ID);
    let link = world.get(&format!("/responses/{ID}")).await.json();
    assert!(link["link"].as_str().unwrap().starts_with("/transactions/"));
    assert_eq!(world.moved(), 1);
}

#[tokio::test(start_paused = true)]
async fn correlation_ids_are_kept_apart_by_client() {
    let mut options = Options { flow: Flow::Synchronous, ..Options::default() };
    options.security.basic = Some(Credentials { name: "mfi".into(), secret: "s3".into() });
    options.security.oauth = Some(Credentials { name: "key".into(), secret: "secret".into() });
    let world = world_with(options, no_faults());
    let form = ("content-type", "application/x-www-form-urlencoded");
    let consumer = ("authorization", "Basic a2V5OnNlY3JldA==");
    let grant = "grant_type=client_credentials";
    let token =
        call(&world.router, "POST", "/v1/oauth/accesstoken", &[consumer, form], grant).await;
    let bearer = format!("Bearer {}", token.json()["access_token"].as_str().unwrap());
    let path = format!("{BASE}/transactions/type/merchantpay");
    for (authorization, status) in
        [("Basic bWZpOnMz", 201), (&bearer, 201), ("Basic bWZpOnMz", 400), (&bearer, 400)]
    {
        let headers = [("x-correlationid", ID), ("authorization", authorization)];
        let body = collection("5").to_string();
        let answer = call(&world.router, "POST", &path, &headers, &body).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    let mut links = Vec::new();
    for authorization in ["Basic bWZpOnMz", &bearer] {
        let path = format!("{BASE}/responses/{ID}");
        let headers = [("authorization", authorization)];
        links.push(call(&world.router, "GET", &path, &headers, "").await.text);
    }
    assert_ne!(links[0], links[1]);
}
