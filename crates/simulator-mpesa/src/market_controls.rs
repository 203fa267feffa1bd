//! `/_sim/…`: the controls that only this simulator has.

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Simulator;

pub(super) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/_sim/public-key", get(public_key))
        .route("/_sim/acknowledgements", get(acknowledgements))
        .route("/_sim/statement", get(statement))
        .route("/_sim/reversals", post(reverse))
}

async fn public_key(State(simulator): State<Simulator>) -> String {
    // The pair is made off the runtime's threads: 4096 bits take seconds.
    tokio::task::spawn_blocking(move || simulator.public_key()).await.unwrap_or_default()
}

async fn acknowledgements(State(simulator): State<Simulator>) -> Json<Value> {
    Json(json!({ "wrong": simulator.wrong_acknowledgements() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Period {
    from: Option<Date>,
    to: Option<Date>,
}

async fn statement(State(simulator): State<Simulator>, Query(period): Query<Period>) -> Response {
    let csv = simulator.statement(period.from, period.to);
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReversalByReceipt {
    receipt: String,
}

async fn reverse(
    State(simulator): State<Simulator>,
    Json(what): Json<ReversalByReceipt>,
) -> Response {
    match simulator.reverse(&what.receipt) {
        Ok(receipt) => (StatusCode::CREATED, Json(json!({ "receipt": receipt }))).into_response(),
        Err(code) => {
            (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": code }))).into_response()
        }
    }
}
