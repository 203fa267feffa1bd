//! Sessions, and who may do what.

use std::time::Duration;

use kiungo_simulator::testing::{call, no_faults};
use kiungo_simulator_mpesa::new_private_key;
use kiungo_simulator_mpesa::options::Options;

use super::{ID, MSISDN, b2c, c2b, closed, code, encrypt, is, options, world};

#[tokio::test(start_paused = true)]
async fn a_session_is_opened_with_the_api_key_and_used_from_its_activation_to_its_end() {
    let options =
        Options { session_activation_ms: 30_000, session_lifetime_ms: 600_000, ..options() };
    let mut world = closed(options, no_faults());
    let published = call(&world.router, "GET", "/_sim/public-key", &[], "").await;
    assert_eq!(published.text, world.simulator.public_key());
    let wrong = encrypt(&world.simulator, "another key");
    let refused = world.send("GET", "vodacomTZN/getSession/", &wrong, "").await;
    is(&refused, 400, "INS-989");
    assert!(refused.json().get("output_SessionID").is_none());
    is(&world.send("GET", "vodacomTZN/getSession/", "Bearer plain", "").await, 400, "INS-989");
    world.bearer = world.session().await;
    is(&world.collect(&c2b(ID, MSISDN, "5")).await, 401, "");
    tokio::time::sleep(Duration::from_secs(31)).await;
    is(&world.collect(&c2b(ID, MSISDN, "5")).await, 201, "INS-0");
    // The same session under another ciphertext, and the API key where a session belongs.
    let key = encrypt(&world.simulator, &Options::default().api_key);
    let body = c2b("OTHER", MSISDN, "5").to_string();
    let c2b_path = "vodacomTZN/c2bPayment/singleStage/";
    is(&world.send("POST", c2b_path, &key, &body).await, 401, "");
    tokio::time::sleep(Duration::from_mins(10)).await;
    is(&world.collect(&c2b("OTHER", MSISDN, "5")).await, 401, "");
    assert_eq!(world.moved(), 1);
}

#[tokio::test(start_paused = true)]
async fn sessions_overlap_or_replace_each_other() {
    for (sessions_overlap, status) in [(true, 201), (false, 401)] {
        let world = world(Options { sessions_overlap, ..options() }, no_faults()).await;
        let second = world.session().await;
        assert_ne!(second, world.bearer);
        assert_eq!(world.collect(&c2b(ID, MSISDN, "5")).await.status, status);
        let body = c2b("B", MSISDN, "5").to_string();
        let path = "vodacomTZN/c2bPayment/singleStage/";
        assert_eq!(world.send("POST", path, &second, &body).await.status, 201);
    }
}

#[tokio::test(start_paused = true)]
async fn a_path_without_its_slash_or_in_another_environment_is_not_found() {
    let world = world(options(), no_faults()).await;
    for path in ["c2bPayment/singleStage", "getSession", "unknown/", "c2bPayment/"] {
        assert_eq!(world.ask("POST", path, &c2b(ID, MSISDN, "5")).await.status, 404, "{path}");
    }
    let path = "/openapi/ipg/v2/vodacomTZN/c2bPayment/singleStage/";
    assert_eq!(call(&world.router, "POST", path, &[], "").await.status, 404);
    let body = c2b(ID, MSISDN, "5").to_string();
    let elsewhere = "vodafoneGHA/c2bPayment/singleStage/";
    is(&world.send("POST", elsewhere, &world.bearer, &body).await, 400, "INS-998");
}

#[tokio::test(start_paused = true)]
async fn origin_products_and_hours_are_enforced() {
    let open = Options { origin: Some("mfi.example".into()), ..options() };
    let world_open = world(open, no_faults()).await;
    is(&world_open.collect(&c2b(ID, MSISDN, "5")).await, 201, "INS-0");
    let path = "/sandbox/ipg/v2/vodacomTZN/c2bPayment/singleStage/";
    let foreign = [("authorization", world_open.bearer.as_str()), ("origin", "evil.example")];
    let body = c2b("B", MSISDN, "5").to_string();
    assert_eq!(call(&world_open.router, "POST", path, &foreign, &body).await.status, 403);

    let disabled = ["b2cPayment".to_owned()].into();
    let without = world(Options { disabled, ..options() }, no_faults()).await;
    is(&without.ask("POST", "b2cPayment/", &b2c(ID, MSISDN, "5")).await, 400, "INS-997");
    is(&without.collect(&c2b(ID, MSISDN, "5")).await, 201, "INS-0");

    // It is 12:30 in Dar es Salaam.
    for (hours, expected) in [((8, 12), "INS-996"), ((8, 13), "INS-0"), ((22, 6), "INS-996")] {
        let timed = world(Options { hours: Some(hours), ..options() }, no_faults()).await;
        let answer = timed.collect(&c2b(ID, MSISDN, "5")).await;
        assert_eq!(code(&answer).1, expected, "{hours:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_is_wrong_no_session_is_granted_by_the_same_code() {
    let options = Options { origin: Some("mfi.example".into()), ..options() };
    let world = closed(options, no_faults());
    let key = encrypt(&world.simulator, &Options::default().api_key);
    let path = "/sandbox/ipg/v2/vodacomTZN/getSession/";
    for origin in [None, Some("evil.example")] {
        let mut headers = vec![("authorization", key.as_str())];
        headers.extend(origin.map(|origin| ("origin", origin)));
        is(&call(&world.router, "GET", path, &headers, "").await, 400, "INS-989");
    }
    is(&call(&world.router, "GET", path, &[("origin", "mfi.example")], "").await, 400, "INS-989");
    is(&world.send("GET", "vodafoneGHA/getSession/", &key, "").await, 400, "INS-989");
    is(&world.send("GET", "vodacomTZN/getSession/", &key, "").await, 200, "INS-0");
}

#[tokio::test(start_paused = true)]
async fn a_private_key_of_the_options_outlives_the_market() {
    let private_key = new_private_key();
    let with_key = || Options { private_key: private_key.clone(), ..options() };
    let before = closed(with_key(), no_faults()).simulator.public_key();
    let after = closed(with_key(), no_faults());
    assert_eq!(after.simulator.public_key(), before);
    assert_ne!(closed(options(), no_faults()).simulator.public_key(), before);
    let key = encrypt(&after.simulator, &Options::default().api_key);
    is(&after.send("GET", "vodacomTZN/getSession/", &key, "").await, 200, "INS-0");
}

#[tokio::test(start_paused = true)]
async fn a_private_key_that_is_none_grants_no_session() {
    let options = Options { private_key: Some("c2VzYW1l".to_owned()), ..options() };
    let market = closed(options, no_faults());
    assert_eq!(market.simulator.public_key(), "");
    is(&market.send("GET", "vodacomTZN/getSession/", "Bearer c2VzYW1l", "").await, 400, "INS-989");
}
