//! Answers reads about a request: transactions, request states, responses, errors, heartbeat.

use axum::Extension;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use kiungo_simulator::faults::Fault;
use kiungo_simulator::response_faults::{Subject, perform};
use serde_json::json;

use super::admission::Client;
use super::error::{ApiError, Category};
use super::format;
use super::options::{LinkForm, Place, WhilePending};
use super::simulator::{Api, Simulator};
use super::state::Outcome;

/// The prefix that a request came in by.
#[derive(Debug, Clone)]
pub(super) struct Base(pub(super) String);

/// A word for a state that no document lists.
const STRANGE: &str = "underreview";

impl Simulator {
    /// Answers an inquiry about an operation with this business content, with what can go wrong;
    /// `None`: the operation is not known, and nothing goes wrong.
    pub(super) async fn inquire(
        &self,
        operation: &'static str,
        key: Option<String>,
        answer: impl FnOnce(&Self) -> Response + Send + 'static,
    ) -> Response {
        let Some(key) = key else { return answer(self) };
        let subject = Subject { operation, key: &key, delay: std::time::Duration::ZERO };
        let own_error = |status| self.refuse(&ApiError::own(status, self.now()));
        let simulator = self.clone();
        let work = move || async move { answer(&simulator) };
        perform(&self.inner.faults, subject, own_error, work).await
    }

    /// Checks that a correlation id in a path is one (§2.1).
    fn is_id(&self, id: &str, field: &str) -> Result<(), ApiError> {
        if !self.options().strict || format::is_uuid(id) {
            return Ok(());
        }
        let text = "The correlation id is malformed";
        let error = ApiError::new(Category::Validation, "formatError", text, self.now());
        Err(error.field(field, "UUID"))
    }

    fn not_found(&self, what: &str) -> Response {
        self.refuse(&ApiError::unknown(what, self.now()))
    }

    fn is_strange(&self, key: &str) -> bool {
        self.inner.faults.strikes("inquire", Fault::UnknownStatus, key)
    }
}

/// `GET /transactions/{transactionReference}`.
pub(super) async fn transaction(
    Shared(api): Shared<Api>,
    Path(reference): Path<String>,
) -> Response {
    let (simulator, version) = (&api.simulator, api.version);
    let key = simulator.state().transaction(&reference).map(|found| found.key.clone());
    let answer = move |simulator: &Simulator| {
        let now = simulator.now();
        let state = simulator.state();
        match state.transaction(&reference) {
            Some(found) if now >= found.visible_at => {
                let mut body = found.to_json(&simulator.options().quirks, version);
                simulator.misstate(Place::Inquiries, found, &mut body);
                if simulator.is_strange(&found.key) {
                    body["transactionStatus"] = STRANGE.into();
                }
                format::json(StatusCode::OK, &body)
            }
            _ => simulator.not_found("Transaction"),
        }
    };
    simulator.inquire("inquire", key, answer).await
}

/// `GET /requeststates/{serverCorrelationId}`.
pub(super) async fn request_state(Shared(api): Shared<Api>, Path(id): Path<String>) -> Response {
    let simulator = &api.simulator;
    let id = id.to_ascii_lowercase();
    if let Err(error) = simulator.is_id(&id, "serverCorrelationId") {
        return simulator.refuse(&error);
    }
    let key = simulator.state().requests.get(&id).map(|found| found.key.clone());
    simulator.inquire("inquire", key, move |simulator| poll(simulator, &id)).await
}

fn poll(simulator: &Simulator, id: &str) -> Response {
    let options = simulator.options();
    let now = simulator.now();
    let mut state = simulator.state();
    let Some(request) = state.requests.get_mut(id) else {
        return simulator.not_found("Request state");
    };
    request.polls = request.polls.saturating_add(1);
    if options.enforce_poll_limit && request.polls > options.poll_limit {
        let text = "Polled too often";
        let error = ApiError::new(Category::BusinessRule, "rateLimitError", text, now);
        return simulator.refuse(&error);
    }
    let mut body = request.to_json(id, options);
    if simulator.is_strange(&request.key) {
        body["status"] = STRANGE.into();
    }
    format::json(StatusCode::OK, &body)
}

/// `GET /responses/{clientCorrelationId}` (§4.5).
pub(super) async fn response_link(
    Shared(api): Shared<Api>,
    Extension(Client(client)): Extension<Client>,
    Extension(Base(base)): Extension<Base>,
    Path(correlation): Path<String>,
    headers: HeaderMap,
) -> Response {
    let simulator = &api.simulator;
    if let Err(error) = simulator.is_id(&correlation, "clientCorrelationId") {
        return simulator.refuse(&error);
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let root = match simulator.options().link {
        LinkForm::Relative => String::new(),
        LinkForm::Absolute => {
            let tls = simulator.options().security.tls.is_some();
            let scheme = if tls { "https" } else { "http" };
            format!("{scheme}://{}{base}", host.unwrap_or("localhost"))
        }
        LinkForm::Internal => format!("http://mm.internal:8080{base}"),
    };
    let key = simulator.state().request_of(&client, &correlation).map(|found| found.key.clone());
    let answer = move |simulator: &Simulator| match link(simulator, &client, &correlation) {
        Some(path) => format::json(StatusCode::OK, &json!({ "link": format!("{root}{path}") })),
        None => simulator.not_found("Response"),
    };
    simulator.inquire("inquire", key, answer).await
}

/// The address of the object or the error of this client's request.
fn link(simulator: &Simulator, client: &str, correlation: &str) -> Option<String> {
    let now = simulator.now();
    let state = simulator.state();
    let request = state.request_of(client, correlation)?;
    let visible = state.transaction(&request.reference)?.visible_at <= now;
    match &request.outcome {
        _ if !visible => None,
        Outcome::Pending if simulator.options().while_pending() == WhilePending::NotFound => None,
        Outcome::Pending | Outcome::Completed => {
            Some(format!("/transactions/{}", request.reference))
        }
        Outcome::Failed { id, .. } => Some(format!("/errors/{id}")),
    }
}

/// `GET /errors/{id}`: the error that a failed request ended in.
pub(super) async fn failure(Shared(api): Shared<Api>, Path(id): Path<String>) -> Response {
    let simulator = &api.simulator;
    let error = simulator.state().error(&id).cloned();
    match error {
        Some(error) => format::json(StatusCode::OK, &error.to_json(&simulator.options().quirks)),
        None => simulator.not_found("Error"),
    }
}

/// `GET /heartbeat` (§6.4).
pub(super) async fn heartbeat(Shared(api): Shared<Api>) -> Response {
    let answer = |simulator: &Simulator| {
        let options = simulator.options();
        let mut body = json!({ "serviceStatus": options.service_status });
        if options.service_status == "degraded" {
            body["delay"] = options.delay_ms.into();
        }
        if options.service_status != "available" {
            let back =
                simulator.now().after(std::time::Duration::from_millis(options.restored_in_ms));
            body["plannedRestorationTime"] = format::date_time(back, &options.quirks).into();
        }
        format::json(StatusCode::OK, &body)
    };
    api.simulator.inquire("heartbeat", Some(String::new()), answer).await
}

/// No such resource, or not with this method: the API defines no 405 (§1).
pub(super) async fn nothing(Shared(api): Shared<Api>) -> Response {
    api.simulator.not_found("Resource")
}
