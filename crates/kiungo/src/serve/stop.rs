//! Stopping without failing anybody who has asked already.
//!
//! First it is said (`/readyz`), for load balancers to notice. Then nothing more is accepted, and what
//! was sent is answered, by an engine that still takes work. Only then the engine stops.

use std::time::Duration;

use kiungo_engine::Engine;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// The time for which the engine goes on taking work, for requests that are under way. They wait
/// for a commit, so that this is plenty; a client that sends slowly must not use up what the engine
/// needs.
const ANSWERING: Duration = Duration::from_secs(5);

/// Waits while it is said that a stop has begun, unless there is no time for it any more.
pub(super) async fn drain(drain: Duration, at_once: &CancellationToken) {
    tokio::select! {
        biased;
        () = at_once.cancelled() => {}
        () = sleep(drain) => {}
    }
}

/// Lets `http`, which was told to stop, answer what was asked, and stops the engine, both within
/// `grace`. Returns true if the engine came to rest, and the number of connections that were cut
/// off.
pub(super) async fn finish(
    engine: &Engine,
    mut http: JoinHandle<usize>,
    grace: Duration,
    at_once: &CancellationToken,
) -> (bool, usize) {
    let began = Instant::now();
    let answered = tokio::select! {
        biased;
        () = at_once.cancelled() => None,
        answered = timeout(ANSWERING.min(grace / 2), &mut http) => answered.ok(),
    };
    let rest = engine.stop(grace.saturating_sub(began.elapsed()));
    let (clean, cut_off) =
        if let Some(cut_off) = answered { (rest.await, cut_off) } else { tokio::join!(rest, http) };
    (clean, cut_off.unwrap_or_default())
}
