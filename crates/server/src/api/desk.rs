//! What waits for a person: suspense and cases.

use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json as Answer};

use super::Shares;
use super::transfers::{accepted, view_page};
use crate::extract::{Json, Query, TransferPath};
use crate::keyring::Identity;
use crate::problem::{Problem, ProblemBody};
use crate::wire::desk::{CasePageView, SuggestionsView};
use crate::wire::filter::{PageFilter, SuspenseFilter};
use crate::wire::request::AssignmentRequest;
use crate::wire::transfer::TransferPageView;

/// Lists money in suspense, newest first.
///
/// Money that was received and has no home yet; each with the reason. Needs the role `read`.
#[utoipa::path(
    get, path = "/v1/suspense", tag = "Suspense and cases",
    params(SuspenseFilter),
    responses(
        (status = 200, description = "A page of suspended transfers", body = TransferPageView),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_suspense(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    Query(filter): Query<SuspenseFilter>,
) -> Result<Answer<TransferPageView>, Problem> {
    let page = state.service.store().search(&filter.read()?).await?;
    Ok(Answer(view_page(&state, &page, &identity)))
}

/// Suggests accounts for suspended money.
///
/// What the payer may have meant, best first, ten at most: the accounts of the wallet's number, and
/// those that the text typed as account may name, each with what speaks for it. The core is asked now.
/// Names account holders, and so needs the role `operate`.
#[utoipa::path(
    get, path = "/v1/suspense/{id}/suggestions", tag = "Suspense and cases",
    params(("id" = String, Path, description = "The suspended transfer's id")),
    responses(
        (status = 200, description = "The suggestions", body = SuggestionsView),
        (status = 404, description = "`transfer_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it is not suspended", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`core_busy`: nobody was asked", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn suggest(
    State(state): Shares,
    TransferPath(id): TransferPath,
) -> Result<Answer<SuggestionsView>, Problem> {
    let suggestions = state.service.suggestions(id).await?;
    Ok(Answer(SuggestionsView::new(id, suggestions)))
}

/// Gives suspended money its account.
///
/// It is booked there. To send it back instead, reverse the transfer. Needs the role `operate`.
#[utoipa::path(
    post, path = "/v1/suspense/{id}/assignments", tag = "Suspense and cases",
    params(("id" = String, Path, description = "The suspended transfer's id")),
    request_body = AssignmentRequest,
    responses(
        (status = 202, description = "It is being booked", body = crate::wire::transfer::TransferView),
        (status = 404, description = "`transfer_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict` or `transfer_busy`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn assign(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    TransferPath(id): TransferPath,
    Json(request): Json<AssignmentRequest>,
) -> Result<Response, Problem> {
    let account = request.read()?;
    let summary = state.service.assign(id, account, &identity.client, None).await?;
    Ok(accepted(&state, &summary, &identity))
}

/// Lists open cases, newest first.
///
/// What a person has to decide, with the evidence. Needs the role `read`.
#[utoipa::path(
    get, path = "/v1/cases", tag = "Suspense and cases",
    params(PageFilter),
    responses(
        (status = 200, description = "A page of cases", body = CasePageView),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_cases(
    State(state): Shares,
    Query(filter): Query<PageFilter>,
) -> Result<Answer<CasePageView>, Problem> {
    let (cursor, limit) = filter.read()?;
    let page = state.service.store().cases(cursor.as_ref(), limit).await?;
    Ok(Answer(CasePageView::new(page)))
}
