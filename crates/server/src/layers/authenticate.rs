//! Finds out who calls, and what that key may do.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use kiungo_api::Identity;
use kiungo_api::Role;
use kiungo_api::problem::{Code, Problem};
use kiungo_api::scope::About;

use crate::state::Shared;

/// A key is far shorter; longer ones are not even hashed.
const TOKEN_LENGTH_MAX: usize = 512;

/// Turns a request without a valid key away, before its body is read.
pub(crate) async fn authenticate(
    State(state): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let identity = identify(&state, request.headers())?.clone();
    request.extensions_mut().insert(identity);
    Ok(next.run(request).await)
}

/// The holder of the key in the headers.
pub(crate) fn identify<'a>(
    state: &'a Shared,
    headers: &HeaderMap,
) -> Result<&'a Identity, Problem> {
    let refused = |why: &str| Problem::new(Code::Unauthenticated, why);
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let missing = "the header `Authorization: Bearer …` is missing";
    let value = values.next().ok_or_else(|| refused(missing))?;
    let token = match (value.to_str().ok().and_then(|text| text.split_once(' ')), values.next()) {
        (Some((scheme, token)), None) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => return Err(refused("the header `Authorization` is not `Bearer` and one key")),
    };
    let holder = (token.len() <= TOKEN_LENGTH_MAX).then(|| state.keyring.holder(token));
    holder.flatten().ok_or_else(|| refused("the API key is not known"))
}

/// Turns a request away whose key lacks the role.
pub(crate) async fn require(
    State(role): State<Role>,
    Extension(identity): Extension<Identity>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if identity.has(role) {
        return Ok(next.run(request).await);
    }
    let detail = format!("the API key `{}` lacks the role `{}`", identity.client, role.as_str());
    Err(Problem::new(Code::Forbidden, detail))
}

/// Turns a request away whose key is bound to a part of what is answered.
pub(crate) async fn require_everything(
    State(state): State<Arc<Shared>>,
    Extension(identity): Extension<Identity>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    identity.scope().check(&*state.service, About::Everything).await?;
    Ok(next.run(request).await)
}
