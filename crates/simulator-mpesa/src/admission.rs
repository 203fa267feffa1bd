//! Decides which calls are admitted (`mpesa-openapi.md` §2, §3).

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use kiungo_domain::Timestamp;

use super::answer;
use super::call::Call;
use super::codes;
use super::options::Options;
use super::simulator::Simulator;

/// The number of bearers that are remembered; decrypting one costs a private-key operation.
const BEARERS_MAX: usize = 4_096;

/// The id of the session that this call is made in, or why it may not be made.
pub(super) fn admit(
    simulator: &Simulator,
    call: &Call,
    product: &str,
) -> Result<String, Box<Response>> {
    let options = simulator.options();
    let now = simulator.now();
    let unauthorised = || Box::new(answer::gateway(StatusCode::UNAUTHORIZED, "Unauthorized"));
    let id = bearer(simulator, &call.headers).ok_or_else(unauthorised)?;
    if simulator.state().sessions.live(&id, now).is_none() {
        return Err(unauthorised());
    }
    if !origin_fits(options, &call.headers) {
        return Err(Box::new(answer::gateway(StatusCode::FORBIDDEN, "Forbidden")));
    }
    let refuse = |code| Err(Box::new(answer::early_refusal(code)));
    if call.market != options.market.context() {
        return refuse(codes::MARKET);
    }
    if !options.offers(product) {
        return refuse(codes::NOT_ENABLED);
    }
    if !open_at(options, simulator) {
        return refuse(codes::HOURS);
    }
    Ok(id)
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

/// The answer to a documented call of a product that this application does not have.
pub(super) fn not_enabled(simulator: &Simulator, call: &Call) -> Response {
    match admit(simulator, call, NEVER_OFFERED) {
        Err(refusal) => *refusal,
        Ok(_) => answer::early_refusal(codes::NOT_ENABLED),
    }
}

/// A product's name that no application has switched on.
const NEVER_OFFERED: &str = "multiStage";

/// True if the call comes from where the application is registered.
pub(super) fn origin_fits(options: &Options, headers: &HeaderMap) -> bool {
    match options.origin.as_deref() {
        None | Some("*") => true,
        Some(demanded) => {
            headers.get(header::ORIGIN).is_some_and(|given| given.as_bytes() == demanded.as_bytes())
        }
    }
}

/// True if the market is open now; hours may reach over midnight.
fn open_at(options: &Options, simulator: &Simulator) -> bool {
    let Some((from, to)) = options.hours else { return true };
    let hour = local_seconds(options, simulator.now()).div_euclid(3_600).rem_euclid(24);
    let (from, to) = (i64::from(from), i64::from(to));
    if from <= to { (from..to).contains(&hour) } else { hour >= from || hour < to }
}

/// Seconds since 1970 as the market's clocks show them.
pub(super) fn local_seconds(options: &Options, at: Timestamp) -> i64 {
    let seconds = at.as_micros().div_euclid(1_000_000);
    seconds.saturating_add(i64::from(options.utc_offset_minutes) * 60)
}

/// The date and time that the market's clocks show.
pub(super) fn local_time(options: &Options, at: Timestamp) -> DateTime {
    let local = jiff::Timestamp::from_second(local_seconds(options, at));
    local.map_or(DateTime::MIN, |local| TimeZone::UTC.to_datetime(local))
}
