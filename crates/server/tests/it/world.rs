//! A server, and asking it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use kiungo_api::testing::{FakeService, START};
use kiungo_api::{Role, Scope, SecretDigest};
use kiungo_domain::{ProviderId, Timestamp};
use kiungo_server::{ApiKey, Readiness, ServerOptions, ServerState, router};
use kiungo_store::MemoryStore;
use kiungo_store::intercept::Intercepted;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::SecretString;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::store::Switch;

pub const SECRET: &str = "a-secret-of-the-address";

pub struct World {
    pub fake: Arc<FakeService>,
    pub database: Arc<Switch>,
    pub router: Router,
    pub readiness: Readiness,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("a text body")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The problem's code, after checking its form.
    #[track_caller]
    pub fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{}",
            self.text()
        );
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["request_id"], self.header("x-request-id").unwrap());
        let code = problem["code"].as_str().unwrap().to_owned();
        assert_eq!(problem["type"], format!("/docs#problem-{code}"));
        assert!(!problem["title"].as_str().unwrap().is_empty());
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        code
    }

    /// The places of the problem's errors, as pointers and parameters.
    #[track_caller]
    pub fn places(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        let place = |error: &Value| {
            let place = error["pointer"].as_str().or(error["parameter"].as_str());
            place.unwrap().to_owned()
        };
        errors.iter().map(place).collect()
    }
}

/// A key that is its own name: the server knows its digest alone.
pub fn key(name: &str, roles: &[Role]) -> ApiKey {
    let digest = SecretDigest::of(name);
    let roles = roles.iter().copied().collect();
    ApiKey { name: name.to_owned(), digest, roles, scope: Scope::default() }
}

pub fn options() -> ServerOptions {
    let secrets = ["mpesa-tz", "unwired"]
        .map(|id| (ProviderId::new(id).unwrap(), SecretString::from(SECRET)));
    ServerOptions {
        keys: vec![
            key("reader", &[Role::Read]),
            key("writer", &[Role::Write]),
            key("clerk", &[Role::Read, Role::Write]),
            key("operator", &[Role::Read, Role::Write, Role::Operate]),
            key("checker", &[Role::Operate]),
        ],
        callback_secrets: secrets.into(),
        ..ServerOptions::default()
    }
}

/// A service over a database that can be switched off. Each look at its clock is a millisecond later,
/// so that no two transfers are of one time.
pub fn service() -> (Arc<FakeService>, Arc<Switch>) {
    let database = Arc::new(Switch::default());
    let store = Intercepted::over(Arc::new(MemoryStore::audited()), &database);
    let now = AtomicI64::new(START);
    let clock = move || Timestamp::from_micros(now.fetch_add(1_000, Ordering::SeqCst));
    (Arc::new(FakeService::over(store, clock)), database)
}

impl World {
    pub fn new() -> Self {
        Self::with(options())
    }

    pub fn with(options: ServerOptions) -> Self {
        let (fake, database) = service();
        Self::over(fake, database, options)
    }

    /// A server that shows what this recorder has.
    pub fn measured(prometheus: PrometheusHandle) -> Self {
        let (fake, database) = service();
        Self::made(fake, database, options(), prometheus)
    }

    fn over(fake: Arc<FakeService>, database: Arc<Switch>, options: ServerOptions) -> Self {
        let prometheus = kiungo_server::metrics::builder().build_recorder().handle();
        Self::made(fake, database, options, prometheus)
    }

    fn made(
        fake: Arc<FakeService>,
        database: Arc<Switch>,
        options: ServerOptions,
        prometheus: PrometheusHandle,
    ) -> Self {
        let readiness = Readiness::default();
        readiness.set(true);
        let service = Arc::clone(&fake) as Arc<dyn kiungo_api::Service>;
        let state = ServerState::new(service, options, prometheus, readiness.clone()).unwrap();
        Self { fake, database, router: router(state), readiness }
    }

    /// The same engine behind a server that was started with other options.
    pub fn again(self, options: ServerOptions) -> Self {
        Self::over(self.fake, self.database, options)
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.router, request).await
    }

    /// GET with a key.
    pub async fn get(&self, key: &str, path: &str) -> Answer {
        self.send(request("GET", path, key).body(Body::empty()).unwrap()).await
    }

    /// POST of JSON with a key.
    pub async fn post(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.send(json_post(key, path, body.to_string())).await
    }

    /// Creates a transfer with the clerk's key.
    pub async fn create(&self, idempotency_key: &str, body: &Value) -> Answer {
        self.send(creation("clerk", idempotency_key, body.to_string())).await
    }

    /// Creates a transfer, and says its id.
    pub async fn created(&self, idempotency_key: &str) -> String {
        let answer = self.create(idempotency_key, &deposit()).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    }
}

pub async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

pub fn request(method: &str, path: &str, key: &str) -> http::request::Builder {
    let bearer = format!("Bearer {key}");
    Request::builder().method(method).uri(path).header("authorization", bearer)
}

pub fn json_post(key: &str, path: &str, body: impl Into<Body>) -> Request<Body> {
    let request = request("POST", path, key).header("content-type", "application/json");
    request.body(body.into()).unwrap()
}

pub fn creation(key: &str, idempotency_key: &str, body: impl Into<Body>) -> Request<Body> {
    let request = request("POST", "/v1/transfers", key)
        .header("content-type", "application/json")
        .header("idempotency-key", idempotency_key);
    request.body(body.into()).unwrap()
}

pub fn deposit() -> Value {
    json!({
        "kind": "deposit",
        "provider": "mpesa-tz",
        "msisdn": "255712345678",
        "account": { "type": "savings", "account_no": "000000042" },
        "amount": "125.50",
        "currency": "TZS",
        "client_reference": "invoice 118",
        "note": "November savings",
    })
}

/// The deposit with one member changed; `Null` takes it out.
pub fn deposit_with(pointer: &str, value: Value) -> Value {
    let mut body = deposit();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(name);
    } else {
        parent.insert(name.to_owned(), value);
    }
    body
}
