//! Health: the process lives, and it takes work.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use kiungo_api::problem::{Code, Problem, ProblemBody};
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::Shared;

/// The longest wait for the database to answer a ping: an orchestrator asks every few seconds.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// The state of the process.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Health)]
pub(crate) struct HealthView {
    /// `ok` or `ready`.
    #[schema(examples("ok"))]
    status: &'static str,
}

/// Says that the process lives.
///
/// Asks nothing outside the process. Meant for restarting a process that hangs.
#[utoipa::path(
    get, path = "/healthz", tag = "Health", security(()),
    responses((status = 200, description = "It lives", body = HealthView)),
)]
pub(crate) async fn healthz() -> Json<HealthView> {
    Json(HealthView { status: "ok" })
}

/// Says whether work is taken.
///
/// The engine has recovered and is not stopping, and the database answers.
#[utoipa::path(
    get, path = "/readyz", tag = "Health", security(()),
    responses(
        (status = 200, description = "It takes work", body = HealthView),
        (status = 503, description = "`not_ready` or `store_unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn readyz(State(state): State<Arc<Shared>>) -> Result<Json<HealthView>, Problem> {
    let wait = Duration::from_secs(state.options.retry_after_s);
    if !state.readiness.is_ready() {
        let problem = Problem::new(Code::NotReady, "the engine is starting or stopping");
        return Err(problem.retry_after(wait));
    }
    match tokio::time::timeout(PING_TIMEOUT, state.service.store().ping()).await {
        Ok(Ok(())) => Ok(Json(HealthView { status: "ready" })),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => {
            let detail = format!("the database did not answer in {} s", PING_TIMEOUT.as_secs());
            Err(Problem::new(Code::StoreUnavailable, detail).retry_after(wait))
        }
    }
}
