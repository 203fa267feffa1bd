//! The addresses that providers call: `/callbacks/{provider}/{secret}/…`.
//!
//! The body is read whole and handed to the engine, which stores it before it says what to answer
//! (rule 6). It is never logged.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use kiungo_api::problem::{Code, Problem};
use kiungo_domain::ProviderId;
use kiungo_engine::request::CallbackRefused;
use kiungo_provider::{CallbackReply, RawCallback};

use crate::extract::read_body;
use crate::layers::{Verbatim, overloaded};
use crate::state::Shared;

/// Takes a provider's callback.
///
/// For providers alone: the address with its secret is what they are given. Any method, any path
/// behind the secret. It is stored, then acknowledged in the provider's own form, then handled.
#[utoipa::path(
    method(post, put), path = "/callbacks/{provider}/{secret}/{path}", tag = "Callbacks",
    operation_id = "callback",
    params(
        ("provider" = String, Path, description = "The provider", example = "mpesa-tz"),
        ("secret" = String, Path, description = "The secret of this provider's address"),
        ("path" = String, Path, description = "As the provider's API has it; may be empty")),
    request_body(content = String, description = "Whatever the provider sends", content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "Stored; the body and the status are the provider's own"),
        (status = 404, description = "No such provider, or another secret"),
        (status = 503, description = "Not stored: send it again"),
    ),
    security(()),
)]
pub(crate) async fn callback(
    State(state): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let nothing = || Problem::new(Code::NotFound, Code::NotFound.title());
    let (name, secret, path) = address(parts.uri.path()).ok_or_else(nothing)?;
    // A wrong secret, a wrong name and an address that never existed look alike.
    let provider = state.keyring.calling_provider(name, secret).ok_or_else(nothing)?;
    let Ok(_place) = state.callback_places.try_acquire() else {
        return Err(overloaded(&state));
    };
    let bytes_max = state.options.callback_body_bytes_max;
    let body = read_body(body, &state, bytes_max).await?;
    let callback = RawCallback {
        method: parts.method.as_str().to_ascii_uppercase(),
        path: path.to_owned(),
        headers: headers(&parts.headers),
        body,
    };
    let callback = callback
        .unpacked(bytes_max)
        .map_err(|too_long| Problem::new(Code::PayloadTooLarge, too_long.to_string()))?;
    answer(&state, provider, callback).await
}

async fn answer(
    state: &Shared,
    provider: &ProviderId,
    callback: RawCallback,
) -> Result<Response, Problem> {
    let answered = state.service.callback(provider, callback).await;
    let outcome = match &answered {
        Ok(_) => "stored",
        Err(CallbackRefused::UnknownProvider(_)) => "unknown_provider",
        Err(CallbackRefused::Store(_)) => "not_stored",
    };
    let labels = [("provider", provider.to_string()), ("outcome", outcome.to_owned())];
    metrics::counter!("kiungo_callbacks_total", &labels).increment(1);
    match answered {
        Ok(reply) => Ok(in_the_providers_form(reply)),
        Err(CallbackRefused::UnknownProvider(_)) => {
            tracing::warn!(provider.name = %provider, "a callback secret is set for a provider that is not configured");
            Err(Problem::new(Code::NotFound, Code::NotFound.title()))
        }
        Err(CallbackRefused::Store(error)) => {
            // Always an error that makes the provider send it again, whatever failed.
            tracing::error!(provider.name = %provider, error.message = %error, "a callback could not be stored");
            Err(Problem::new(
                Code::StoreUnavailable,
                "the callback could not be stored; send it again",
            )
            .retry_after(Duration::from_secs(state.options.retry_after_s)))
        }
    }
}

fn in_the_providers_form(reply: CallbackReply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let (content_type, body) = match reply.body {
        Some((content_type, body)) => (Some(content_type), Body::from(body)),
        None => (None, Body::empty()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response.extensions_mut().insert(Verbatim);
    response
}

/// Provider, secret, and the path after it, still percent-encoded.
fn address(path: &str) -> Option<(&str, &str, &str)> {
    let rest = path.strip_prefix("/callbacks/")?;
    let (provider, rest) = rest.split_once('/')?;
    let (secret, path) = rest.split_once('/').unwrap_or((rest, ""));
    Some((provider, secret, path))
}

/// The headers, without those that hold credentials. `http` keeps the names in lower case.
pub(crate) fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let kept = headers
        .iter()
        .filter(|(name, _)| ![AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name));
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    kept.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_behind_the_secret_stays_as_it_came() {
        assert_eq!(address("/callbacks/p/s/a/b%2Fc"), Some(("p", "s", "a/b%2Fc")));
        assert_eq!(address("/callbacks/p/s/"), Some(("p", "s", "")));
        assert_eq!(address("/callbacks/p/s"), Some(("p", "s", "")));
        assert_eq!(address("/callbacks/p/s//x"), Some(("p", "s", "/x")));
        assert_eq!(address("/callbacks/p"), None);
    }
}
