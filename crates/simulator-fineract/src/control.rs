//! `/_sim/…`: looking into the simulated core and setting it up from outside.

use std::collections::BTreeMap;

use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use kiungo_simulator::control::fault_routes;
use kiungo_simulator::faults::Faults;

use super::{ClientSpec, Simulator};

/// Largest body of `POST /_sim/clients`, in bytes: some hundred thousand clients.
const BODY_LENGTH_MAX: usize = 64 * 1024 * 1024;

/// The routes under `/_sim`.
pub(crate) fn router(faults: &Faults) -> Router<Simulator> {
    Router::new()
        .route("/_sim/books", get(books))
        .route("/_sim/clients", post(open_clients))
        .merge(fault_routes(faults))
        .layer(DefaultBodyLimit::max(BODY_LENGTH_MAX))
}

type Parameters = Query<BTreeMap<String, String>>;

fn tenant(simulator: &Simulator, parameters: &Parameters) -> String {
    let first = || simulator.options().tenants.first().cloned().unwrap_or_default();
    parameters.get("tenant").cloned().unwrap_or_else(first)
}

async fn books(State(simulator): State<Simulator>, parameters: Parameters) -> Response {
    match simulator.books_of(&tenant(&simulator, &parameters)) {
        Some(books) => Json(books).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Opens clients one by one and stops at the first that cannot be opened.
async fn open_clients(
    State(simulator): State<Simulator>,
    parameters: Parameters,
    Json(specs): Json<Vec<ClientSpec>>,
) -> Response {
    let tenant = tenant(&simulator, &parameters);
    let opened = specs.iter().map(|spec| simulator.open_client_of(&tenant, spec));
    match opened.collect::<Result<Vec<_>, _>>() {
        Ok(ids) => (StatusCode::CREATED, Json(ids)).into_response(),
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).into_response(),
    }
}
