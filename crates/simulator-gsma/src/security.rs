//! Admits callers (`gsma-mobile-money-api.md` §3).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use kiungo_domain::Timestamp;
use kiungo_simulator::digest::sha256_hex;
use kiungo_simulator::faults::hash;
use serde_json::json;

use super::error::{ApiError, Category};
use super::options::{Credentials, Security};
use super::{Simulator, format};

/// The name of an admitted client, by which correlation ids are kept apart.
#[derive(Debug, Clone)]
pub(super) struct Client(pub(super) String);

/// The gate: configured credentials in the form that headers carry them, and living tokens.
pub(super) struct Gate {
    basic: Option<(HeaderValue, String)>,
    oauth: Option<(HeaderValue, String)>,
    api_key: Option<String>,
    lifetime: Duration,
    token_type: bool,
    seed: u64,
    tokens: Mutex<Tokens>,
}

#[derive(Default)]
struct Tokens {
    given: u64,
    expiry: HashMap<String, Timestamp>,
}

/// The reason that a caller is not admitted.
enum Refusal {
    /// In the API's own form.
    Unauthorised,
    /// By the gateway in front, in a form of its own.
    Gateway,
}

impl Gate {
    pub(super) fn new(security: &Security, seed: u64) -> Self {
        let header = |credentials: &Option<Credentials>| {
            let credentials = credentials.as_ref()?;
            let pair = STANDARD.encode(format!("{}:{}", credentials.name, credentials.secret));
            let value = HeaderValue::try_from(format!("Basic {pair}")).ok()?;
            Some((value, credentials.name.clone()))
        };
        Self {
            basic: header(&security.basic),
            oauth: header(&security.oauth),
            api_key: security.api_key.clone(),
            lifetime: Duration::from_secs(security.token_lifetime_s),
            token_type: security.token_type,
            seed,
            tokens: Mutex::default(),
        }
    }

    pub(super) fn revoke(&self) {
        self.tokens().expiry.clear();
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, headers: &HeaderMap, now: Timestamp) -> Result<Client, Refusal> {
        if let Some(key) = &self.api_key
            && headers.get("x-api-key").is_none_or(|given| given.as_bytes() != key.as_bytes())
        {
            return Err(Refusal::Unauthorised);
        }
        if self.basic.is_none() && self.oauth.is_none() {
            return Ok(Client(String::from("anonymous")));
        }
        let given = headers.get(header::AUTHORIZATION).ok_or(Refusal::Unauthorised)?;
        if let Some((expected, name)) = &self.basic
            && given == expected
        {
            return Ok(Client(name.clone()));
        }
        let Some((_, name)) = &self.oauth else { return Err(Refusal::Unauthorised) };
        let token = given.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
        let token = token.ok_or(Refusal::Unauthorised)?;
        let alive = self.tokens().expiry.get(token).is_some_and(|expiry| now < *expiry);
        if alive { Ok(Client(name.clone())) } else { Err(Refusal::Gateway) }
    }

    /// A new token; expired ones are forgotten meanwhile.
    fn give(&self, now: Timestamp) -> String {
        let mut tokens = self.tokens();
        tokens.expiry.retain(|_, expiry| now < *expiry);
        tokens.given += 1;
        let part = |name: &[u8]| hash(self.seed, &[b"token", name, &tokens.given.to_le_bytes()]);
        let token = format!("{:016x}.{:016x}.{:016x}", part(b"1"), part(b"2"), part(b"3"));
        tokens.expiry.insert(token.clone(), now.after(self.lifetime));
        token
    }
}

/// Lets in who may call, and leaves his name with the request.
pub(super) async fn admit(
    State(simulator): State<Simulator>,
    mut request: Request,
    next: Next,
) -> Response {
    match simulator.inner.gate.admit(request.headers(), simulator.now()) {
        Ok(client) => {
            request.extensions_mut().insert(client);
            next.run(request).await
        }
        Err(Refusal::Unauthorised) => simulator.refuse(&unauthorised(simulator.now())),
        Err(Refusal::Gateway) => gateway("Invalid access token"),
    }
}

fn unauthorised(at: Timestamp) -> ApiError {
    let text = "The client could not be authenticated";
    ApiError::new(Category::Authorisation, "clientAuthorisationError", text, at)
}

/// A 401 that is no GSMA error object (§3).
fn gateway(why: &str) -> Response {
    let detail = json!({ "errorcode": "oauth.v2.InvalidAccessToken" });
    let body = json!({ "fault": { "faultstring": why, "detail": detail } });
    format::json(StatusCode::UNAUTHORIZED, &body)
}

/// The token endpoint: client credentials only.
pub(super) async fn token(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answer = move |simulator: &Simulator| grant(simulator, &headers, &body);
    simulator.inquire("token", Some(String::new()), answer).await
}

fn grant(simulator: &Simulator, headers: &HeaderMap, body: &[u8]) -> Response {
    let gate = &simulator.inner.gate;
    let error = |status, code: &str| format::json(status, &json!({ "error": code }));
    let known = gate.oauth.as_ref().zip(headers.get(header::AUTHORIZATION));
    if known.is_none_or(|((expected, _), given)| expected != given) {
        return error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let form: Vec<(String, String)> = serde_urlencoded::from_bytes(body).unwrap_or_default();
    let grant = form.iter().find(|(name, _)| name == "grant_type").map(|(_, value)| value.as_str());
    if grant != Some("client_credentials") {
        return error(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    let mut answer = json!({
        "access_token": gate.give(simulator.now()),
        "expires_in": gate.lifetime.as_secs(),
    });
    if gate.token_type {
        answer["token_type"] = "Bearer".into();
    }
    let mut response = format::json(StatusCode::OK, &answer);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `DELETE /_sim/tokens`: every token is revoked.
pub(super) async fn revoke(State(simulator): State<Simulator>) -> StatusCode {
    simulator.revoke_tokens();
    StatusCode::NO_CONTENT
}

/// True if the body matches `X-Content-Hash`, where that is stated (§2.1).
pub(super) fn content_is_whole(headers: &HeaderMap, body: &[u8]) -> bool {
    let Some(stated) = headers.get("x-content-hash") else { return true };
    let digest = sha256_hex(body);
    stated.to_str().is_ok_and(|stated| stated.trim().eq_ignore_ascii_case(&digest))
}
