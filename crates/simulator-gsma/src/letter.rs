//! A request to the client.

use axum::http::{Method, Uri, header};
use bytes::Bytes;
use kiungo_simulator::callback_sender::Letter;
use serde_json::Value;

use super::{Simulator, format};

/// A request to the client.
pub(super) fn letter(
    simulator: &Simulator,
    method: &Method,
    url: &Uri,
    correlation: Option<&str>,
    body: &Value,
) -> Option<Letter> {
    let mut letter = http::Request::builder()
        .method(method)
        .uri(url)
        .header(header::CONTENT_TYPE, "application/json")
        .header("X-Date", format::moment(simulator.now()));
    if let Some(correlation) = correlation {
        letter = letter.header("X-CorrelationID", correlation);
    }
    letter.body(Bytes::from(body.to_string())).ok()
}
