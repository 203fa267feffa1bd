//! The `OpenAPI` document, generated from the handlers, and a page that shows it.
//!
//! * `document`: the document, with `overview`, its introduction
//! * `documents`: the document and the page as they are kept
//! * `page`: the page, made here and whole: nothing is loaded from elsewhere, and no script runs
//! * `html`: writing HTML safely

mod document;
pub(crate) mod documents;
mod html;
mod overview;
mod page;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

use crate::state::Shared;

/// The `OpenAPI` 3.1 document, as `/v1/openapi.json` serves it.
pub fn openapi_json() -> String {
    // Maps with text keys and plain values always have a JSON form.
    let mut json = serde_json::to_string_pretty(&document::document()).unwrap_or_default();
    json.push('\n');
    json
}

pub(crate) async fn openapi_document(State(state): State<Arc<Shared>>) -> Response {
    let json = state.documents.json.get_or_init(|| openapi_json().into()).clone();
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "max-age=300")], json).into_response()
}

pub(crate) async fn page(State(state): State<Arc<Shared>>) -> Response {
    let page = state.documents.page.get_or_init(|| page::render(&document::document()).into());
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "max-age=300"),
        // The one style sheet is inline; there is nothing else to load or to run.
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
    ];
    (headers, page.clone()).into_response()
}
