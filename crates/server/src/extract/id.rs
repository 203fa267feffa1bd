//! Ids in the path.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use kiungo_domain::{CoreId, ProviderId, Reference, TransferId};
use kiungo_store::{ActionId, InboxId};

use crate::problem::{Code, Problem};

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

impl<S: Send + Sync> FromRequestParts<S> for CoreRequestPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let core = parameter(parts, state, "core").await?;
        let request = parameter(parts, state, "request").await?;
        let problem = |error| Problem::new(Code::CoreRequestNotFound, format!("{error}"));
        Ok(Self { core: CoreId::new(&core).map_err(problem)?, request })
    }
}

/// The transfer that a text names, by its own id or by the reference of one of its operations.
pub fn named_transfer(text: &str) -> Result<TransferId, &'static str> {
    let by_reference = || Reference::parse(text).map(|reference| reference.transfer());
    let id = TransferId::parse(text).or_else(|_| by_reference());
    id.map_err(|_| "this is not the id of a transfer, nor a reference")
}

impl<S: Send + Sync> FromRequestParts<S> for TransferPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = id_in(parts, state).await?;
        named_transfer(&text).map(Self).map_err(|why| Problem::new(Code::TransferNotFound, why))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ActionPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = id_in(parts, state).await?;
        let none = || Problem::new(Code::ActionNotFound, "this is not the id of an action");
        ActionId::parse(&text).map(Self).ok_or_else(none)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ArrivalPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = id_in(parts, state).await?;
        let none = |_| Problem::new(Code::ArrivalNotFound, "this is not the number of an arrival");
        text.parse().map(|number| Self(InboxId(number))).map_err(none)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ProviderPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = id_in(parts, state).await?;
        let problem = |error| Problem::new(Code::ProviderNotFound, format!("{error}"));
        ProviderId::new(&text).map(Self).map_err(problem)
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
