//! JSON bodies.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use kiungo_api::problem::{Code, Problem};
use kiungo_api::wire::read_request;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use super::read_body;
use crate::state::Shared;

/// A body in JSON. An error names the members.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned + ToSchema> FromRequest<Arc<Shared>> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &Arc<Shared>) -> Result<Self, Problem> {
        check_media_type(request.headers())?;
        let body = read_body(request.into_body(), state, state.options.api_body_bytes_max).await?;
        read_request(&body).map(Self)
    }
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |why: &str| Err(Problem::new(Code::UnsupportedMediaType, why));
    if headers.get(CONTENT_ENCODING).is_some_and(|value| value != "identity") {
        return refused("a body with a Content-Encoding is not read");
    }
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return refused("the request has no Content-Type; send application/json");
    };
    let mut parts = value.split(';').map(str::trim);
    let json = parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    let charset = |part: &str| {
        let (name, value) = part.split_once('=')?;
        name.eq_ignore_ascii_case("charset").then(|| value.trim_matches('"').to_owned())
    };
    let utf8 = parts.filter_map(charset).all(|charset| charset.eq_ignore_ascii_case("utf-8"));
    if json && utf8 { Ok(()) } else { refused("the Content-Type is not application/json in UTF-8") }
}
