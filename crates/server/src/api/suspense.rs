//! Suspense and cases: the lists of what waits for a person, and the assignment of suspended money.

use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json as Answer};
use kiungo_api::Identity;
use kiungo_api::problem::{Problem, ProblemBody};
use kiungo_api::scope::{About, Reach};
use kiungo_api::wire::case::{CasePageView, CaseView};
use kiungo_api::wire::filter::{PageFilter, SuspenseFilter};
use kiungo_api::wire::request::AssignmentRequest;
use kiungo_api::wire::suggestion::SuggestionsView;
use kiungo_api::wire::transfer::TransferPageView;
use kiungo_api::wire::viewer::Viewer;

use kiungo_engine::PersonAction;

use super::Shares;
use super::actions::act;
use super::transfers::view_page;
use crate::extract::{Json, Query, TransferPath};

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
    let page = Reach::new(&*state.service, identity.scope()).search(filter.read()?).await?;
    Ok(Answer(view_page(&state, &page, &identity)))
}

/// Suggests accounts for suspended money.
///
/// The accounts that the payer may have meant, best first, ten at most: those of the wallet's
/// number, and those that the text typed as account may name, each with its reasons. The core is
/// asked now. Names account holders, and so needs the role `operate`.
#[utoipa::path(
    get, path = "/v1/suspense/{id}/suggestions", tag = "Suspense and cases",
    params(("id" = String, Path, description = "The suspended transfer's id", pattern = "^[0-9A-Fa-f-]{32,36}$")),
    responses(
        (status = 200, description = "The suggestions", body = SuggestionsView),
        (status = 404, description = "`transfer_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`: it is not suspended", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`core_busy`: no request was sent", body = ProblemBody, content_type = "application/problem+json"),
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
    params(("id" = String, Path, description = "The suspended transfer's id", pattern = "^[0-9A-Fa-f-]{32,36}$")),
    request_body = AssignmentRequest,
    responses(
        (status = 201, description = "It waits for a second person", body = kiungo_api::wire::action::ActionView, headers(
            ("Location" = String, description = "The address of the action"))),
        (status = 202, description = "It is being booked", body = kiungo_api::wire::transfer::TransferView),
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
    let (account, reason, seen) = request.read()?;
    identity.scope().check(&*state.service, About::Assignment(id, &account)).await?;
    act(&state, &identity, PersonAction::Assign { transfer: id, account }, reason, seen).await
}

/// Lists open cases, newest first.
///
/// Everything that waits for a person's decision, with the evidence, the money that it is about, and the
/// actions that are possible. Needs the role `read`.
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
    Extension(identity): Extension<Identity>,
    Query(filter): Query<PageFilter>,
) -> Result<Answer<CasePageView>, Problem> {
    let (cursor, limit) = filter.read()?;
    let page = Reach::new(&*state.service, identity.scope()).cases(cursor, limit).await?;
    let store = state.service.store();
    let (now, viewer) = (state.service.clock_now(), Viewer::of(&identity));
    let mut cases = Vec::with_capacity(page.rows.len());
    for row in page.rows {
        let transfer = match row.transfer {
            Some(id) => store.transfer(id).await?,
            None => None,
        };
        cases.push(CaseView::new(row, transfer.as_ref(), now, viewer));
    }
    Ok(Answer(CasePageView { cases, next: page.next.map(|cursor| cursor.0) }))
}
