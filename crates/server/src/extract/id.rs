//! Ids in the path. An id that a handler is given is in the scope of the caller's key.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use http::Method;
use http::request::Parts;
use kiungo_api::Identity;
use kiungo_api::problem::{Code, Problem};
use kiungo_api::scope::{About, Intent};
use kiungo_api::wire::NamedTransfer;
use kiungo_domain::{CoreId, ProviderId, TransferId};
use kiungo_store::{ActionId, InboxId};

use crate::state::Shared;

/// The transfer named in the path, by its own id or by the reference of one of its operations.
pub(crate) struct TransferPath(pub(crate) TransferId);

/// The provider named in the path.
pub(crate) struct ProviderPath(pub(crate) ProviderId);

/// The action named in the path.
pub(crate) struct ActionPath(pub(crate) ActionId);

/// The arrival named in the path.
pub(crate) struct ArrivalPath(pub(crate) InboxId);

/// The request of a core that is named in the path.
pub(crate) struct CoreRequestPath {
    pub(crate) core: CoreId,
    pub(crate) request: String,
}

impl FromRequestParts<Arc<Shared>> for CoreRequestPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<Shared>) -> Result<Self, Problem> {
        let core = parameter(parts, state, "core").await?;
        let request = parameter(parts, state, "request").await?;
        let problem = |error| Problem::new(Code::CoreRequestNotFound, format!("{error}"));
        let core = CoreId::new(&core).map_err(problem)?;
        in_scope(parts, state, About::CoreRequest(&core, &request, intent(parts))).await?;
        Ok(Self { core, request })
    }
}

impl FromRequestParts<Arc<Shared>> for TransferPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<Shared>) -> Result<Self, Problem> {
        let text = id_in(parts, state).await?;
        let none = |why| Problem::new(Code::TransferNotFound, why);
        let named = NamedTransfer::parse(&text).map_err(none)?;
        in_scope(parts, state, About::Transfer(named.id(), intent(parts))).await?;
        named.check(&*state.service).await?;
        Ok(Self(named.id()))
    }
}

impl FromRequestParts<Arc<Shared>> for ActionPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<Shared>) -> Result<Self, Problem> {
        let text = id_in(parts, state).await?;
        let none = || Problem::new(Code::ActionNotFound, "this is not the id of an action");
        let id = ActionId::parse(&text).ok_or_else(none)?;
        in_scope(parts, state, About::Action(id, intent(parts))).await?;
        Ok(Self(id))
    }
}

impl FromRequestParts<Arc<Shared>> for ArrivalPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<Shared>) -> Result<Self, Problem> {
        let text = id_in(parts, state).await?;
        let none = |_| Problem::new(Code::ArrivalNotFound, "this is not the number of an arrival");
        let id = text.parse().map(InboxId).map_err(none)?;
        in_scope(parts, state, About::Arrival(id, intent(parts))).await?;
        Ok(Self(id))
    }
}

impl FromRequestParts<Arc<Shared>> for ProviderPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<Shared>) -> Result<Self, Problem> {
        let text = id_in(parts, state).await?;
        let problem = |error| Problem::new(Code::ProviderNotFound, format!("{error}"));
        let id = ProviderId::new(&text).map_err(problem)?;
        in_scope(parts, state, About::Provider(&id, intent(parts))).await?;
        Ok(Self(id))
    }
}

async fn in_scope(parts: &Parts, state: &Shared, about: About<'_>) -> Result<(), Problem> {
    let identity = parts.extensions.get::<Identity>().ok_or_else(|| {
        Problem::new(Code::Unauthenticated, "the address is not for callers without a key")
    })?;
    identity.scope().check(&*state.service, about).await
}

/// A request that only reads moves nothing.
fn intent(parts: &Parts) -> Intent {
    if parts.method == Method::GET || parts.method == Method::HEAD {
        Intent::See
    } else {
        Intent::Move
    }
}

/// The parameter `id` of the path.
async fn id_in<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<String, Problem> {
    parameter(parts, state, "id").await
}

async fn parameter<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    wanted: &str,
) -> Result<String, Problem> {
    let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| {
        Problem::new(Code::MalformedRequest, "the address is not properly encoded UTF-8")
    })?;
    let found = params.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned());
    found.ok_or_else(|| Problem::new(Code::NotFound, Code::NotFound.title()))
}
