//! The error object and where it belongs (`gsma-mobile-money-api.md` §6).

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use kiungo_domain::Timestamp;
use serde_json::{Map, Value, json};

use super::options::Quirks;
use super::{Simulator, format};

/// An error as the API states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    category: Category,
    code: &'static str,
    text: String,
    at: Timestamp,
    /// The fields at fault and what they violate.
    parameters: Vec<(String, String)>,
}

/// The categories of §6.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    BusinessRule,
    Validation,
    Authorisation,
    Identification,
    Internal,
    ServiceUnavailable,
}

impl Category {
    const fn name(self) -> &'static str {
        match self {
            Self::BusinessRule => "businessRule",
            Self::Validation => "validation",
            Self::Authorisation => "authorisation",
            Self::Identification => "identification",
            Self::Internal => "internal",
            Self::ServiceUnavailable => "serviceUnavailable",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::BusinessRule | Self::Validation => StatusCode::BAD_REQUEST,
            Self::Authorisation => StatusCode::UNAUTHORIZED,
            Self::Identification => StatusCode::NOT_FOUND,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl ApiError {
    pub(super) fn new(
        category: Category,
        code: &'static str,
        text: impl Into<String>,
        at: Timestamp,
    ) -> Self {
        Self { category, code, text: text.into(), at, parameters: Vec::new() }
    }

    /// The error for a thing that is not known here.
    pub(super) fn unknown(what: &str, at: Timestamp) -> Self {
        Self::new(Category::Identification, "identifierError", format!("{what} not found"), at)
    }

    /// The provider's own failure, with status 500 or 503.
    pub(super) fn own(status: StatusCode, at: Timestamp) -> Self {
        let category = if status == StatusCode::SERVICE_UNAVAILABLE {
            Category::ServiceUnavailable
        } else {
            Category::Internal
        };
        Self::new(category, "genericError", "The service cannot process the request", at)
    }

    /// Names a field and what it violates; §6.1 allows 20 of them.
    pub(super) fn field(mut self, name: &str, violated: &str) -> Self {
        if self.parameters.len() < 20 {
            self.parameters.push((name.to_owned(), violated.to_owned()));
        }
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        self.category.status()
    }

    pub(super) fn to_json(&self, quirks: &Quirks) -> Value {
        let case = |word: &str| {
            if quirks.pascal_case_errors { format::capital(word) } else { word.to_owned() }
        };
        let text =
            if quirks.lower_case_error_text { "errordescription" } else { "errorDescription" };
        let mut body = Map::new();
        body.insert("errorCategory".into(), case(self.category.name()).into());
        body.insert("errorCode".into(), case(self.code).into());
        body.insert(text.into(), self.text.clone().into());
        body.insert("errorDateTime".into(), format::moment(self.at).into());
        if !self.parameters.is_empty() {
            let pairs =
                self.parameters.iter().map(|(key, value)| json!({"key": key, "value": value}));
            body.insert("errorParameters".into(), pairs.collect());
        }
        Value::Object(body)
    }
}

/// Gives an answer to a request that is refused before it reaches us (a path that is no text, a
/// body that is too long) the API's own form: it knows neither another one nor another status (§1,
/// §6.1).
pub(super) async fn in_our_form(
    State(simulator): State<Simulator>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    let plain = response.headers().get(header::CONTENT_TYPE);
    let plain = plain.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let error = |code, text| ApiError::new(Category::Validation, code, text, simulator.now());
    match response.status() {
        StatusCode::PAYLOAD_TOO_LARGE if plain => {
            simulator.refuse(&error("lengthError", "The body is too long"))
        }
        status if status.is_client_error() && plain => {
            simulator.refuse(&error("formatError", "The path or the body is malformed"))
        }
        _ => response,
    }
}
