//! Actions of persons: decisions about transfers, holds of providers' operations, payments brought in
//! by their receipt, arrivals kept for a person; and the approvals of a second person.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json as Answer};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use kiungo_api::Identity;
use kiungo_api::problem::{Code, Problem, ProblemBody};
use kiungo_api::scope::Reach;
use kiungo_api::wire::action::{
    ActionFilter, ActionPageView, ActionView, ApprovalRequest, ClaimRequest, OperationRequest,
    ReasonRequest, TransferDecisionRequest,
};
use kiungo_api::wire::arrival::ArrivalView;
use kiungo_api::wire::transfer::TransferView;
use kiungo_api::wire::viewer::Viewer;
use kiungo_engine::actions::stored_action;
use kiungo_engine::{Acted, NewAction, PersonAction};
use kiungo_store::{Action, ActionState, StoreError};

use super::Shares;
use super::transfers::accepted;
use crate::extract::{ActionPath, ArrivalPath, Json, ProviderPath, Query, TransferPath};
use crate::state::Shared;

/// Decides about a transfer.
///
/// For a transfer that the machine alone cannot bring to an end; its `choices` say what it allows.
/// `try_again` tries the open step, or asks about it, now. `give_up` stops trying what could not be
/// sent, and gives back what has moved. `accept_executed` and `accept_not_executed` state what a
/// person has seen at the other side. `close_case` ends a question. The reason and the name of the key
/// stay in the journal. Needs the role `operate`.
#[utoipa::path(
    post, path = "/v1/transfers/{id}/decisions", tag = "Actions",
    params(("id" = String, Path, description = "The transfer's id, or a reference", pattern = "^[0-9A-Fa-f-]{32,36}$")),
    request_body = TransferDecisionRequest,
    responses(
        (status = 201, description = "It waits for a second person", body = ActionView, headers(
            ("Location" = String, description = "The address of the action"))),
        (status = 202, description = "It is being carried out", body = TransferView),
        (status = 404, description = "`transfer_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`conflict`, `changed` or `transfer_busy`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn decide(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    TransferPath(transfer): TransferPath,
    Json(request): Json<TransferDecisionRequest>,
) -> Result<Response, Problem> {
    let (decision, reason, seen) = request.read()?;
    let action = PersonAction::Decide { transfer, decision };
    act(&state, &identity, action, reason, seen).await
}

/// Holds an operation of a provider.
///
/// Transfers that need it wait; nothing fails, and no outbound transfer leaves the core for it. It
/// lasts until it is released. Needs the role `operate`.
#[utoipa::path(
    post, path = "/v1/providers/{id}/holds", tag = "Actions",
    params(("id" = String, Path, description = "The provider", example = "mpesa-tz", pattern = "^[a-z0-9-]{1,32}$")),
    request_body = OperationRequest,
    responses(
        (status = 201, description = "It waits for a second person", body = ActionView, headers(
            ("Location" = String, description = "The address of the action"))),
        (status = 202, description = "It is held", body = ActionView),
        (status = 404, description = "`provider_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn hold(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    ProviderPath(provider): ProviderPath,
    Json(request): Json<OperationRequest>,
) -> Result<Response, Problem> {
    let (operation, reason) = request.read()?;
    act(&state, &identity, PersonAction::Hold { provider, operation }, reason, None).await
}

/// Releases an operation of a provider.
///
/// Any hold ends: one by a person, an empty float, a refused login, a blocked session. If the cause
/// is still there, the next attempt holds it again. Needs the role `operate`.
#[utoipa::path(
    post, path = "/v1/providers/{id}/releases", tag = "Actions",
    params(("id" = String, Path, description = "The provider", example = "mpesa-tz", pattern = "^[a-z0-9-]{1,32}$")),
    request_body = OperationRequest,
    responses(
        (status = 201, description = "It waits for a second person", body = ActionView, headers(
            ("Location" = String, description = "The address of the action"))),
        (status = 202, description = "It is released", body = ActionView),
        (status = 404, description = "`provider_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`action_conflict`: nothing holds it", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn release(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    ProviderPath(provider): ProviderPath,
    Json(request): Json<OperationRequest>,
) -> Result<Response, Problem> {
    let (operation, reason) = request.read()?;
    act(&state, &identity, PersonAction::Release { provider, operation }, reason, None).await
}

/// Brings in a payment by its receipt.
///
/// For a payment that no notification reported. The provider is asked; a payment that it confirms
/// is booked, or waits in suspense, as if its notification had come. The same receipt never books
/// twice. Needs the role `operate`.
#[utoipa::path(
    post, path = "/v1/providers/{id}/claims", tag = "Actions",
    params(("id" = String, Path, description = "The provider", example = "mpesa-tz", pattern = "^[a-z0-9-]{1,32}$")),
    request_body = ClaimRequest,
    responses(
        (status = 201, description = "It waits for a second person", body = ActionView, headers(
            ("Location" = String, description = "The address of the action"))),
        (status = 202, description = "The provider is being asked; `arrival` shows the outcome", body = ActionView),
        (status = 404, description = "`provider_not_found`, or `not_offered`: it cannot be asked", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn claim(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    ProviderPath(provider): ProviderPath,
    Json(request): Json<ClaimRequest>,
) -> Result<Response, Problem> {
    let (claim, reason) = request.read(&*state.service, &provider)?;
    act(&state, &identity, PersonAction::Claim { provider, claim }, reason, None).await
}

/// Shows something that arrived from a provider.
///
/// Whole, with its body; secrets are hidden. It may hold phone numbers in full, and so needs the role
/// `operate`.
#[utoipa::path(
    get, path = "/v1/arrivals/{id}", tag = "Actions",
    params(("id" = i64, Path, description = "Its number, `inbox` of a case", example = 17)),
    responses(
        (status = 200, description = "The arrival", body = ArrivalView),
        (status = 404, description = "`arrival_not_found`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read_arrival(
    State(state): Shares,
    ArrivalPath(arrival): ArrivalPath,
) -> Result<Answer<ArrivalView>, Problem> {
    let item = state.service.store().inbox_item(arrival).await?;
    let none = || Problem::new(Code::ArrivalNotFound, format!("there is no arrival {arrival}"));
    Ok(Answer(ArrivalView::new(&item.ok_or_else(none)?)))
}

/// Handles a quarantined arrival again.
///
/// After a mapping was mended, for example. Needs the role `operate`.
#[utoipa::path(
    post, path = "/v1/arrivals/{id}/retries", tag = "Actions",
    params(("id" = i64, Path, description = "Its number", example = 17)),
    request_body = ReasonRequest,
    responses(
        (status = 201, description = "It waits for a second person", body = ActionView, headers(
            ("Location" = String, description = "The address of the action"))),
        (status = 202, description = "It is being handled", body = ActionView),
        (status = 404, description = "`arrival_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`action_conflict`: it is not quarantined", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn handle_again(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    ArrivalPath(arrival): ArrivalPath,
    Json(request): Json<ReasonRequest>,
) -> Result<Response, Problem> {
    act(&state, &identity, PersonAction::HandleAgain { arrival }, request.read()?, None).await
}

/// Dismisses a quarantined arrival.
///
/// It stays stored, and its case ends. Needs the role `operate`.
#[utoipa::path(
    post, path = "/v1/arrivals/{id}/dismissals", tag = "Actions",
    params(("id" = i64, Path, description = "Its number", example = 17)),
    request_body = ReasonRequest,
    responses(
        (status = 201, description = "It waits for a second person", body = ActionView, headers(
            ("Location" = String, description = "The address of the action"))),
        (status = 202, description = "It is dismissed", body = ActionView),
        (status = 404, description = "`arrival_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`action_conflict`: it is not quarantined", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn dismiss(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    ArrivalPath(arrival): ArrivalPath,
    Json(request): Json<ReasonRequest>,
) -> Result<Response, Problem> {
    act(&state, &identity, PersonAction::Dismiss { arrival }, request.read()?, None).await
}

/// Lists actions of persons, the one asked for last first.
///
/// By default only those that a second person can approve or decline. Needs the role `read`.
#[utoipa::path(
    get, path = "/v1/actions", tag = "Actions",
    params(ActionFilter),
    responses(
        (status = 200, description = "A page of actions", body = ActionPageView),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_actions(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    Query(filter): Query<ActionFilter>,
) -> Result<Answer<ActionPageView>, Problem> {
    let reach = Reach::new(&*state.service, identity.scope());
    let page = reach.actions(filter.read()?).await?;
    let mut views = Vec::with_capacity(page.rows.len());
    for action in &page.rows {
        views.push(view(&state, action, &identity).await?);
    }
    Ok(Answer(ActionPageView::new(views, &page)))
}

/// Shows an action of a person.
///
/// With everything that it would do, and the version that its transfer has now. Needs the role `read`.
#[utoipa::path(
    get, path = "/v1/actions/{id}", tag = "Actions",
    params(("id" = String, Path, description = "The action's id", pattern = "^[0-9A-Fa-f-]{32,36}$")),
    responses(
        (status = 200, description = "The action", body = ActionView),
        (status = 404, description = "`action_not_found`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read_action(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    ActionPath(id): ActionPath,
) -> Result<Answer<ActionView>, Problem> {
    let action = state.service.store().action(id).await?;
    let none = || Problem::new(Code::ActionNotFound, format!("there is no action {id}"));
    Ok(Answer(view(&state, &action.ok_or_else(none)?, &identity).await?))
}

/// Approves an action, as the second person.
///
/// It is carried out if the transfer is still as it was shown. The key must have another name than the
/// one that asked for it. Needs the role `operate`.
#[utoipa::path(
    post, path = "/v1/actions/{id}/approvals", tag = "Actions",
    params(("id" = String, Path, description = "The action's id", pattern = "^[0-9A-Fa-f-]{32,36}$")),
    request_body = ApprovalRequest,
    responses(
        (status = 202, description = "It is being carried out", body = ActionView),
        (status = 404, description = "`action_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`action_conflict`, `conflict`, `changed` or `transfer_busy`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn approve(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    ActionPath(id): ActionPath,
    Json(request): Json<ApprovalRequest>,
) -> Result<Response, Problem> {
    let (reason, seen) = request.read()?;
    let acted = state.service.approve_action(id, &identity.client, &reason, seen).await?;
    shown(&state, StatusCode::ACCEPTED, &acted.action, &identity).await
}

/// Declines an action.
///
/// It is not carried out. Needs the role `operate`.
#[utoipa::path(
    post, path = "/v1/actions/{id}/declines", tag = "Actions",
    params(("id" = String, Path, description = "The action's id", pattern = "^[0-9A-Fa-f-]{32,36}$")),
    request_body = ReasonRequest,
    responses(
        (status = 202, description = "It is declined", body = ActionView),
        (status = 404, description = "`action_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`action_conflict`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn decline(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    ActionPath(id): ActionPath,
    Json(request): Json<ReasonRequest>,
) -> Result<Response, Problem> {
    let action = state.service.decline_action(id, &identity.client, &request.read()?).await?;
    shown(&state, StatusCode::ACCEPTED, &action, &identity).await
}

/// Has an action carried out, or written down for a second person, and answers with what it became.
pub(super) async fn act(
    state: &Shared,
    identity: &Identity,
    action: PersonAction,
    reason: String,
    seen: Option<u64>,
) -> Result<Response, Problem> {
    let by = identity.client.to_string();
    let acted = state.service.act(NewAction { action, by, reason, seen, key: None }).await?;
    let Acted { action, transfer, .. } = acted;
    match (action.state, transfer) {
        (ActionState::Proposed, _) => {
            let mut response = shown(state, StatusCode::CREATED, &action, identity).await?;
            if let Ok(location) = HeaderValue::from_str(&format!("/v1/actions/{}", action.id)) {
                response.headers_mut().insert(LOCATION, location);
            }
            Ok(response)
        }
        (_, Some(summary)) => Ok(accepted(state, &summary, identity)),
        (_, None) => shown(state, StatusCode::ACCEPTED, &action, identity).await,
    }
}

async fn shown(
    state: &Shared,
    status: StatusCode,
    action: &Action,
    identity: &Identity,
) -> Result<Response, Problem> {
    Ok((status, Answer(view(state, action, identity).await?)).into_response())
}

async fn view(
    state: &Shared,
    action: &Action,
    identity: &Identity,
) -> Result<ActionView, StoreError> {
    let transfer = stored_action(action).and_then(|it| it.transfer());
    let version = match transfer {
        Some(id) if action.state.is_open() => {
            state.service.store().summary(id).await?.map(|summary| summary.version)
        }
        _ => None,
    };
    Ok(ActionView::new(action, version, Viewer::of(identity)))
}
