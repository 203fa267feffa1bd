//! Slots for connections: how many there are for all and for one peer, and which connection makes
//! room for another.
//!
//! A connection that no task works on holds nothing but its slot: one that has sent no whole
//! request head, or does not take its answer. When there is no slot left, such a one is closed for
//! the newcomer, so that a callback or a health check always comes in, whatever others keep open.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ConnectionBounds;
use super::network::peer;

/// The longest wait before the next look for a slot while all connections are being worked on.
const LOOKED_AGAIN: Duration = Duration::from_millis(20);

/// The time for which a connection is left alone while nothing happens in it: a request comes right
/// behind its connection, and an answer waits now and then for a packet.
const LEFT_ALONE: Duration = Duration::from_millis(200);

/// The slots of one server.
pub(super) struct ConnectionSlots {
    bounds: ConnectionBounds,
    open: Mutex<Open>,
    freed: Notify,
}

#[derive(Default)]
struct Open {
    number: u64,
    connections: BTreeMap<u64, Arc<Standing>>,
    by_peer: BTreeMap<u128, usize>,
}

/// The state of a connection.
pub(super) struct Standing {
    peer: u128,
    phase: Mutex<Phase>,
    /// Cancelled when the connection has to make room.
    pub(super) closed: CancellationToken,
}

/// The phase that a connection is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The connection has sent no whole head of a request since `since`.
    Waiting {
        /// The time at which it began to wait.
        since: Instant,
    },
    /// A request is being worked on.
    Asked,
    /// The answer is made, and not yet taken as a whole.
    Answered {
        /// The time from which the client has not taken what was written.
        stalled: Option<Instant>,
    },
}

/// A connection's slot; free again when it is dropped.
pub(super) struct ConnectionSlot {
    slots: Arc<ConnectionSlots>,
    number: u64,
    pub(super) standing: Arc<Standing>,
}

/// The reason why there is no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// The peer has as many connections as one may, and all are being worked on.
    Peer,
    /// All connections are being worked on.
    All,
}

impl ConnectionSlots {
    pub(super) fn new(bounds: ConnectionBounds) -> Arc<Self> {
        Arc::new(Self { bounds, open: Mutex::default(), freed: Notify::new() })
    }

    /// A slot for a connection from this address; `None` if its peer may have no more. Waits only
    /// while everything that is open is being worked on.
    pub(super) async fn take(self: &Arc<Self>, address: IpAddr) -> Option<ConnectionSlot> {
        loop {
            match self.try_take(address) {
                Ok(slot) => return Some(slot),
                Err(Refused::Peer) => {
                    metrics::counter!("kiungo_connections_refused_total").increment(1);
                    return None;
                }
                // A request that ends leaves its connection open, and does not report its end.
                Err(Refused::All) => {
                    let _ = tokio::time::timeout(LOOKED_AGAIN, self.freed.notified()).await;
                }
            }
        }
    }

    /// Closes a connection that no task works on; false if there is none.
    pub(super) fn shed(&self) -> bool {
        let mut open = self.lock();
        let victim = open.victim(|_| true);
        victim.map(|number| open.close(number)).is_some()
    }

    fn try_take(self: &Arc<Self>, address: IpAddr) -> Result<ConnectionSlot, Refused> {
        let peer = peer(address);
        let proxied = self.bounds.proxies.iter().any(|proxy| proxy.contains(address));
        let mut open = self.lock();
        let own = open.by_peer.get(&peer).copied().unwrap_or(0);
        if !proxied && own >= self.bounds.connections_per_peer_max {
            let victim = open.victim(|standing| standing.peer == peer).ok_or(Refused::Peer)?;
            open.close(victim);
        } else if open.connections.len() >= self.bounds.connections_max {
            let victim = open.victim(|_| true).ok_or(Refused::All)?;
            open.close(victim);
        }
        let standing = Arc::new(Standing {
            peer,
            phase: Mutex::new(Phase::Waiting { since: Instant::now() }),
            closed: CancellationToken::new(),
        });
        open.number += 1;
        let number = open.number;
        open.connections.insert(number, Arc::clone(&standing));
        *open.by_peer.entry(peer).or_default() += 1;
        open.gauge();
        Ok(ConnectionSlot { slots: Arc::clone(self), number, standing })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// The connection that makes room: of those that have no whole head, else of those that do not
    /// take their answers; of the peer that has the most open; and of these the one that does nothing
    /// for longest.
    fn victim(&self, of: impl Fn(&Standing) -> bool) -> Option<u64> {
        let now = Instant::now();
        let idle = self.connections.iter().filter(|(_, standing)| of(standing));
        let idle = idle.filter_map(|(number, standing)| {
            let (rank, since) = match standing.phase() {
                Phase::Waiting { since } => (0, since),
                Phase::Answered { stalled: Some(since) } => (1, since),
                Phase::Asked | Phase::Answered { stalled: None } => return None,
            };
            if now.saturating_duration_since(since) < LEFT_ALONE {
                return None;
            }
            let crowd = self.by_peer.get(&standing.peer).copied().unwrap_or(0);
            Some(((rank, std::cmp::Reverse(crowd), since), *number))
        });
        idle.min().map(|(_, number)| number)
    }

    /// Closes a connection, which has no slot from now on.
    fn close(&mut self, number: u64) {
        if let Some(standing) = self.remove(number) {
            standing.closed.cancel();
            metrics::counter!("kiungo_connections_shed_total").increment(1);
        }
    }

    fn remove(&mut self, number: u64) -> Option<Arc<Standing>> {
        let standing = self.connections.remove(&number)?;
        if let Some(count) = self.by_peer.get_mut(&standing.peer) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_peer.remove(&standing.peer);
            }
        }
        self.gauge();
        Some(standing)
    }

    fn gauge(&self) {
        // There are never so many that a gauge could not hold them.
        let open = u32::try_from(self.connections.len()).unwrap_or(u32::MAX);
        metrics::gauge!("kiungo_connections").set(open);
    }
}

