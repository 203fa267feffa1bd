//! Bounds the number of requests that run at a time. Checked after authentication, so that
//! strangers take no slot.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use kiungo_api::Identity;
use kiungo_api::problem::{Code, Problem};

use crate::state::Shared;

/// Lets a request in while there is a slot for its client, and one in all. Nothing waits in line:
/// a client that is told when to come back holds no memory here.
pub(crate) async fn admit(
    State(state): State<Arc<Shared>>,
    Extension(identity): Extension<Identity>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let wait = Duration::from_secs(state.options.retry_after_s);
    let Some(_own) = state.client_place(&identity.client) else {
        let detail = format!(
            "`{}` has {} requests in flight, as many as one client may",
            identity.client, state.options.client_in_flight_max
        );
        return Err(Problem::new(Code::TooManyRequests, detail).retry_after(wait));
    };
    let Ok(_place) = state.api_places.try_acquire() else { return Err(overloaded(&state)) };
    Ok(next.run(request).await)
}

/// There is no place.
pub(crate) fn overloaded(state: &Shared) -> Problem {
    let wait = Duration::from_secs(state.options.retry_after_s);
    Problem::new(Code::Overloaded, "as many requests are in flight as the server takes")
        .retry_after(wait)
}
