//! Accepting connections, and stopping gracefully.
//!
//! Every connection has bounds before its first request is read: how many there are in all and of
//! one peer, how long a request head may take and how large it may be, how long an answer may take
//! to be taken. A slow or idle connection makes room for a new one, so that no client can keep
//! callbacks and health checks out.
//!
//! * `connection_slots`: how many connections there are, and which one makes room
//! * `watched`: what a slow client may take its time for
//! * `connection`: how one is closed without losing what its client has sent
//! * `network`: networks of addresses

mod connection;
mod connection_slots;
mod network;
mod watched;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::ServerOptions;
use connection_slots::{ConnectionSlot, ConnectionSlots};
pub use network::{Network, NetworkError};

/// The wait when nothing can be accepted: usually too many open files, until some close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The interval at which it is logged that nothing can be accepted: it lasts, and the log is for
/// other things too.
const ACCEPT_LOGGED_EVERY: Duration = Duration::from_secs(10);

/// The errors of an accept for want of file descriptors: the process has no more, or the machine.
const NO_DESCRIPTORS: [i32; 2] = [24, 23];

/// The bounds of connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionBounds {
    /// Open connections. For one more, one is closed that no task works on.
    pub connections_max: usize,
    /// Open connections of one peer that is no proxy.
    pub connections_per_peer_max: usize,
    /// The networks from which proxies connect; the bound of a peer does not hold for proxies.
    pub proxies: Vec<Network>,
    /// Bytes of a request's head.
    pub head_bytes_max: usize,
    /// Headers of a request.
    pub header_count_max: usize,
    /// The longest time that a request's head may take once its first byte is here.
    pub head_timeout: Duration,
    /// The longest time that a connection may be open without a request.
    pub idle_timeout: Duration,
    /// The longest time that a client may take to receive an answer.
    pub answer_timeout: Duration,
}

impl From<&ServerOptions> for ConnectionBounds {
    fn from(options: &ServerOptions) -> Self {
        Self {
            connections_max: options.connections_max,
            connections_per_peer_max: options.connections_per_peer_max,
            proxies: options.proxies.clone(),
            // hyper panics below this; options that were checked are not.
            head_bytes_max: options.head_bytes_max.max(8192),
            header_count_max: options.header_count_max,
            head_timeout: Duration::from_secs(options.head_timeout_s),
            idle_timeout: Duration::from_secs(options.idle_timeout_s),
            answer_timeout: Duration::from_secs(options.answer_timeout_s),
        }
    }
}

/// Serves `router` until `shutdown` is cancelled: then accepts nothing more, answers what was sent
/// by then, closes idle connections, and lets requests in flight finish for `grace`. Returns how many
/// connections had to be cut off after that.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: ConnectionBounds,
    shutdown: CancellationToken,
    grace: Duration,
) -> usize {
    let slots = ConnectionSlots::new(bounds.clone());
    let mut connections = JoinSet::new();
    let mut failures = Failures::default();
    while let Some((stream, slot)) =
        next_connection(&listener, &slots, &shutdown, &mut failures).await
    {
        // Reaps those that have ended, so that the set stays as small as there are connections.
        while connections.try_join_next().is_some() {}
        let attended =
            connection::attend(stream, slot, router.clone(), bounds.clone(), shutdown.clone());
        connections.spawn(async move {
            if let Err(error) = attended.await {
                tracing::debug!(error.message = %error, "a connection ended early");
            }
        });
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(grace, all_ended).await;
    while connections.try_join_next().is_some() {}
    let cut_off = connections.len();
    if cut_off > 0 {
        tracing::warn!(connection.count = cut_off, "connections were cut off after the grace");
    }
    connections.shutdown().await;
    cut_off
}

/// The next connection with its slot; `None` when it is time to stop.
async fn next_connection(
    listener: &TcpListener,
    slots: &Arc<ConnectionSlots>,
    shutdown: &CancellationToken,
    failures: &mut Failures,
) -> Option<(TcpStream, ConnectionSlot)> {
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => return None,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let slot = tokio::select! {
                    biased;
                    () = shutdown.cancelled() => return None,
                    slot = slots.take(peer.ip()) => slot,
                };
                if let Some(slot) = slot {
                    // Answers are small and whole: waiting to fill a packet only delays them.
                    let _ = stream.set_nodelay(true);
                    return Some((stream, slot));
                }
            }
            Err(error) => {
                metrics::counter!("kiungo_accept_failures_total").increment(1);
                if let Some(count) = failures.another(Instant::now()) {
                    tracing::warn!(
                        error.message = %error,
                        failure.count = count,
                        "no connection can be accepted"
                    );
                }
                if error.raw_os_error().is_some_and(|code| NO_DESCRIPTORS.contains(&code)) {
                    slots.shed();
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Failures to accept, which come by the hundred and are logged by the dozen.
#[derive(Debug, Default)]
struct Failures {
    unlogged: u64,
    logged_at: Option<Instant>,
}

impl Failures {
    /// Another one: how many there were since the last that was logged, this one included; `None` if it is
    /// not to be logged yet.
    fn another(&mut self, now: Instant) -> Option<u64> {
        self.unlogged += 1;
        let due = |logged: Instant| now.saturating_duration_since(logged) >= ACCEPT_LOGGED_EVERY;
        if !self.logged_at.is_none_or(due) {
            return None;
        }
        self.logged_at = Some(now);
        Some(std::mem::take(&mut self.unlogged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn failures_to_accept_are_logged_now_and_then_and_counted() {
        let mut failures = Failures::default();
        let began = Instant::now();
        let logged: Vec<(u128, u64)> = (0..250_u32)
            .filter_map(|number| {
                let at = ACCEPT_PAUSE * number;
                Some((at.as_secs().into(), failures.another(began + at)?))
            })
            .collect();
        assert_eq!(logged, [(0, 1), (10, 100), (20, 100)]);
    }
}
