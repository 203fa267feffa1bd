//! Messages to the client, and its acknowledgements of them.

use axum::http::{Method, header};
use bytes::Bytes;
use kiungo_simulator::callback_sender::Letter;
use serde_json::{Value, json};

use super::Simulator;

/// A JSON POST to the client.
pub(super) fn letter(url: &str, body: &Value) -> Option<Letter> {
    http::Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(body.to_string()))
        .ok()
}

/// Counts an acknowledgement that is not as documented; it is tolerated (`mpesa-openapi.md` §12).
pub(super) fn acknowledged(
    simulator: &Simulator,
    answer: Option<&http::Response<Bytes>>,
    is_right: impl FnOnce(&Value) -> bool,
) {
    let Some(answer) = answer else { return };
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    if !is_right(&body) || answer.status() != http::StatusCode::OK {
        simulator.state().wrong_acknowledgements += 1;
    }
}

/// True if a code says that all is well, as a text or as a number.
pub(super) fn is_zero(code: &Value) -> bool {
    [json!("0"), json!(0)].contains(code)
}
