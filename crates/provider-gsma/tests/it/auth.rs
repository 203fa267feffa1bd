//! Tokens: one request for all who wait, renewal before expiry, and the one repeat after a 401.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use kiungo_domain::Outcome;
use kiungo_provider::{Provider, ReadError};
use kiungo_provider_gsma::{AuthScheme, Gsma};
use kiungo_transport::{Failure, Request, Response, Transport};

use crate::world::*;

const TOKEN_URL: &str = "https://mm.example/v1/oauth/accesstoken";

fn oauth() -> Mapping {
    let mut mapping = Mapping::newer();
    mapping.gsma.auth = AuthScheme::Oauth2;
    mapping.gsma.token_url = Some(TOKEN_URL.to_owned());
    mapping
}

fn authorization(request: &Request) -> &str {
    request.headers()["authorization"].to_str().unwrap()
}

/// A provider whose tokens are numbered; those below `oldest` are refused by its gateway.
struct Gateway {
    issued: AtomicU64,
    oldest: AtomicU64,
    refusal: &'static str,
    token_status: u16,
    expires_in: &'static str,
    orders: AtomicU64,
}

impl Gateway {
    fn new() -> Self {
        Self {
            issued: AtomicU64::new(0),
            oldest: AtomicU64::new(1),
            refusal: fixture!("errors/gateway-401.json"),
            token_status: 200,
            expires_in: "3600",
            orders: AtomicU64::new(0),
        }
    }

