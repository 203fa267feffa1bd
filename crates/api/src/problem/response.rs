//! A problem as the answer of an HTTP handler.

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::{Code, Problem, ProblemBody};

impl Problem {
    /// The problem that stands for an error response of a library, whose body says nothing.
    pub fn standing_for(status: StatusCode, headers: &HeaderMap) -> Self {
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
    pub fn render(&self, request_id: Option<&str>) -> Response {
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
