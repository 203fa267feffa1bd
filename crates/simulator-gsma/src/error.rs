//! The error object and where it belongs (`gsma-mobile-money-api.md` §6).

use axum::http::StatusCode;
use kiungo_domain::Timestamp;
use serde_json::{Map, Value, json};

use super::format;
use super::options::Quirks;

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
