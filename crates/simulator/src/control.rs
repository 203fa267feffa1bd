//! `/_sim/…`: looking into a provider's simulator and acting in it from outside.

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
use crate::payment::PaymentRefused;

/// The controls that every provider's simulator offers to the outside.
pub trait Provider: Clone + Send + Sync + 'static {
    /// The truth.
    fn books(&self) -> Books;
    /// The faults.
    fn faults(&self) -> &Faults;
    /// Opens a wallet.
    fn open_wallet(&self, msisdn: &str, balance_minor: i64);
    /// A customer pays by himself.
    fn pay(
        &self,
        msisdn: &str,
        amount_minor: i64,
        account_reference: &str,
    ) -> impl Future<Output = Result<String, PaymentRefused>> + Send;
}

/// The routes under `/_sim`.
pub fn router<P: Provider>(provider: P) -> Router {
    Router::new()
        .route("/_sim/books", get(books::<P>))
        .route("/_sim/faults", get(faults::<P>).put(set_faults::<P>))
        .route("/_sim/wallets", post(open_wallet::<P>))
        .route("/_sim/payments", post(pay::<P>))
        .with_state(provider)
}

async fn books<P: Provider>(State(provider): State<P>) -> Json<Books> {
    Json(provider.books())
}

async fn faults<P: Provider>(State(provider): State<P>) -> Json<Plan> {
    Json(provider.faults().plan())
}

async fn set_faults<P: Provider>(State(provider): State<P>, Json(plan): Json<Plan>) -> Json<Plan> {
    provider.faults().set(plan.clone());
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
