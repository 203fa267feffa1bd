//! Query strings.

use axum::extract::FromRequestParts;
use http::request::Parts;
use kiungo_api::problem::{MemberError, Problem};
use kiungo_domain::excerpt;
use serde::de::DeserializeOwned;

/// The query's parameters. Unknown and repeated ones are errors.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        serde_urlencoded::from_str(query).map(Self).map_err(|error| {
            let error = error.to_string();
            // serde names the parameter between back-ticks.
            let name = error.split('`').nth(1).unwrap_or("query").chars().take(64);
            Problem::invalid(vec![MemberError::parameter(
                &name.collect::<String>(),
                excerpt(&error),
            )])
        })
    }
}
