//! Authentication: the callers that are let in.

use std::time::Duration;

use kiungo_simulator::faults::Fault;
use kiungo_simulator::testing::{always, call, no_faults};
use kiungo_simulator_gsma::options::{Credentials, Flow, Options};
use serde_json::json;

use super::{BASE, ID, collection, error, expected, world_with};

#[tokio::test(start_paused = true)]
async fn basic_and_api_key_are_checked() {
    let mut options = Options { flow: Flow::Synchronous, ..Options::default() };
    options.security.basic = Some(Credentials { name: "mfi".into(), secret: "s3".into() });
    options.security.api_key = Some("k1".into());
    let world = world_with(options, no_faults());
    let path = format!("{BASE}/accounts/balance");
    for headers in [
        &[][..],
        &[("x-api-key", "k1")],
        &[("authorization", "Basic bWZpOnMz")],
        &[("authorization", "Basic bWZpOnMz"), ("x-api-key", "k2")],
        &[("authorization", "Basic bWZpOng="), ("x-api-key", "k1")],
        &[("authorization", "Bearer x"), ("x-api-key", "k1")],
    ] {
        let answer = call(&world.router, "GET", &path, headers, "").await;
        assert_eq!(error(&answer), expected(401, "authorisation", "clientAuthorisationError"));
    }
    let good = [("authorization", "Basic bWZpOnMz"), ("x-api-key", "k1")];
    assert_eq!(call(&world.router, "GET", &path, &good, "").await.status, 200);
    assert_eq!(world.get("/heartbeat").await.json(), json!({ "serviceStatus": "available" }));
}

#[tokio::test(start_paused = true)]
async fn tokens_are_given_expire_and_are_revoked() {
    let mut options = Options::default();
    options.security.oauth = Some(Credentials { name: "key".into(), secret: "secret".into() });
    options.security.token_lifetime_s = 60;
    let world = world_with(options, no_faults());
    let basic = ("authorization", "Basic a2V5OnNlY3JldA==");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let ask = |basic: (&'static str, &'static str), body: &'static str| {
        let router = world.router.clone();
        async move { call(&router, "POST", "/v1/oauth/accesstoken", &[basic, form], body).await }
    };
    assert_eq!(
        ask(("authorization", "Basic x"), "grant_type=client_credentials").await.status,
        401
    );
    assert_eq!(ask(basic, "grant_type=password").await.status, 400);
    let token = ask(basic, "grant_type=client_credentials").await;
    assert_eq!(token.headers["cache-control"], "no-store");
    assert_eq!(token.json()["expires_in"], 60);
    let bearer = format!("Bearer {}", token.json()["access_token"].as_str().unwrap());
    let path = format!("{BASE}/accounts/balance");
    let read = async || call(&world.router, "GET", &path, &[("authorization", &bearer)], "").await;
    assert_eq!(read().await.status, 200);
    tokio::time::sleep(Duration::from_secs(61)).await;
    let expired = read().await;
    assert_eq!(expired.status, 401);
    assert!(expired.json()["fault"].is_object(), "the gateway's own form: {}", expired.text);
    let fresh = ask(basic, "grant_type=client_credentials").await.json();
    let fresh = format!("Bearer {}", fresh["access_token"].as_str().unwrap());
    assert_eq!(call(&world.router, "DELETE", "/_sim/tokens", &[], "").await.status, 204);
    let revoked = call(&world.router, "GET", &path, &[("authorization", &fresh)], "").await;
    assert_eq!(revoked.status, 401);
}

#[tokio::test(start_paused = true)]
async fn a_date_far_from_now_is_refused_where_the_provider_looks_at_it() {
    let mut options = Options { flow: Flow::Synchronous, ..Options::default() };
    options.security.date_deviation_s_max = Some(60);
    let world = world_with(options, no_faults());
    let path = format!("{BASE}/transactions/type/merchantpay");
    for (date, status) in [
        ("2026-03-01T09:28:00Z", 400),
        ("2026-03-01T09:32:00Z", 400),
        ("2026-03-01T09:30:30Z", 201),
    ] {
        let headers = [("x-correlationid", ID), ("x-date", date)];
        let body = collection("5").to_string();
        let answer = call(&world.router, "POST", &path, &headers, &body).await;
        assert_eq!(answer.status, status, "{date}: {}", answer.text);
    }
}

#[tokio::test(start_paused = true)]
async fn the_token_endpoint_and_the_heartbeat_go_wrong_too() {
    let faults = always("*", Fault::ErrorBefore);
    let mut options = Options::default();
    options.security.oauth = Some(Credentials { name: "key".into(), secret: "secret".into() });
    let world = world_with(options, faults);
    let consumer = [("authorization", "Basic a2V5OnNlY3JldA==")];
    let grant = "grant_type=client_credentials";
    let token = call(&world.router, "POST", "/v1/oauth/accesstoken", &consumer, grant).await;
    assert!(token.status >= 500);
    assert!(world.get("/heartbeat").await.status >= 500);
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_says_when_the_service_will_be_back() {
    let options = Options { service_status: "degraded".into(), ..Options::default() };
    let world = world_with(options, no_faults());
    let expected = json!({
        "serviceStatus": "degraded", "delay": 100, "plannedRestorationTime": "2026-03-01T10:30:00Z",
    });
    assert_eq!(world.get("/heartbeat").await.json(), expected);
}
