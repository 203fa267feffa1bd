//! The provider as a whole: its routes, and what can be done with it from outside.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State as Shared};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use axum::{Extension, Json, Router};
use kiungo_domain::Timestamp;
use kiungo_simulator::books::Books;
use kiungo_simulator::callback_sender::Courier;
use kiungo_simulator::chance::Draws;
use kiungo_simulator::clock::Clock;
use kiungo_simulator::control::{self, Provider};
use kiungo_simulator::delivery::Delivery;
use kiungo_simulator::faults::Faults;
use kiungo_simulator::payment::PaymentRefused;
use kiungo_simulator::tls::{Tls, TlsError};
use serde::Deserialize;

use super::error::ApiError;
use super::options::Options;
use super::security::Gate;
use super::state::{self, AccountStatus, State};
use super::{
    accounts, afterwards, error, format, order, payments, processing, reads, sandbox, security,
};

/// The simulator; a cheap handle.
#[derive(Clone)]
pub struct Simulator {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) courier: Courier,
    pub(crate) gate: Gate,
    pub(crate) state: Mutex<State>,
    pub(crate) draws: Mutex<Draws>,
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("gsma::Simulator").finish_non_exhaustive()
    }
}

/// The version of the API by which a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V1_1,
    V1_2,
}

/// The simulator behind one prefix.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) simulator: Simulator,
    pub(crate) version: Version,
}

impl Simulator {
    /// A provider with `options`, whose callbacks travel by `delivery`.
    pub fn new(
        options: Options,
        clock: Clock,
        delivery: Arc<dyn Delivery>,
        faults: Faults,
    ) -> Self {
        let courier = Courier {
            delivery,
            faults: faults.clone(),
            attempts: options.callback_attempts,
            retry_after: Duration::from_millis(options.callback_retry_ms),
        };
        let gate = Gate::new(&options.security, faults.seed());
        let mut state = State::new(&options, faults.seed(), clock.now());
        if options.triggers {
            sandbox::furnish(&mut state, options.currency, clock.now());
        }
        let state = Mutex::new(state);
        let draws = Mutex::default();
        Self { inner: Arc::new(Inner { options, clock, faults, courier, gate, state, draws }) }
    }

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
            .layer(middleware::from_fn_with_state(api.clone(), order::checked))
            .layer(middleware::from_fn_with_state(self.clone(), security::admit))
            .route("/heartbeat", get(reads::heartbeat))
            .fallback(reads::nothing)
            .method_not_allowed_fallback(reads::nothing)
            .layer(Extension(reads::Base(prefix.clone().unwrap_or_default())))
            .layer(middleware::from_fn_with_state(self.clone(), error::in_our_form))
            .layer(middleware::from_fn_with_state(self.clone(), date))
            .with_state(api)
    }

    /// TLS, where the options want it.
    ///
    /// # Errors
    /// Certificates that cannot be used.
    pub fn tls(&self) -> Result<Option<Tls>, TlsError> {
        self.options().security.tls.as_ref().map(Tls::read).transpose()
    }

    /// The truth, for an audit.
    pub fn books(&self) -> Books {
        self.state().ledger.books()
    }

    /// Opens a wallet with a balance, or adds to an open one. A text with a colon names an account
    /// by another identifier: `walletid:1`.
    pub fn open_wallet(&self, msisdn: &str, balance_minor: i64) {
        self.state().ledger.open(&format::party_of_text(msisdn), balance_minor);
    }

    /// Puts an account into another state; it is named as in [`Simulator::open_wallet`].
    pub fn set_account_status(&self, account: &str, status: AccountStatus) {
        self.state().set_status(format::party_of_text(account), status);
    }

    /// Gives out a one-time code with which up to so much is paid out of an account, once. The
    /// account is named as in [`Simulator::open_wallet`].
    pub fn give_code(&self, code: &str, account: &str, minor_max: i64) {
        let party = format::party_of_text(account);
        self.state().codes.insert(code.to_owned(), state::Code { party, minor_max });
    }

    /// The provider takes a completed transaction back by itself; whether it did.
    pub fn take_back(&self, reference: &str) -> bool {
        afterwards::take_back(self, reference)
    }

    /// A customer pays the organisation by himself and names an account. The money moves, after the
    /// client was asked where the options say so; the client hears of it a moment later. The
    /// transaction's reference.
    ///
    /// # Errors
    /// When the wallet does not allow it; nothing moved then.
    pub async fn pay(
        &self,
        msisdn: &str,
        amount_minor: i64,
        account_reference: &str,
    ) -> Result<String, PaymentRefused> {
        payments::pay(self, msisdn, amount_minor, account_reference).await
    }

    /// Every token given so far is refused from now on.
    pub fn revoke_tokens(&self) {
        self.inner.gate.revoke();
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    pub(crate) fn options(&self) -> &Options {
        &self.inner.options
    }

    /// The answer that carries `error`.
    pub(crate) fn refuse(&self, error: &ApiError) -> Response {
        format::json(error.status(), &error.to_json(&self.options().quirks))
    }
}

impl Provider for Simulator {
    fn books(&self) -> Books {
        Self::books(self)
    }

    fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    fn open_wallet(&self, msisdn: &str, balance_minor: i64) {
        Self::open_wallet(self, msisdn, balance_minor);
    }

    async fn pay(
        &self,
        msisdn: &str,
        amount_minor: i64,
        account_reference: &str,
    ) -> Result<String, PaymentRefused> {
        Self::pay(self, msisdn, amount_minor, account_reference).await
    }
}

/// Every answer with a body says when it was made (§2.2).
async fn date(Shared(simulator): Shared<Simulator>, request: Request, next: Next) -> Response {
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
    Shared(simulator): Shared<Simulator>,
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

async fn give_code(
    Shared(simulator): Shared<Simulator>,
    Json(given): Json<GivenCode>,
) -> StatusCode {
    simulator.give_code(&given.code, &given.account, given.amount_minor_max);
    StatusCode::NO_CONTENT
}
