//! RFC 9457 problem details: what every error looks like.
//!
//! A [`Problem`] is rendered once, by the outermost layer, which adds the request's id.

mod code;
mod from;
#[cfg(feature = "axum")]
mod response;

use std::time::Duration;

use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

pub use code::Code;

/// A problem as a client is told of it. Boxed, because nearly every result carries one.
#[derive(Debug, Clone)]
pub struct Problem(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    code: Code,
    detail: String,
    errors: Vec<MemberError>,
    reason: Option<String>,
    rule: Option<String>,
    transfer: Option<String>,
    version: Option<u64>,
    headers: HeaderMap,
}

/// A mistake in one part of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemberError {
    /// The member of the body, as a JSON pointer in a fragment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("#/amount"))]
    pub pointer: Option<String>,
    /// The query parameter, path parameter or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("limit"))]
    pub parameter: Option<String>,
    /// The mistake, and what would be right.
    pub detail: String,
}

impl MemberError {
    /// About a member of the body; `path` is a JSON pointer such as `/account/id`.
    pub fn member(path: &str, detail: impl Into<String>) -> Self {
        Self { pointer: Some(format!("#{path}")), parameter: None, detail: detail.into() }
    }

    /// About a parameter or header.
    pub fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self { pointer: None, parameter: Some(name.to_owned()), detail: detail.into() }
    }
}

/// A problem as JSON (RFC 9457), `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// The kind of problem: a link to its paragraph in the documentation.
    #[serde(rename = "type")]
    #[schema(examples("/docs#problem-invalid_request"))]
    kind: String,
    /// The problem in a few words, always the same.
    #[schema(examples("The request cannot be carried out"))]
    title: &'static str,
    /// The HTTP status.
    #[schema(examples(422))]
    status: u16,
    /// The explanation of this occurrence, and the remedy.
    detail: String,
    /// A stable word for programs.
    #[schema(examples("invalid_request"))]
    code: &'static str,
    /// Every part of the request that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<MemberError>,
    /// Why a transfer was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("limit_exceeded"))]
    reason: Option<String>,
    /// The provider's rule that refused a transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("amount_above_daily_maximum"))]
    rule: Option<String>,
    /// The transfer that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<String>,
    /// The version of what the request is about, if it names another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples(4))]
    version: Option<u64>,
    /// The request's id, as in the header `X-Request-Id`: name it when you ask us.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl Problem {
    /// A problem with this code and text.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let mut headers = HeaderMap::new();
        if code.status() == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Self(Box::new(Parts {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            reason: None,
            rule: None,
            transfer: None,
            version: None,
            headers,
        }))
    }

    /// A request whose parts are wrong, each named.
    pub fn invalid(errors: Vec<MemberError>) -> Self {
        let detail = errors.iter().map(|error| error.detail.as_str()).collect::<Vec<_>>();
        let mut problem = Self::new(Code::InvalidRequest, detail.join("; "));
        problem.0.errors = errors;
        problem
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The text.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The parts of the request that are wrong.
    pub fn errors(&self) -> &[MemberError] {
        &self.0.errors
    }

    /// The provider's rule that refused a transfer, in one word; `None` if no rule did.
    pub fn rule(&self) -> Option<&str> {
        self.0.rule.as_deref()
    }

    /// The transfer that it is about.
    pub fn about(&self) -> Option<&str> {
        self.0.transfer.as_deref()
    }

    /// Adds a part of the request that is wrong.
    #[must_use]
    pub fn error(mut self, error: MemberError) -> Self {
        self.0.errors.push(error);
        self
    }

    /// Says why a transfer was refused.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.0.reason = Some(reason.into());
        self
    }

    /// Names the rule that refused a transfer.
    #[must_use]
    pub fn refused_by(mut self, rule: impl Into<String>) -> Self {
        self.0.rule = Some(rule.into());
        self
    }

    /// Names the transfer that it is about.
    #[must_use]
    pub fn transfer(mut self, id: kiungo_domain::TransferId) -> Self {
        self.0.transfer = Some(id.to_string());
        self
    }

    /// The version at which what the request is about is now.
    #[must_use]
    pub fn version(mut self, current: u64) -> Self {
        self.0.version = Some(current);
        self
    }

    /// Tells the client when to try again: whole seconds, at least one.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.0.headers.insert(RETRY_AFTER, HeaderValue::from(whole.max(1)));
        self
    }
}
