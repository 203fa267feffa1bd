//! Sends the outcome of a request to the client (`gsma-mobile-money-api.md` §4.2).

use axum::http::Method;
use kiungo_simulator::callback_sender::Letter;
use kiungo_simulator::faults::hash;
use serde_json::Value;

use super::error::{ApiError, Category};
use super::letter::letter;
use super::options::Place;
use super::state::{Outcome, State};
use super::{Simulator, payments};

/// A callback ready to go, and its forgery.
struct Prepared {
    operation: &'static str,
    key: String,
    letter: Letter,
    forged: Option<Letter>,
}

/// Tells the client what became of a request, where it asked to be told.
pub(super) async fn send(simulator: &Simulator, id: &str) {
    let prepared = prepare(simulator, &simulator.state(), id);
    let Some(Prepared { operation, key, letter, forged }) = prepared else { return };
    simulator.inner.courier.send(operation, &key, letter, || forged).await;
}

fn prepare(simulator: &Simulator, state: &State, id: &str) -> Option<Prepared> {
    let options = simulator.options();
    let quirks = &options.quirks;
    let request = state.requests.get(id).filter(|request| request.by_callback)?;
    let url = request.callback_url.as_ref()?;
    let transaction = state.transaction(&request.reference)?;
    let body = match &request.outcome {
        Outcome::Pending => return None,
        _ if quirks.request_state_callbacks => request.to_json(id, options),
        Outcome::Completed => {
            let mut body = transaction.to_json(quirks, request.version);
            simulator.misstate(Place::Callbacks, transaction, &mut body);
            body
        }
        Outcome::Failed { error, .. } => error.to_json(quirks),
    };
    let opposite = if matches!(request.outcome, Outcome::Completed) {
        let text = "The customer refused";
        ApiError::new(Category::Authorisation, "requestDeclined", text, simulator.now())
            .to_json(quirks)
    } else {
        let mut transaction = transaction.clone();
        transaction.status = "completed";
        transaction.to_json(quirks, request.version)
    };
    let correlation = request.correlation.as_deref().filter(|_| !quirks.no_correlation_on_callback);
    // Every fourth forgery is of the other kind: a payment that never was.
    let other = hash(0, &[b"forged", request.key.as_bytes()]).is_multiple_of(4);
    let invented = if other { payments::invented(simulator, transaction) } else { None };
    let put = |body: &Value| letter(simulator, &Method::PUT, url, correlation, body);
    Some(Prepared {
        operation: request.operation,
        key: request.key.clone(),
        letter: put(&body)?,
        forged: invented.or_else(|| put(&opposite)),
    })
}
