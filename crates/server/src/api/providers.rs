//! Providers.

use axum::Json;
use axum::extract::State;

use super::Shares;
use crate::extract::ProviderPath;
use crate::problem::{Code, Problem, ProblemBody};
use crate::wire::provider::{BalanceView, ProvidersView};

/// Lists the providers and how they are doing.
///
/// Needs the role `read`.
#[utoipa::path(
    get, path = "/v1/providers", tag = "Providers",
    responses((status = 200, description = "The providers", body = ProvidersView)),
)]
pub(crate) async fn list_providers(State(state): Shares) -> Json<ProvidersView> {
    Json(ProvidersView::new(&state.service.providers()))
}

/// Reads the float at a provider.
///
/// The provider is asked now. Needs the role `read`.
#[utoipa::path(
    get, path = "/v1/providers/{id}/balance", tag = "Providers",
    params(("id" = String, Path, description = "The provider", example = "mpesa-tz")),
    responses(
        (status = 200, description = "The balance", body = BalanceView),
        (status = 404, description = "`provider_not_found` or `not_offered`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 502, description = "`provider_unavailable` or `provider_repair`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read_balance(
    State(state): Shares,
    ProviderPath(id): ProviderPath,
) -> Result<Json<BalanceView>, Problem> {
    let service = &state.service;
    if !service.providers().iter().any(|provider| provider.id == id) {
        let detail = format!("no provider `{id}` is configured");
        return Err(Problem::new(Code::ProviderNotFound, detail));
    }
    let balance = service.balance(&id).await.ok_or_else(|| {
        Problem::new(Code::NotOffered, format!("`{id}` does not tell its balance"))
    })??;
    Ok(Json(BalanceView::new(&id, balance, service.clock_now())))
}
