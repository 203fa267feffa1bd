//! The requests of cores for payouts, and the decisions of persons about them.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json as Answer};
use http::StatusCode;
use kiungo_api::CoreRequestService;
use kiungo_api::Identity;
use kiungo_api::problem::{Code, Problem, ProblemBody};
use kiungo_api::scope::Reach;
use kiungo_api::wire::core_request::{
    ApprovalRequest, CoreRequestFilter, CoreRequestPageView, CoreRequestView, DecisionRequest,
};
use kiungo_api::wire::viewer::Viewer;
use kiungo_engine::requests::DecideError;
use kiungo_store::CoreRequestRow;

use super::Shares;
use crate::extract::{CoreRequestPath, Json, Query};
use crate::state::Shared;

/// Lists what cores ask to be paid out, the latest reported one first.
///
/// By default only what waits for a person. Needs the role `read`.
#[utoipa::path(
    get, path = "/v1/core-requests", tag = "Requests of cores",
    params(CoreRequestFilter),
    responses(
        (status = 200, description = "A page of requests", body = CoreRequestPageView),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_core_requests(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    Query(filter): Query<CoreRequestFilter>,
) -> Result<Answer<CoreRequestPageView>, Problem> {
    let reach = Reach::new(&*state.service, identity.scope());
    let page = reach.core_requests(filter.read()?).await?;
    Ok(Answer(CoreRequestPageView::new(page, Viewer::of(&identity))?))
}

/// Shows a request of a core.
///
/// Needs the role `read`.
#[utoipa::path(
    get, path = "/v1/core-requests/{core}/{request}", tag = "Requests of cores",
    params(("core" = String, Path, description = "The core", pattern = "^[a-z0-9-]{1,32}$"), ("request" = String, Path, description = "The request's name", example = "loan-123")),
    responses(
        (status = 200, description = "The request", body = CoreRequestView),
        (status = 404, description = "`core_request_not_found`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read_core_request(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    CoreRequestPath { core, request }: CoreRequestPath,
) -> Result<Answer<CoreRequestView>, Problem> {
    let row = state.service.store().core_request(&core, &request).await?;
    let row = row.ok_or_else(|| Problem::from(DecideError::NotFound { core, request }))?;
    Ok(Answer(CoreRequestView::new(&row, Viewer::of(&identity))?))
}

/// Lets a request be paid.
///
/// One that waits, one that was declined, or one whose transfer failed: that is how it is tried
/// again. `version` says what was shown: what has changed since is not paid, and the conflict says
/// in `version` where it is now. The core is asked once more first: what is no longer open, or is
/// not what was shown, is not paid either. The person and the reason are kept. Needs the role
/// `operate`.
#[utoipa::path(
    post, path = "/v1/core-requests/{core}/{request}/approvals", tag = "Requests of cores",
    params(("core" = String, Path, description = "The core", pattern = "^[a-z0-9-]{1,32}$"), ("request" = String, Path, description = "The request's name", example = "loan-123")),
    request_body = ApprovalRequest,
    responses(
        (status = 202, description = "It becomes a transfer, named in the answer unless the engine is busy", body = CoreRequestView),
        (status = 404, description = "`core_request_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`core_request_conflict`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "`core_unavailable`: nothing was decided", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn approve_core_request(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    CoreRequestPath { core, request }: CoreRequestPath,
    Json(approval): Json<ApprovalRequest>,
) -> Result<Response, Problem> {
    let (shown, reason) = approval.read()?;
    let core_requests = core_requests(&state)?;
    let row = core_requests.approve(&core, &request, shown, &identity.client, &reason).await?;
    decided(&row, &identity)
}

/// Decides that a request is not paid.
///
/// It stays so until the core asks for another amount, or a person approves it. Who and why are
/// kept. Needs the role `operate`.
#[utoipa::path(
    post, path = "/v1/core-requests/{core}/{request}/declines", tag = "Requests of cores",
    params(("core" = String, Path, description = "The core", pattern = "^[a-z0-9-]{1,32}$"), ("request" = String, Path, description = "The request's name", example = "loan-123")),
    request_body = DecisionRequest,
    responses(
        (status = 202, description = "It is declined", body = CoreRequestView),
        (status = 404, description = "`core_request_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`core_request_conflict`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn decline_core_request(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    CoreRequestPath { core, request }: CoreRequestPath,
    Json(decision): Json<DecisionRequest>,
) -> Result<Response, Problem> {
    let (shown, reason) = decision.read()?;
    let core_requests = core_requests(&state)?;
    let row = core_requests.decline(&core, &request, shown, &identity.client, &reason).await?;
    decided(&row, &identity)
}

fn core_requests(state: &Shared) -> Result<&dyn CoreRequestService, Problem> {
    let none = || Problem::new(Code::CoreRequestNotFound, "no core is asked for requests");
    state.core_requests.as_deref().ok_or_else(none)
}

fn decided(row: &CoreRequestRow, identity: &Identity) -> Result<Response, Problem> {
    let view = CoreRequestView::new(row, Viewer::of(identity))?;
    Ok((StatusCode::ACCEPTED, Answer(view)).into_response())
}
