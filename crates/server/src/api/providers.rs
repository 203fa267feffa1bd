//! Providers.

use axum::extract::State;
use axum::{Extension, Json};
use kiungo_api::Identity;
use kiungo_api::problem::{Code, Problem, ProblemBody};
use kiungo_api::scope::{Reach, no_provider};
use kiungo_api::wire::provider::{BalanceView, HolderFilter, HolderView, ProvidersView};
use kiungo_api::wire::viewer::Viewer;
use kiungo_domain::ProviderId;

use super::Shares;
use crate::extract::{ProviderPath, Query};
use crate::state::Shared;

/// Lists the providers and how they are doing.
///
/// Needs the role `read`.
#[utoipa::path(
    get, path = "/v1/providers", tag = "Providers",
    responses((status = 200, description = "The providers", body = ProvidersView)),
)]
pub(crate) async fn list_providers(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
) -> Json<ProvidersView> {
    Json(ProvidersView::new(&Reach::new(&*state.service, identity.scope()).providers()))
}

/// Reads the float at a provider.
///
/// The provider is asked now, through its throttle and within the share of questions, so that many
/// of them do not hold up transfers. Needs the role `read`.
#[utoipa::path(
    get, path = "/v1/providers/{id}/balance", tag = "Providers",
    params(("id" = String, Path, description = "The provider", example = "mpesa-tz", pattern = "^[a-z0-9-]{1,32}$")),
    responses(
        (status = 200, description = "The balance", body = BalanceView),
        (status = 404, description = "`provider_not_found` or `not_offered`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "`provider_unavailable` or `provider_repair`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`provider_busy`: no request was sent", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read_balance(
    State(state): Shares,
    ProviderPath(id): ProviderPath,
) -> Result<Json<BalanceView>, Problem> {
    let service = &state.service;
    configured(&state, &id)?;
    let balance = service.balance(&id).await.ok_or_else(|| {
        Problem::new(Code::NotOffered, format!("`{id}` does not tell its balance"))
    })??;
    Ok(Json(BalanceView::new(&id, balance, service.clock_now())))
}

/// Reads the name of a wallet's holder.
///
/// The provider is asked now, through its throttle and within the share of questions, so that many
/// of them do not hold up transfers. Needs the role `operate`.
#[utoipa::path(
    get, path = "/v1/providers/{id}/holder", tag = "Providers",
    params(("id" = String, Path, description = "The provider", example = "gsma-sandbox", pattern = "^[a-z0-9-]{1,32}$"), HolderFilter),
    responses(
        (status = 200, description = "The name", body = HolderView),
        (status = 404, description = "`provider_not_found`, `not_offered` or `wallet_not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "`provider_unavailable` or `provider_repair`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`provider_busy`: no request was sent", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read_holder(
    State(state): Shares,
    Extension(identity): Extension<Identity>,
    ProviderPath(id): ProviderPath,
    Query(filter): Query<HolderFilter>,
) -> Result<Json<HolderView>, Problem> {
    let service = &state.service;
    configured(&state, &id)?;
    let msisdn = filter.read(&**service, &id)?;
    let name = service.holder_name(&id, &msisdn).await.ok_or_else(|| {
        Problem::new(Code::NotOffered, format!("`{id}` does not tell holders' names"))
    })??;
    let name = name.ok_or_else(|| {
        Problem::new(Code::WalletNotFound, format!("`{id}` knows no such wallet"))
    })?;
    let viewer = Viewer::of(&identity);
    Ok(Json(HolderView::new(&id, &msisdn, name, service.clock_now(), viewer)))
}

fn configured(state: &Shared, id: &ProviderId) -> Result<(), Problem> {
    if state.service.providers().iter().any(|provider| provider.id == *id) {
        return Ok(());
    }
    Err(no_provider(id))
}
