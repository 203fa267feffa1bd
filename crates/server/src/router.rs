//! Routes each address to its handler, through the layers that it needs.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get};
use kiungo_api::Role;
use kiungo_api::problem::{Code, Problem};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::{actions, providers, requests, suspense, transfers};
use crate::layers::{
    admit, authenticate, bound_time, identify, observe, panicked, require, require_everything,
};
use crate::state::{ServerState, Shared};
use crate::{callbacks, docs, health, hooks, metrics};

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

type Routes = OpenApiRouter<Arc<Shared>>;

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

/// The routes that need a key: one group for each role.
pub(crate) fn api_routes() -> Routes {
    let role = |role: Role, routes: Routes| routes.route_layer(from_fn_with_state(role, require));
    let read = OpenApiRouter::new()
        .routes(routes!(transfers::list_transfers))
        .routes(routes!(transfers::read_transfer))
        .routes(routes!(transfers::read_events))
        .routes(routes!(providers::list_providers))
        .routes(routes!(providers::read_balance))
        .routes(routes!(suspense::list_suspense))
        .routes(routes!(suspense::list_cases))
        .routes(routes!(actions::list_actions))
        .routes(routes!(actions::read_action))
        .routes(routes!(requests::list_core_requests))
        .routes(routes!(requests::read_core_request));
    let write = OpenApiRouter::new()
        .routes(routes!(transfers::create_transfer))
        .routes(routes!(transfers::inquire));
    let operate = OpenApiRouter::new()
        .routes(routes!(transfers::reverse))
        .routes(routes!(actions::decide))
        .routes(routes!(actions::hold))
        .routes(routes!(actions::release))
        .routes(routes!(actions::claim))
        .routes(routes!(actions::read_arrival))
        .routes(routes!(actions::handle_again))
        .routes(routes!(actions::dismiss))
        .routes(routes!(actions::approve))
        .routes(routes!(actions::decline))
        .routes(routes!(providers::read_holder))
        .routes(routes!(suspense::suggest))
        .routes(routes!(suspense::assign))
        .routes(routes!(requests::approve_core_request))
        .routes(routes!(requests::decline_core_request));
    role(Role::Write, write).merge(role(Role::Read, read)).merge(role(Role::Operate, operate))
}

/// The routes that are open to anybody.
pub(crate) fn open_routes() -> Routes {
    OpenApiRouter::new().routes(routes!(health::healthz)).routes(routes!(health::readyz))
}

pub(crate) fn metrics_route() -> Routes {
    OpenApiRouter::new().routes(routes!(metrics::metrics))
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
