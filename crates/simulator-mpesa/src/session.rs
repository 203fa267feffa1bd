//! Sessions (`mpesa-openapi.md` §3).

use std::collections::HashMap;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use kiungo_domain::Timestamp;
use kiungo_simulator::faults::hash;
use serde_json::json;

use super::codes::{self, Code};
use super::options::Options;
use super::simulator::{Call, Simulator};
use super::{admission, answer};

/// The number of bearers that are remembered; decrypting one costs a private-key operation.
const BEARERS_MAX: usize = 4_096;

/// Sessions, and the bearers decrypted so far.
#[derive(Default)]
pub(super) struct Sessions {
    given: u64,
    by_id: HashMap<String, Session>,
    decrypted: HashMap<String, String>,
}

/// A session and what was moved in it, by product.
pub(super) struct Session {
    active_at: Timestamp,
    expires_at: Timestamp,
    pub(super) tallies: HashMap<&'static str, Tally>,
}

/// The sum and count that one product has moved in a session.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) count: u32,
    pub(super) value_minor: i64,
    /// The limit that was hit: nothing passes any more (§2).
    pub(super) closed: Option<Code>,
}

impl Sessions {
    /// The living session with this id.
    pub(super) fn live(&mut self, id: &str, now: Timestamp) -> Option<&mut Session> {
        let session = self.by_id.get_mut(id)?;
        (now >= session.active_at && now < session.expires_at).then_some(session)
    }

    fn open(&mut self, options: &Options, seed: u64, began: Timestamp, now: Timestamp) -> String {
        if options.sessions_overlap {
            self.by_id.retain(|_, session| now < session.expires_at);
        } else {
            self.by_id.clear();
        }
        self.given += 1;
        // After a restart it is another one: the ids of the former must not come to life again.
        let began = began.as_micros().to_le_bytes();
        let number = self.given.to_le_bytes();
        let half = |name: &[u8]| hash(seed, &[b"session", name, &began, &number]);
        let id = format!("{:016x}{:016x}", half(b"high"), half(b"low"));
        let conduct = &options.conduct;
        let late = half(b"late") % 10_000 < u64::from(conduct.activated_late);
        let delay = if late { conduct.activated_late_ms } else { options.session_activation_ms };
        let session = Session {
            active_at: now.after(Duration::from_millis(delay)),
            expires_at: now.after(Duration::from_millis(options.session_lifetime_ms)),
            tallies: HashMap::new(),
        };
        self.by_id.insert(id.clone(), session);
        id
    }
}

/// `GET getSession/`: the bearer is the encrypted API key.
pub(super) fn create(simulator: &Simulator, call: &Call) -> Response {
    let options = simulator.options();
    let known = bearer(simulator, &call.headers).is_some_and(|key| key == options.api_key);
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

/// The content of the bearer of a request, once decrypted.
pub(super) fn bearer(simulator: &Simulator, headers: &HeaderMap) -> Option<String> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let bearer = header.strip_prefix("Bearer ")?.trim();
    if let Some(known) = simulator.state().sessions.decrypted.get(bearer) {
        return Some(known.clone());
    }
    let text = simulator.keys()?.decrypt(bearer)?;
    let decrypted = &mut simulator.state().sessions.decrypted;
    if decrypted.len() >= BEARERS_MAX {
        decrypted.clear();
    }
    decrypted.insert(bearer.to_owned(), text.clone());
    Some(text)
}
