//! The routes of the API and of `/_sim`, on top of all parts of the market.

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use kiungo_simulator::control;

use super::call::Call;
use super::order::Kind;
use super::simulator::Simulator;
use super::{admission, answer, debit, market_controls, money, query, session};

impl Simulator {
    /// The API, and `/_sim`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/{environment}/ipg/v2/{market}/{*operation}", any(dispatch))
            .merge(market_controls::routes())
            .fallback(|| async { answer::not_found() })
            .with_state(self.clone())
            .merge(control::router(self.clone()))
    }
}

/// Every path ends in a slash; one without is not found (`mpesa-openapi.md` §1).
async fn dispatch(
    Shared(simulator): Shared<Simulator>,
    Path((environment, market, operation)): Path<(String, String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if environment != simulator.options().environment {
        return answer::not_found();
    }
    let call = Call { market, headers, uri, body };
    let lenient = !simulator.options().strict;
    match (method.as_str(), operation.as_str()) {
        ("GET", "getSession/") => session::create(&simulator, &call),
        ("POST", "c2bPayment/singleStage/") => money::take(&simulator, &call, Kind::C2b).await,
        ("POST", "b2cPayment/") => money::take(&simulator, &call, Kind::B2c).await,
        ("POST", "b2bPayment/") => money::take(&simulator, &call, Kind::B2b).await,
        ("PUT", "reversal/") => money::take(&simulator, &call, Kind::Reversal).await,
        ("POST", "reversal/") if lenient => money::take(&simulator, &call, Kind::Reversal).await,
        ("GET", "queryTransactionStatus/") => query::status(&simulator, &call).await,
        ("GET", "queryBeneficiaryName/") => query::name(&simulator, &call).await,
        ("POST", "directDebitCreation/") => debit::create(&simulator, &call),
        ("POST", "directDebitPayment/") => debit::pay(&simulator, &call).await,
        ("GET", "queryDirectDebit/") => debit::query(&simulator, &call).await,
        ("PUT", "directDebitCancel/") => debit::cancel(&simulator, &call),
        // Documented, and not simulated: the real platform has these products switched off.
        ("POST", "c2bPayment/multiStage/") | ("PUT", "updateTransactionStatus/") => {
            admission::not_enabled(&simulator, &call)
        }
        _ => answer::not_found(),
    }
}
