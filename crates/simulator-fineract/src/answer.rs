//! An answer before it becomes an HTTP response.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use kiungo_domain::Timestamp;
use kiungo_simulator::faults::ResetConnection;

use super::json::{Json, Serializer};

/// An answer: cheap to clone, because it is also what the command table keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    status: u16,
    body: Arc<str>,
    content_type: Option<&'static str>,
    /// True if it comes from the command table: `x-served-from-cache`.
    cached: bool,
    /// True if the container makes the body, which names the time and the path.
    container: bool,
    /// True if the connection is cut instead.
    reset: bool,
}

impl Answer {
    /// A JSON answer.
    pub(crate) fn json(status: u16, body: impl Into<Arc<str>>) -> Self {
        Self {
            status,
            body: body.into(),
            content_type: Some("application/json"),
            cached: false,
            container: false,
            reset: false,
        }
    }

    /// 200 with a body of that serializer.
    pub(crate) fn ok(serializer: Serializer, json: &Json) -> Self {
        Self::json(200, serializer.print(json))
    }

    /// The container's own error page.
    pub(crate) fn container(status: u16) -> Self {
        Self { container: true, ..Self::json(status, "") }
    }

    /// A page of something in front of the core.
    pub(crate) fn html(status: u16, body: &'static str) -> Self {
        Self { content_type: Some("text/html"), ..Self::json(status, body) }
    }

    /// No answer: the connection is cut.
    pub(crate) fn reset() -> Self {
        Self { reset: true, ..Self::json(500, "") }
    }

    /// The result of a command that was carried out; `None` of any other answer.
    pub(crate) fn result(&self) -> Option<serde_json::Value> {
        let result: serde_json::Value = serde_json::from_str(&self.body).ok()?;
        let carried_out = self.status == 200 && result.get("rollbackTransaction").is_none();
        carried_out.then_some(result)
    }

    /// The answer of a row whose result was cleared.
    pub(crate) fn without_body(mut self) -> Self {
        self.body = "".into();
        self
    }

    /// The answer as replayed from the command table.
    pub(crate) fn replayed(mut self) -> Self {
        self.cached = true;
        self
    }

    /// The answer without saying what its body is.
    pub(crate) fn without_content_type(mut self) -> Self {
        self.content_type = None;
        self
    }

    /// The HTTP response to a request for `path` at `now`.
    pub(crate) fn respond(self, path: &str, now: Timestamp) -> Response {
        let body = if self.container {
            Body::from(Serializer::Jackson.print(&container_page(self.status, path, now)))
        } else {
            Body::from(String::from(&*self.body))
        };
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if let Some(content_type) = self.content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if self.cached {
            headers.insert("x-served-from-cache", HeaderValue::from_static("true"));
        }
        // A missing tenant is rejected at the same point as a missing login.
        if self.container && matches!(self.status, 400 | 401) {
            let challenge = HeaderValue::from_static("Basic realm=\"Fineract Platform API\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if self.reset {
            response.extensions_mut().insert(ResetConnection);
        }
        response
    }
}

/// Spring Boot's default error object.
fn container_page(status: u16, path: &str, now: Timestamp) -> Json {
    let moment = jiff::Timestamp::from_microsecond(now.as_micros()).unwrap_or_default();
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    Json::object()
        .with("timestamp", format!("{moment:.3}"))
        .with("status", status)
        .with("error", reason.unwrap_or("Error"))
        .with("path", path)
}
