//! A request, read and routed, and the user who sends it.

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, Method};
use kiungo_domain::Timestamp;

use super::body::Body;
use super::json::Json;
use super::options::{User, Version};
use super::path;
use super::query::Query;
use super::refusal::{Problem, Refusal};
use super::route::{NoRoute, Route};

/// Largest request body that is read, in bytes: the container's limit for a form.
const BODY_LENGTH_MAX: usize = 2 * 1024 * 1024;

/// The part of a path before the API's own.
pub(crate) const PREFIX: &str = "/fineract-provider/";

/// A request, read and routed but not judged.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) query_text: String,
    pub(crate) query: Query,
    pub(crate) route: Result<Route, NoRoute>,
    pub(crate) body: Result<Option<Body>, Refusal>,
    pub(crate) raw_body: bytes::Bytes,
    pub(crate) at: Timestamp,
    is_post: bool,
    headers: HeaderMap,
}

/// The user who asks, and the tenant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) user: &'a User,
}

impl Caller<'_> {
    /// The user's password and permission, in that order.
    pub(crate) fn must_be_allowed(&self, task: &str) -> Result<(), Refusal> {
        if self.user.password_outdated {
            return Err(Refusal::PasswordOutdated);
        }
        if self.user.may(task) { Ok(()) } else { Err(Refusal::NotAuthorized(task.to_owned())) }
    }
}

impl Call {
    /// Reads and routes a request; the status of the container's page if that fails.
    pub(crate) async fn read(
        request: Request,
        at: Timestamp,
        version: Version,
    ) -> Result<Self, u16> {
        let (parts, body) = request.into_parts();
        let raw_body = to_bytes(body, BODY_LENGTH_MAX).await.map_err(|_| 413_u16)?;
        let path = parts.uri.path().to_owned();
        let query_text = parts.uri.query().unwrap_or("").to_owned();
        let query = Query::parse(&query_text);
        let api = path.strip_prefix(PREFIX).and_then(|path| path.strip_prefix("api/"));
        let is_post = parts.method == Method::POST;
        let releases =
            (version >= Version::V1_10, version >= Version::V1_15, version >= Version::V1_12);
        let command = query.get("command").unwrap_or("");
        let find = |is_post| match api {
            Some(api) => path::find(is_post, api, command, releases),
            None => Err(NoRoute::NotFound),
        };
        let is_known = is_post || parts.method == Method::GET;
        let route = match find(is_post) {
            // Of a path that no method knows, the method is not looked at.
            Ok(_) if !is_known => Err(NoRoute::WrongMethod),
            Err(NoRoute::NotFound) if find(!is_post).is_ok() => Err(NoRoute::WrongMethod),
            route => route,
        };
        let body = Body::parse(&raw_body);
        let headers = parts.headers;
        Ok(Self { path, query_text, query, route, body, raw_body, at, is_post, headers })
    }

    /// A body of another type than JSON is not read by any route.
    pub(crate) fn must_be_json(&self) -> Result<(), Refusal> {
        let is_json = |sent: &str| {
            sent.split(';').next().is_some_and(|kind| kind.trim() == "application/json")
        };
        let other = self.is_post && self.header("content-type").is_some_and(|sent| !is_json(sent));
        let routed = !matches!(self.route, Err(NoRoute::NotFound));
        if other && routed { Err(Refusal::Container(415)) } else { Ok(()) }
    }

    /// A header that is readable text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The 400 of an unknown `?command=`.
pub(crate) fn unknown_command(call: &Call) -> Refusal {
    let value = call.query.get("command").unwrap_or("");
    let message = format!("The query parameter command has an unsupported value of: {value}");
    let code = "error.msg.query.parameter.value.unsupported";
    let known = match &call.route {
        Ok(Route::UnknownCommand(known)) => *known,
        _ => &[],
    };
    let known: Vec<Json> = known.iter().map(|word| Json::from(*word)).collect();
    let problem = Problem::new(code, message).of("command");
    Refusal::invalid(problem.arg("command").arg(value).arg(known))
}
