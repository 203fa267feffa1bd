//! Routes each address to its handler, through the layers that it needs.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get};
use kiungo_api::Role;
use kiungo_api::problem::{Code, Problem};
use tower_http::catch_panic::CatchPanicLayer;

use crate::layers::{
    admit, authenticate, bound_time, identify, observe, panicked, require, require_everything,
};
use crate::routes::{api_routes, metrics_route, open_routes};
use crate::state::{ServerState, Shared};
use crate::{callbacks, docs, hooks};

/// Health and metrics, for a process that serves no API.
pub fn watch_router(state: ServerState) -> Router {
    let state = state.0;
    let (open, _) = open_routes().split_for_parts();
    let (scraped, _) = metrics_route().split_for_parts();
    open.merge(scraped)
        .layer(from_fn_with_state(Arc::clone(&state), bound_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::clone(&state), observe))
        .with_state(state)
}

/// The whole server, for [`crate::serve()`] or, in the simulated world, for direct calls.
pub fn router(state: ServerState) -> Router {
    let state = state.0;
    let (open, _) = open_routes().split_for_parts();
    let (api, _) = api_routes().split_for_parts();
    let (scraped, _) = metrics_route().split_for_parts();
    let behind_key = |routes: Router<Arc<Shared>>| {
        routes.layer(from_fn_with_state(Arc::clone(&state), authenticate))
    };
    let scraped = if state.options.metrics_open {
        scraped
    } else {
        let whole = from_fn_with_state(Arc::clone(&state), require_everything);
        behind_key(scraped.route_layer(whole).route_layer(from_fn_with_state(Role::Read, require)))
    };
    let api = behind_key(api.layer(from_fn_with_state(Arc::clone(&state), admit)));
    let mut all = open.merge(api).merge(scraped).merge(callback_routes());
    if state.options.docs {
        all = all
            .route("/v1/openapi.json", get(docs::openapi_document))
            .route("/docs", get(docs::page));
    }
    all.fallback(nowhere)
        .layer(from_fn_with_state(Arc::clone(&state), bound_time))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::clone(&state), observe))
        .with_state(state)
}

/// The routes that providers and cores call, by any method.
fn callback_routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/callbacks/{provider}/{secret}", any(callbacks::callback))
        .route("/callbacks/{provider}/{secret}/", any(callbacks::callback))
        .route("/callbacks/{provider}/{secret}/{*path}", any(callbacks::callback))
        .route("/hooks/fineract/{core}/{secret}", any(hooks::hook))
        .route("/hooks/fineract/{core}/{secret}/", any(hooks::hook))
}

/// Any other address. Below `/v1`, strangers are not told which exist.
async fn nowhere(State(state): State<Arc<Shared>>, request: Request) -> Problem {
    if request.uri().path().starts_with("/v1/")
        && let Err(problem) = identify(&state, request.headers())
    {
        return problem;
    }
    Problem::new(Code::NotFound, Code::NotFound.title())
}
