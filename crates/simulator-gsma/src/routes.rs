//! The routes of the provider, and what it does itself beside them.

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use axum::{Extension, Json, Router};
use kiungo_simulator::control;
use serde::Deserialize;

use super::error::{ApiError, Category};
use super::order::Raw;
use super::schema::Violations;
use super::simulator::{Api, Simulator};
use super::state::AccountStatus;
use super::version::Version;
use super::{accounts, afterwards, format, processing, reads, security};

impl Simulator {
    /// The API under its prefixes, the token endpoint, and `/_sim`.
    pub fn router(&self) -> Router {
        let options = &self.inner.options;
        let mut router = Router::new()
            .route(&options.security.token_path, post(security::token))
            .route("/_sim/tokens", delete(security::revoke))
            .route("/_sim/account-status", put(set_account_status))
            .route("/_sim/codes", put(give_code))
            .with_state(self.clone())
            .merge(control::router(self.clone()));
        for (prefix, version) in
            [(&options.prefix_1_2, Version::V1_2), (&options.prefix_1_1, Version::V1_1)]
        {
            let Some(prefix) = prefix else { continue };
            let api = self.api(version);
            let bare = prefix.trim_end_matches('/');
            router = if bare.is_empty() { router.merge(api) } else { router.nest(bare, api) };
        }
        router
    }

    pub(crate) fn api(&self, version: Version) -> Router {
        let api = Api { simulator: self.clone(), version };
        let prefix = match version {
            Version::V1_1 => &self.inner.options.prefix_1_1,
            Version::V1_2 => &self.inner.options.prefix_1_2,
        };
        Router::new()
            .route("/transactions", post(processing::create))
            .route("/transactions/type/{kind}", post(processing::create))
            .route("/transactions/{reference}", get(reads::transaction))
            .route("/transactions/{reference}/reversals", post(processing::reverse))
            .route("/requeststates/{id}", get(reads::request_state))
            .route("/responses/{id}", get(reads::response_link))
            .route("/errors/{id}", get(reads::failure))
            .route("/accounts/{*rest}", get(accounts::read))
            .layer(middleware::from_fn_with_state(api.clone(), checked))
            .layer(middleware::from_fn_with_state(self.clone(), security::admit))
            .route("/heartbeat", get(reads::heartbeat))
            .fallback(reads::nothing)
            .method_not_allowed_fallback(reads::nothing)
            .layer(Extension(reads::Base(prefix.clone().unwrap_or_default())))
            .layer(middleware::from_fn_with_state(self.clone(), in_our_form))
            .layer(middleware::from_fn_with_state(self.clone(), date))
            .with_state(api)
    }

    /// The provider takes a completed transaction back by itself; whether it did.
    pub fn reverse(&self, reference: &str) -> bool {
        afterwards::reverse(self, reference)
    }
}

/// Every answer with a body says when it was made (§2.2).
async fn date(State(simulator): State<Simulator>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Ok(now) = format::moment(simulator.now()).parse() {
        response.headers_mut().insert("X-Date", now);
    }
    response
}

/// `PUT /_sim/account-status`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountState {
    account: String,
    status: AccountStatus,
}

async fn set_account_status(
    State(simulator): State<Simulator>,
    Json(wanted): Json<AccountState>,
) -> StatusCode {
    simulator.set_account_status(&wanted.account, wanted.status);
    StatusCode::NO_CONTENT
}

/// `PUT /_sim/codes`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GivenCode {
    code: String,
    account: String,
    amount_minor_max: i64,
}

async fn give_code(State(simulator): State<Simulator>, Json(given): Json<GivenCode>) -> StatusCode {
    simulator.give_code(&given.code, &given.account, given.amount_minor_max);
    StatusCode::NO_CONTENT
}

/// Gives an answer to a request that is refused before it reaches us (a path that is no text, a
/// body that is too long) the API's own form: it knows neither another one nor another status (§1,
/// §6.1).
async fn in_our_form(State(simulator): State<Simulator>, request: Request, next: Next) -> Response {
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

/// The headers that a question may carry are checked like those of a creation.
async fn checked(State(api): State<Api>, request: Request, next: Next) -> Response {
    if request.method() != Method::GET {
        return next.run(request).await;
    }
    let simulator = &api.simulator;
    let now = simulator.now();
    let mut violations = Violations::default();
    let raw = Raw {
        version: api.version,
        options: simulator.options(),
        headers: request.headers(),
        body: &[],
        now,
    };
    raw.check_headers(&mut violations);
    match violations.into_result(now) {
        Ok(()) => next.run(request).await,
        Err(error) => simulator.refuse(&error),
    }
}
