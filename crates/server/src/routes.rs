//! The addresses that the `OpenAPI` document describes, each with its handler and the role it needs.

use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use kiungo_api::Role;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::{actions, providers, requests, suspense, transfers};
use crate::layers::require;
use crate::state::Shared;
use crate::{health, metrics};

type Routes = OpenApiRouter<Arc<Shared>>;

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
