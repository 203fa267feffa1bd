//! Admits callers (`gsma-mobile-money-api.md` §3).

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use kiungo_domain::Timestamp;
use serde_json::json;

use super::admission::Refusal;
use super::error::{ApiError, Category};
use super::{Simulator, format};

/// Lets in who may call, and leaves his name with the request.
pub(super) async fn admit(
    State(simulator): State<Simulator>,
    mut request: Request,
    next: Next,
) -> Response {
    match simulator.inner.admission.admit(request.headers(), simulator.now()) {
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
    let admission = &simulator.inner.admission;
    let error = |status, code: &str| format::json(status, &json!({ "error": code }));
    let known = admission.oauth.as_ref().zip(headers.get(header::AUTHORIZATION));
    if known.is_none_or(|((expected, _), given)| expected != given) {
        return error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let form: Vec<(String, String)> = serde_urlencoded::from_bytes(body).unwrap_or_default();
    let grant = form.iter().find(|(name, _)| name == "grant_type").map(|(_, value)| value.as_str());
    if grant != Some("client_credentials") {
        return error(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    let mut answer = json!({
        "access_token": admission.give(simulator.now()),
        "expires_in": admission.lifetime.as_secs(),
    });
    if admission.token_type {
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
