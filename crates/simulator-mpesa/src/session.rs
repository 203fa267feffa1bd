//! Opening a session (`mpesa-openapi.md` §3).

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::call::Call;
use super::simulator::Simulator;
use super::{admission, answer, codes};

/// `GET getSession/`: the bearer is the encrypted API key.
pub(super) fn create(simulator: &Simulator, call: &Call) -> Response {
    let options = simulator.options();
    let known =
        admission::bearer(simulator, &call.headers).is_some_and(|key| key == options.api_key);
    // No other code is documented for this call (§8), whatever is wrong.
    let market_fits = call.market == options.market.context();
    if !known || !market_fits || !admission::origin_fits(options, &call.headers) {
        return answer::early_refusal(codes::SESSION);
    }
    let now = simulator.now();
    let seed = simulator.faults().seed();
    let id = {
        let mut state = simulator.state();
        let began = state.began();
        state.sessions.open(options, seed, began, now)
    };
    let body = json!({
        "output_ResponseCode": "INS-0",
        "output_ResponseDesc": "Request processed successfully",
        "output_SessionID": id,
    });
    answer::json_answer(StatusCode::OK, &body)
}
