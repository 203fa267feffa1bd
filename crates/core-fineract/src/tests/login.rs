//! Logging in with `OAuth2`.

use std::sync::Arc;
use std::time::Duration;

use kiungo_core_banking::{Booking, Core as _};
use kiungo_domain::Outcome;
use kiungo_domain::outcome::{Reason, Retry};
use serde_json::{Value, json};

use super::orders;
use super::script::{Reply, core, ok, options, reply, unreachable};
use crate::{Fineract, OptionsError, Secrets};

const DEPOSIT: &str = include_str!("../../fixtures/deposit.json");

fn oauth2() -> Value {
    json!({"auth": {"type": "oauth2", "token_url": "https://login.example/token",
        "client_id": "kiun:go", "scope": "core"}})
}

fn token(name: &str, lifetime_s: u64) -> Reply {
    ok(json!({"access_token": name, "token_type": "Bearer", "expires_in": lifetime_s}).to_string())
}

#[tokio::test(start_paused = true)]
async fn many_callers_share_one_token_until_it_is_due() {
    let mut replies = vec![token("one", 300)];
    replies.extend((0..10).map(|_| ok(DEPOSIT)));
    replies.extend([token("two", 300), ok(DEPOSIT)]);
    let (core, script) = core(oauth2(), replies);
    let core = Arc::new(core);
    let posts: Vec<_> = (0..10)
        .map(|_| {
            let core = Arc::clone(&core);
            tokio::spawn(async move { core.post(&orders::order(Booking::Deposit)).await })
        })
        .collect();
    for post in posts {
        assert!(matches!(post.await.unwrap(), Outcome::Executed(_)));
    }
    let fetched = || script.paths().iter().filter(|line| line.contains("/token")).count();
    assert_eq!(fetched(), 1);
    assert_eq!(script.header(1, "Authorization").as_deref(), Some("Bearer one"));
    // The colon of the name and the ampersand of the secret are encoded before they are joined.
    assert_eq!(
        script.header(0, "Authorization").as_deref(),
        Some("Basic a2l1biUzQWdvOnMlMjZjcmV0")
    );
    tokio::time::advance(Duration::from_secs(271)).await;
    core.post(&orders::order(Booking::Deposit)).await;
    assert_eq!(fetched(), 2);
    assert_eq!(script.header(12, "Authorization").as_deref(), Some("Bearer two"));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_has_ended_early_is_replaced_and_a_fresh_one_refused_is_reported() {
    let replies =
        vec![token("a", 300), ok(DEPOSIT), reply(401, ""), token("b", 300), reply(401, "")];
    let (core, script) = core(oauth2(), replies);
    let order = orders::order(Booking::Deposit);
    assert!(matches!(core.post(&order).await, Outcome::Executed(_)));
    assert!(matches!(core.post(&order).await, Outcome::NotSent { .. }));
    let Outcome::Rejected(rejection) = core.post(&order).await else { panic!("rejected") };
    assert_eq!((rejection.reason, rejection.retry), (Reason::Configuration, Retry::AfterRepair));
    assert!(script.is_used_up());
}

#[tokio::test(start_paused = true)]
async fn without_a_token_nothing_is_sent_to_the_core() {
    let replies = vec![
        unreachable(),
        reply(503, ""),
        ok("<html></html>"),
        reply(401, r#"{"error":"invalid_client"}"#),
    ];
    let (core, script) = core(oauth2(), replies);
    let order = orders::order(Booking::Deposit);
    for _ in 0..3 {
        assert!(matches!(core.post(&order).await, Outcome::NotSent { .. }));
        // Those who waited meanwhile get the same answer, at once.
        assert!(matches!(core.post(&order).await, Outcome::NotSent { .. }));
        tokio::time::advance(Duration::from_secs(2)).await;
    }
    let Outcome::Rejected(rejection) = core.post(&order).await else { panic!("rejected") };
    assert_eq!((rejection.code.as_str(), rejection.retry), ("invalid_client", Retry::AfterRepair));
    assert!(script.paths().iter().all(|line| line == "POST /token"));
    assert_eq!(script.paths().len(), 4);
}

#[test]
fn a_missing_secret_is_named() {
    for (changed, key) in [(json!({}), "password"), (oauth2(), "client_secret")] {
        let script = super::script::Script::new(vec![]);
        let made = Fineract::new(options(changed), Secrets::default(), script);
        assert!(matches!(made, Err(OptionsError::Secret(named)) if named == key));
    }
}
