//! The addresses that cores call: `/hooks/fineract/{core}/{secret}/`.
//!
//! A hook is not signed: it is a hint to read something from the core (rule 6), and nothing of its
//! body is believed. It is acknowledged once the request that was read is durable. The core sends
//! it once, whatever the answer; the poller finds the requests that were missed.

use std::sync::Arc;

use axum::extract::{Request, State};
use http::{Method, StatusCode};
use kiungo_api::problem::{Code, Problem};
use kiungo_core_banking::RawHook;
use kiungo_engine::requests::{HookError, HookResult};

use crate::callbacks::headers;
use crate::extract::read_body;
use crate::layers::overloaded;
use crate::state::Shared;

/// Takes a core's webhook.
///
/// For Fineract alone: the address with its secret is the payload URL of a hook. The object that
/// the hook names is read from the core. A GET, which Fineract sends when the hook is registered,
/// does nothing.
#[utoipa::path(
    post, path = "/hooks/fineract/{core}/{secret}", tag = "Callbacks", operation_id = "hook",
    params(
        ("core" = String, Path, description = "The core", example = "main"),
        ("secret" = String, Path, description = "The secret of this core's address")),
    request_body(content = String, description = "A hook of Fineract, as JSON or as a form", content_type = "application/json"),
    responses(
        (status = 200, description = "What it names was read from the core, and what follows is stored"),
        (status = 202, description = "The core is looked through at once"),
        (status = 204, description = "It concerns nothing that is asked for here"),
        (status = 404, description = "No such core, or another secret"),
        (status = 502, description = "The core could not be asked; it is looked through by itself"),
        (status = 503, description = "Not taken up; the core is looked through by itself"),
    ),
    security(()),
)]
pub(crate) async fn hook(
    State(state): State<Arc<Shared>>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let (parts, body) = request.into_parts();
    let nothing = || Problem::new(Code::NotFound, Code::NotFound.title());
    let (name, secret) = address(parts.uri.path()).ok_or_else(nothing)?;
    // A wrong secret, a wrong name and an address that never existed look alike.
    let core = state.keyring.calling_core(name, secret).ok_or_else(nothing)?;
    let requests = state.core_requests.as_ref().ok_or_else(nothing)?;
    if parts.method == Method::GET || parts.method == Method::HEAD {
        return Ok(StatusCode::OK);
    }
    let Ok(_place) = state.hook_places.try_acquire() else {
        return Err(overloaded(&state));
    };
    let body = read_body(body, &state, state.options.callback_body_bytes_max).await?;
    let hook = RawHook { headers: headers(&parts.headers), body: body.to_vec() };
    let heard = requests.hook(core, &hook).await;
    let outcome = match &heard {
        Ok(HookResult::TakenUp) => "taken_up",
        Ok(HookResult::Noted) => "noted",
        Ok(HookResult::Ignored) => "ignored",
        Err(_) => "not_taken_up",
    };
    let labels = [("core", core.to_string()), ("outcome", outcome.to_owned())];
    metrics::counter!("kiungo_hooks_total", &labels).increment(1);
    match heard {
        Ok(HookResult::TakenUp) => Ok(StatusCode::OK),
        Ok(HookResult::Noted) => Ok(StatusCode::ACCEPTED),
        Ok(HookResult::Ignored) => Ok(StatusCode::NO_CONTENT),
        Err(HookError::UnknownCore(_)) => Err(nothing()),
        Err(HookError::Busy) => Err(overloaded(&state)),
        Err(HookError::Core(why)) => {
            tracing::warn!(core.name = %core, error.message = %why, "a hook could not be followed; the poller looks");
            Err(Problem::new(Code::CoreUnavailable, "the core could not be asked; it is polled"))
        }
        Err(HookError::Store(error)) => Err(error.into()),
    }
}

/// Core and secret.
fn address(path: &str) -> Option<(&str, &str)> {
    let (core, secret) = path.strip_prefix("/hooks/fineract/")?.split_once('/')?;
    let secret = secret.strip_suffix('/').unwrap_or(secret);
    (!secret.contains('/')).then_some((core, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_ends_with_or_without_a_slash() {
        assert_eq!(address("/hooks/fineract/main/s"), Some(("main", "s")));
        assert_eq!(address("/hooks/fineract/main/s/"), Some(("main", "s")));
        assert_eq!(address("/hooks/fineract/main/s/x"), None);
        assert_eq!(address("/hooks/fineract/main"), None);
    }
}