impl Standing {
    pub(super) fn phase(&self) -> Phase {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn enter(&self, phase: Phase) {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        self.slots.lock().remove(self.number);
        self.slots.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ServerOptions;

    const CALLER: &str = "192.0.2.9";

    fn slots(connections_max: usize, connections_per_peer_max: usize) -> Arc<ConnectionSlots> {
        let bounds = ConnectionBounds::from(&ServerOptions::default());
        ConnectionSlots::new(ConnectionBounds {
            connections_max,
            connections_per_peer_max,
            ..bounds
        })
    }

    fn take(slots: &Arc<ConnectionSlots>, address: &str) -> Result<ConnectionSlot, Refused> {
        slots.try_take(address.parse().unwrap())
    }

    fn closed(of: &[ConnectionSlot]) -> Vec<usize> {
        let closed = of.iter().enumerate().filter(|(_, slot)| slot.standing.closed.is_cancelled());
        closed.map(|(index, _)| index).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_connection_of_the_largest_peer_makes_room() {
        let slots = slots(4, 4);
        let mut held = Vec::new();
        for address in ["192.0.2.1", "192.0.2.2", "192.0.2.2", "192.0.2.2"] {
            held.push(take(&slots, address).unwrap());
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        held[1].standing.enter(Phase::Asked);
        let caller = take(&slots, CALLER).unwrap();
        assert_eq!(closed(&held), [2]);
        drop(caller);
        let _caller = take(&slots, CALLER).unwrap();
        assert_eq!(closed(&held), [2], "there was a slot");
    }

    #[tokio::test(start_paused = true)]
    async fn connections_without_a_request_make_room_before_those_with_an_untaken_answer() {
        let slots = slots(3, 3);
        let held: Vec<ConnectionSlot> =
            (0..3).map(|_| take(&slots, "192.0.2.1").unwrap()).collect();
        held[0].standing.enter(Phase::Answered { stalled: Some(Instant::now()) });
        held[1].standing.enter(Phase::Answered { stalled: None });
        tokio::time::advance(Duration::from_secs(1)).await;
        let first = take(&slots, CALLER).unwrap();
        assert_eq!(closed(&held), [2]);
        first.standing.enter(Phase::Asked);
        let second = take(&slots, CALLER).unwrap();
        assert_eq!(closed(&held), [0, 2]);
        second.standing.enter(Phase::Asked);
        assert_eq!(take(&slots, CALLER).err(), Some(Refused::All), "what moves is left alone");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_has_a_bound_of_its_own_and_makes_room_for_itself() {
        let slots = slots(8, 2);
        let held: Vec<ConnectionSlot> =
            (0..2).map(|_| take(&slots, "192.0.2.1").unwrap()).collect();
        let other = take(&slots, "192.0.2.2").unwrap();
        held[1].standing.enter(Phase::Asked);
        assert_eq!(take(&slots, "192.0.2.1").err(), Some(Refused::Peer), "the first is new");
        tokio::time::advance(Duration::from_secs(1)).await;
        let third = take(&slots, "192.0.2.1").unwrap();
        assert_eq!(closed(&held), [0]);
        third.standing.enter(Phase::Asked);
        assert_eq!(take(&slots, "192.0.2.1").err(), Some(Refused::Peer));
        assert!(!other.standing.closed.is_cancelled());
        drop(third);
        assert!(take(&slots, "192.0.2.1").is_ok());
    }

    #[tokio::test]
    async fn a_proxy_is_bound_by_the_total_alone() {
        let slots = slots(8, 2);
        let held: Vec<ConnectionSlot> =
            (0..8).map(|_| take(&slots, "127.0.0.1").unwrap()).collect();
        assert_eq!(closed(&held), [] as [usize; 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_newcomer_gets_the_place_of_a_request_that_has_ended() {
        let slots = slots(1, 1);
        let held = take(&slots, "192.0.2.1").unwrap();
        held.standing.enter(Phase::Asked);
        let waiting = tokio::spawn({
            let slots = Arc::clone(&slots);
            async move { slots.take(CALLER.parse().unwrap()).await.is_some() }
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!waiting.is_finished());
        held.standing.enter(Phase::Waiting { since: Instant::now() });
        assert!(waiting.await.unwrap());
        assert!(held.standing.closed.is_cancelled());
    }
}
