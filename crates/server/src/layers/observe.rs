//! The outermost layer: the request's id, its trace and measure, problems, and the headers that
//! every answer carries.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::{BodyExt as _, Collected};
use kiungo_api::problem::{Code, Problem};
use kiungo_domain::typed::legible_json;
use tokio::time::Instant;
use tracing::{Instrument, info_span};

use crate::state::Shared;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Marks an answer that is in a provider's own form, and is sent as it is, errors too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verbatim;

/// Observes a request. Only its route is recorded, which names no id, no secret and no phone
/// number; never its query, its headers or its body. A change, a refusal and a failure are logged
/// by default: those are the ones that people ask about later. Reads are many, and for a search for
/// faults.
pub(crate) async fn observe(
    State(state): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let id = given_id(request.headers()).unwrap_or_else(|| state.next_request_id());
    let changes = !request.method().is_safe();
    let method = method_label(request.method());
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or("unmatched", MatchedPath::as_str).to_owned();
    let span = info_span!("request", request.id = %id, http.method = method, http.route = %route);
    async {
        let mut response = next.run(request).await;
        response = legible(with_problem(response, &id)).await;
        dress(response.headers_mut(), &id);
        if !state.readiness.is_ready() {
            // A client that keeps a connection finds it closed after an answer, not under a
            // request.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let status = response.status().as_u16();
        let elapsed = began.elapsed();
        let duration = elapsed.as_micros();
        if changes || status >= 400 {
            tracing::info!(http.status = status, duration_us = %duration, "answered");
        } else {
            tracing::debug!(http.status = status, duration_us = %duration, "answered");
        }
        let labels =
            [("method", method.to_owned()), ("route", route), ("status", status.to_string())];
        metrics::histogram!("kiungo_http_request_duration_seconds", &labels).record(elapsed);
        response
    }
    .instrument(span)
    .await
}

/// Renders the problem that a response carries or, where a library answered with a bare status,
/// stands for.
fn with_problem(mut response: Response, id: &str) -> Response {
    let failed = response.status().is_client_error() || response.status().is_server_error();
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        if response.status().is_server_error() {
            let (code, detail) = (problem.code().as_str(), problem.detail());
            tracing::warn!(problem.code = code, problem.detail = detail, "a request failed");
        }
        problem.render(Some(id))
    } else if failed && response.extensions().get::<Verbatim>().is_none() {
        Problem::standing_for(response.status(), response.headers()).render(Some(id))
    } else {
        response
    }
}

/// Writes characters that change the direction of writing as their codes: texts of payers,
/// providers and cores are kept as they came, and must not look like other texts to a person who
/// decides by them.
async fn legible(response: Response) -> Response {
    let json = response.headers().get(CONTENT_TYPE).is_some_and(|media| {
        ["application/json", "application/problem+json"].iter().any(|json| media == json)
    });
    if !json || response.extensions().get::<Verbatim>().is_some() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = body.collect().await.map(Collected::to_bytes) else {
        // Answers are in memory, so this is a defect.
        return Problem::new(Code::Internal, "the answer broke off").render(None);
    };
    let shown = match std::str::from_utf8(&body).map(legible_json) {
        Ok(Cow::Owned(text)) => {
            parts.headers.remove(CONTENT_LENGTH);
            Bytes::from(text)
        }
        Ok(Cow::Borrowed(_)) | Err(_) => body,
    };
    Response::from_parts(parts, Body::from(shown))
}

fn dress(headers: &mut HeaderMap, id: &str) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    let always = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    for (name, value) in always {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// The id that the client gave, if it is plain: 1 to 64 of letters, digits, `-`, `_` and `.`.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    ((1..=64).contains(&id.len()) && id.bytes().all(plain)).then(|| id.to_owned())
}

/// A label from a closed set: a client may invent methods.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