    fn issued(&self) -> u64 {
        self.issued.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Transport for Gateway {
    async fn send(&self, request: Request, _timeout: Duration) -> Result<Response, Failure> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        if *request.uri() == *TOKEN_URL {
            let number = self.issued.fetch_add(1, Ordering::SeqCst) + 1;
            let token =
                format!(r#"{{"access_token":"token-{number}","expires_in":{}}}"#, self.expires_in);
            return answer(self.token_status, token);
        }
        let number = authorization(&request).strip_prefix("Bearer token-").unwrap();
        if number.parse::<u64>().unwrap() < self.oldest.load(Ordering::SeqCst) {
            return answer(401, self.refusal);
        }
        self.orders.fetch_add(1, Ordering::SeqCst);
        answer(202, fixture!("collect/accepted-callback.json"))
    }
}

fn adapter(gateway: &Arc<Gateway>) -> Arc<Gsma> {
    Arc::new(oauth().adapter(Arc::clone(gateway) as Arc<dyn Transport>))
}

async fn many(gsma: &Arc<Gsma>) -> Vec<Outcome> {
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let gsma = Arc::clone(gsma);
            tokio::spawn(async move { gsma.collect(&collection()).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

#[tokio::test]
async fn a_token_is_bought_with_client_credentials_and_used_as_bearer() {
    let script = Script::new([
        answer(200, fixture!("token/issued.json")),
        answer(202, fixture!("collect/accepted-callback.json")),
    ]);
    let outcome = oauth().adapter(script.clone()).collect(&collection()).await;
    assert!(matches!(outcome, Outcome::Pending(_)), "{outcome:?}");
    let [token, order] = &script.requests()[..] else { panic!() };
    assert_eq!(token.uri(), TOKEN_URL);
    assert_eq!(authorization(token), "Basic Y29uc3VtZXI6aHVzaA==");
    assert_eq!(token.headers()["x-api-key"], "key-1");
    assert_eq!(token.headers()["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(&token.body()[..], b"grant_type=client_credentials");
    assert_eq!(authorization(order), "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x");
    assert!(order.headers().get("x-client-id").is_none());
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_share_one_token_and_it_is_renewed_before_it_expires() {
    let gateway = Arc::new(Gateway::new());
    let gsma = adapter(&gateway);
    let outcomes = many(&gsma).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Pending(_))));
    assert_eq!(gateway.issued(), 1);
    tokio::time::sleep(Duration::from_secs(3500)).await;
    gsma.collect(&collection()).await;
    assert_eq!(gateway.issued(), 1);
    tokio::time::sleep(Duration::from_mins(1)).await;
    many(&gsma).await;
    assert_eq!(gateway.issued(), 2);
    assert_eq!(gateway.orders.load(Ordering::SeqCst), 41);
}

#[tokio::test(start_paused = true)]
async fn a_short_lived_token_is_used_for_half_its_life() {
    for expires_in in ["40", "\"40\""] {
        let gateway = Arc::new(Gateway { expires_in, ..Gateway::new() });
        let gsma = adapter(&gateway);
        gsma.collect(&collection()).await;
        gsma.collect(&collection()).await;
        assert_eq!(gateway.issued(), 1);
        tokio::time::sleep(Duration::from_secs(20)).await;
        gsma.collect(&collection()).await;
        assert_eq!(gateway.issued(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_is_renewed_once_for_all_and_the_requests_are_repeated() {
    let gateway = Arc::new(Gateway::new());
    let gsma = adapter(&gateway);
    many(&gsma).await;
    gateway.oldest.store(2, Ordering::SeqCst);
    let outcomes = many(&gsma).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Pending(_))));
    assert_eq!(gateway.issued(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_never_accepted_is_renewed_once_only() {
    let gateway = Arc::new(Gateway::new());
    gateway.oldest.store(u64::MAX, Ordering::SeqCst);
    let outcome = adapter(&gateway).collect(&collection()).await;
    assert!(matches!(outcome, Outcome::NotSent { .. }), "{outcome:?}");
    assert_eq!(gateway.issued(), 2);
}

#[tokio::test]
async fn a_repeat_carries_the_same_correlation_id_and_body() {
    let script = Script::new([
        answer(200, fixture!("token/issued.json")),
        answer(401, fixture!("errors/gateway-401.json")),
        answer(200, fixture!("token/issued.json").replace("e30", "new")),
        answer(201, fixture!("collect/completed.json")),
    ]);
    let outcome = oauth().adapter(script.clone()).collect(&collection()).await;
    assert!(matches!(outcome, Outcome::Executed(_)), "{outcome:?}");
    let requests = script.requests();
    let (first, second) = (&requests[1], &requests[3]);
    assert_eq!(first.headers()["x-correlationid"], second.headers()["x-correlationid"]);
    assert_eq!(first.body(), second.body());
    assert_ne!(authorization(first), authorization(second));
}

#[tokio::test]
async fn a_repeat_without_answer_is_unknown_and_one_that_was_not_sent_leaves_the_refusal() {
    for (step, unknown) in [(lost(), true), (unreachable(), false)] {
        let script = Script::new([
            answer(200, fixture!("token/issued.json")),
            answer(401, fixture!("errors/gateway-401.json")),
            answer(200, fixture!("token/issued.json")),
            step,
        ]);
        let outcome = oauth().adapter(script.clone()).collect(&collection()).await;
        assert_eq!(matches!(outcome, Outcome::Unknown { .. }), unknown, "{outcome:?}");
        assert_eq!(matches!(outcome, Outcome::NotSent { .. }), !unknown, "{outcome:?}");
        assert_eq!(script.requests().len(), 4);
    }
}

#[tokio::test]
async fn a_401_with_an_error_object_is_an_answer_and_not_repeated() {
    let declined = r#"{"errorCategory":"authorisation","errorCode":"requestDeclined"}"#;
    let script = Script::new([answer(200, fixture!("token/issued.json")), answer(401, declined)]);
    let outcome = oauth().adapter(script.clone()).collect(&collection()).await;
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test]
async fn a_token_that_the_provider_itself_refuses_is_not_used_again() {
    let refused = r#"{"errorCategory":"authorisation","errorCode":"clientAuthorisationError"}"#;
    let script = Script::new([
        answer(200, fixture!("token/issued.json")),
        answer(401, refused),
        answer(200, fixture!("token/issued.json")),
        answer(202, fixture!("collect/accepted-callback.json")),
    ]);
    let gsma = oauth().adapter(script.clone());
    let outcome = gsma.collect(&collection()).await;
    assert!(matches!(outcome, Outcome::NotSent { .. }), "{outcome:?}");
    let outcome = gsma.collect(&collection()).await;
    assert!(matches!(outcome, Outcome::Pending(_)), "{outcome:?}");
    assert_eq!(script.requests().len(), 4);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    for step in [
        unreachable(),
        lost(),
        answer(500, ""),
        answer(401, "{}"),
        answer(200, "<html>"),
        answer(200, r#"{"expires_in":3600}"#),
        answer(200, r#"{"access_token":"bad\ntoken"}"#),
    ] {
        let script = Script::new([step.clone()]);
        let outcome = oauth().adapter(script.clone()).collect(&collection()).await;
        assert!(matches!(outcome, Outcome::NotSent { .. }), "{step:?}: {outcome:?}");
        assert_eq!(script.requests().len(), 1);
    }
}

#[tokio::test]
async fn refused_credentials_are_for_a_person_to_repair() {
    let gsma = oauth().adapter(Script::new([answer(401, "{}")]));
    assert!(matches!(gsma.probe().await, Err(ReadError::Repair(_))));
    let gsma = oauth().adapter(Script::new([answer(503, "")]));
    assert!(matches!(gsma.probe().await, Err(ReadError::Unavailable(_))));
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_share_one_failure_too() {
    let gateway = Arc::new(Gateway { token_status: 503, ..Gateway::new() });
    let gsma = adapter(&gateway);
    let before = tokio::time::Instant::now();
    let outcomes = many(&gsma).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::NotSent { .. })));
    assert_eq!(gateway.issued(), 1);
    assert_eq!(before.elapsed().as_secs(), 2);
    gsma.collect(&collection()).await;
    assert_eq!(gateway.issued(), 2);
}
