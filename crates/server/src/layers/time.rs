//! The bound on a whole request, its body included.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use kiungo_api::problem::{Code, Problem};

use crate::state::Shared;

/// Ends a request that takes too long.
pub(crate) async fn bound_time(
    State(state): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let bound = state.options.request_timeout();
    tokio::time::timeout(bound, next.run(request)).await.map_err(|_| {
        let detail = format!("the request was not answered within {} s", bound.as_secs());
        Problem::new(Code::RequestTimeout, detail)
    })
}
