//! RFC 9457 problem details: what every error looks like.
//!
//! A [`Problem`] is rendered once, by the outermost layer, which adds the request's id.

mod code;
mod from;

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
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

/// What is wrong with one part of a request.
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
    /// What is wrong with it, and what would be right.
    pub detail: String,
}

impl MemberError {
    /// About a member of the body; `path` is a JSON pointer such as `/account/id`.
    pub fn member(path: &str, detail: impl Into<String>) -> Self {
        Self { pointer: Some(format!("#{path}")), parameter: None, detail: detail.into() }
    }

    /// About a parameter or header.
    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self { pointer: None, parameter: Some(name.to_owned()), detail: detail.into() }
    }
}

/// A problem as JSON (RFC 9457), `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// Which problem: a link to its paragraph in the documentation.
    #[serde(rename = "type")]
    #[schema(examples("/docs#problem-invalid_request"))]
    kind: String,
    /// The problem in a few words, always the same.
    #[schema(examples("The request cannot be carried out"))]
    title: &'static str,
    /// The HTTP status.
    #[schema(examples(422))]
    status: u16,
    /// What happened here, and what to do.
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
    /// Which of the provider's rules refused a transfer.
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

    pub(crate) fn error(mut self, error: MemberError) -> Self {
        self.0.errors.push(error);
        self
    }

    pub(crate) fn reason(mut self, reason: impl Into<String>) -> Self {
        self.0.reason = Some(reason.into());
        self
    }

    pub(crate) fn refused_by(mut self, rule: impl Into<String>) -> Self {
        self.0.rule = Some(rule.into());
        self
    }

    pub(crate) fn transfer(mut self, id: kiungo_domain::TransferId) -> Self {
        self.0.transfer = Some(id.to_string());
        self
    }

    /// The version at which what the request is about is now.
    pub(crate) fn version(mut self, current: u64) -> Self {
        self.0.version = Some(current);
        self
    }

    /// Tells the client when to try again: whole seconds, at least one.
    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.0.headers.insert(RETRY_AFTER, HeaderValue::from(whole.max(1)));
        self
    }

    /// The problem that stands for an error response of a library, whose body says nothing.
    pub(crate) fn standing_for(status: StatusCode, headers: &HeaderMap) -> Self {
        let code = Code::for_status(status);
        let mut problem = Self::new(code, code.title());
        let kept: [HeaderName; 2] = [ALLOW, RETRY_AFTER];
        for name in kept {
            if let Some(value) = headers.get(&name) {
                problem.0.headers.insert(name, value.clone());
            }
        }
        problem
    }

    /// The response, with the request's id.
    pub(crate) fn render(&self, request_id: Option<&str>) -> Response {
        let body = ProblemBody {
            kind: self.0.code.type_uri(),
            title: self.0.code.title(),
            status: self.0.code.status().as_u16(),
            detail: self.0.detail.clone(),
            code: self.0.code.as_str(),
            errors: self.0.errors.clone(),
            reason: self.0.reason.clone(),
            rule: self.0.rule.clone(),
            transfer: self.0.transfer.clone(),
            version: self.0.version,
            request_id: request_id.map(str::to_owned),
        };
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let mut response = Response::new(Body::from(json));
        *response.status_mut() = self.0.code.status();
        response.headers_mut().extend(self.0.headers.clone());
        let json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        *response.status_mut() = self.0.code.status();
        response.extensions_mut().insert(self);
        response
    }
}
