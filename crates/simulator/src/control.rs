//! `/_sim/…`: looking into a simulator and acting in it from outside.

use std::future::Future;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use crate::books::Books;
use crate::faults::{Faults, Plan};
use crate::ledger::Ledger;
use crate::payment::PaymentRefused;

/// A simulated provider, as far as all of them are alike to the outside.
pub trait Provider: Clone + Send + Sync + 'static {
    /// The faults.
    fn faults(&self) -> &Faults;

    /// Works on the e-money, alone.
    fn with_ledger<T>(&self, work: impl FnOnce(&mut Ledger) -> T) -> T;

    /// The party of the ledger that a text names.
    fn party_of(text: &str) -> String;

    /// A customer pays the organisation by himself and names an account. The money moves, after the
    /// client was asked where the options say so; the client hears of it a moment later. The receipt.
    ///
    /// # Errors
    /// When the wallet does not allow it, or the client turned it away; nothing moved then.
    fn pay(
        &self,
        msisdn: &str,
        amount_minor: i64,
        account_reference: &str,
    ) -> impl Future<Output = Result<String, PaymentRefused>> + Send;

    /// The truth, for an audit.
    fn books(&self) -> Books {
        self.with_ledger(|ledger| ledger.books())
    }

    /// Opens a wallet with a balance, or adds to an open one.
    fn open_wallet(&self, msisdn: &str, balance_minor: i64) {
        self.with_ledger(|ledger| ledger.open(&Self::party_of(msisdn), balance_minor));
    }
}

/// The routes of a provider under `/_sim`.
pub fn router<P: Provider>(provider: P) -> Router {
    Router::new()
        .route("/_sim/books", get(books::<P>))
        .route("/_sim/wallets", post(open_wallet::<P>))
        .route("/_sim/payments", post(pay::<P>))
        .merge(fault_routes(provider.faults()))
        .with_state(provider)
}

/// The routes at which the faults of any simulator are read and set.
pub fn fault_routes<S: Clone + Send + Sync + 'static>(faults: &Faults) -> Router<S> {
    Router::new().route("/_sim/faults", get(plan).put(set_plan)).with_state(faults.clone())
}

async fn books<P: Provider>(State(provider): State<P>) -> Json<Books> {
    Json(provider.books())
}

async fn plan(State(faults): State<Faults>) -> Json<Plan> {
    Json(faults.plan())
}

async fn set_plan(State(faults): State<Faults>, Json(plan): Json<Plan>) -> Json<Plan> {
    faults.set(plan.clone());
    Json(plan)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wallet {
    msisdn: String,
    balance_minor: i64,
}

async fn open_wallet<P: Provider>(
    State(provider): State<P>,
    Json(wallet): Json<Wallet>,
) -> StatusCode {
    if wallet.balance_minor < 0 {
        return StatusCode::UNPROCESSABLE_ENTITY;
    }
    provider.open_wallet(&wallet.msisdn, wallet.balance_minor);
    StatusCode::CREATED
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payment {
    msisdn: String,
    amount_minor: i64,
    account_reference: String,
}

async fn pay<P: Provider>(State(provider): State<P>, Json(payment): Json<Payment>) -> Response {
    let paid = provider.pay(&payment.msisdn, payment.amount_minor, &payment.account_reference);
    match paid.await {
        Ok(receipt) => (StatusCode::CREATED, Json(json!({ "receipt": receipt }))).into_response(),
        Err(refused) => {
            let body = json!({ "error": refused.to_string() });
            (StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response()
        }
    }
}

/// The command by which a customer pays at the wallet of the simulator at `URL`.
pub fn payment_command(msisdn: &str, account_reference: &str) -> String {
    format!(
        "curl -H 'Content-Type: application/json' -d '{{\"msisdn\":\"{msisdn}\",\
         \"amount_minor\":500000,\"account_reference\":\"{account_reference}\"}}' \
         URL/_sim/payments"
    )
}
