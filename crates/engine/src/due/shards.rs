//! Taking part in the shared work: a membership in every shard, of which the first by rank is to be
//! the active one.
//!
//! The broker has one active member for each shard, the one that joined first, and another one
//! takes over at once when it ends. A worker that is not first by rank joins anew whenever the
//! workers have changed, so that a worker that comes later gets its part.

use std::sync::Arc;
use std::time::Duration;

use kiungo_domain::Slot;
use kiungo_queue::{Delivery, Shard, Work, WorkQueue};
use kiungo_store::{InboxId, LeaseStore};
use tokio::sync::{Barrier, Notify, Semaphore};

use crate::clock::Clock;
use crate::dispatch::deliveries::{DeliveryBatch, DeliveryGuard};
use crate::dispatch::dispatcher::Dispatcher;
use crate::intake::inbox::Inbox;
use crate::sharing::Sharing;
use crate::tasks::Tasks;

/// The time for which a member that stands back stays away: longer than the broker takes to let the
/// next in.
const STAND_BACK: Duration = Duration::from_millis(500);

/// The wait before joining again when the broker is gone; it is gone for seconds when it restarts.
const REJOIN_WAIT: Duration = Duration::from_millis(500);

/// The names of leases by which workers show that they are there.
const PRESENCE: &str = "worker/";

/// This process's part in the shared work.
pub(crate) struct Shards {
    pub(crate) store: Arc<dyn LeaseStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tasks: Tasks,
    pub(crate) dispatcher: Arc<Dispatcher>,
    pub(crate) inbox: Arc<Inbox>,
    /// Places for delivered work in flight.
    pub(crate) places: Arc<Semaphore>,
}

impl Shards {
    /// Takes part in all shards until the engine stops.
    pub(crate) fn take_part(self: &Arc<Self>, sharing: &Sharing) {
        let count = sharing.queue.shards();
        let joined = Arc::new(Barrier::new(usize::from(count) + 1));
        let mut stand_back = Vec::new();
        for number in 0..count {
            let notice = Arc::new(Notify::new());
            stand_back.push(Arc::clone(&notice));
            let (shards, queue) = (Arc::clone(self), Arc::clone(&sharing.queue));
            let joined = Arc::clone(&joined);
            self.tasks.spawn(async move {
                shards.be_a_member(queue.as_ref(), Shard(number), &notice, &joined).await;
            });
        }
        let (shards, sharing) = (Arc::clone(self), sharing.clone());
        self.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = shards.tasks.stopping() => return,
                _ = joined.wait() => {}
            }
            shards.divide(&sharing, &stand_back).await;
        });
    }

    async fn be_a_member(
        &self,
        queue: &dyn WorkQueue,
        shard: Shard,
        stand_back: &Notify,
        joined: &Barrier,
    ) {
        let mut first = true;
        while !self.tasks.are_stopping() {
            let mut member = match queue.join(shard).await {
                Ok(member) => member,
                Err(error) => {
                    tracing::debug!(shard = shard.0, %error, "a shard cannot be joined; trying again");
                    tokio::time::sleep(REJOIN_WAIT).await;
                    continue;
                }
            };
            if std::mem::take(&mut first) {
                tokio::select! {
                    biased;
                    () = self.tasks.stopping() => {}
                    _ = joined.wait() => {}
                }
            }
            loop {
                tokio::select! {
                    biased;
                    () = self.tasks.stopping() => {
                        member.leave().await;
                        return;
                    }
                    () = stand_back.notified() => {
                        member.leave().await;
                        tokio::time::sleep(STAND_BACK).await;
                        break;
                    }
                    delivery = member.next() => {
                        let Some(delivery) = delivery else {
                            tokio::time::sleep(REJOIN_WAIT).await;
                            break;
                        };
                        self.take_up(delivery).await;
                    }
                }
            }
        }
    }

    /// Has tasks do what was delivered, in its order, as there is room.
    async fn take_up(&self, delivery: Delivery) {
        let redelivered = if delivery.redelivered { "yes" } else { "no" };
        metrics::counter!("kiungo_deliveries_total", "redelivered" => redelivered).increment(1);
        let batch = DeliveryBatch::new(delivery.ack, delivery.work.len());
        for work in delivery.work {
            let place = tokio::select! {
                biased;
                () = self.tasks.stopping() => return,
                place = Arc::clone(&self.places).acquire_owned() => place,
            };
            let Ok(place) = place else { return };
            let guard = DeliveryGuard { batch: Arc::clone(&batch), _place: place };
            match work {
                Work::Transfer(id) => self.dispatcher.dispatch_delivered(id, guard),
                Work::Arrival(number) => self.inbox.handle_delivered(InboxId(number), guard),
            }
        }
    }

    /// Shows that this worker is there, and stands back where another one is first.
    async fn divide(&self, sharing: &Sharing, stand_back: &[Arc<Notify>]) {
        let Sharing { name, options, .. } = sharing;
        let lease = format!("{PRESENCE}{name}");
        let mut known = Vec::new();
        loop {
            let now = self.clock.now();
            let until = now.after(options.presence);
            let present = match self.store.take_lease(&lease, name, now, until).await {
                Ok(_) => self.store.leases(PRESENCE, now).await,
                Err(error) => Err(error),
            };
            match present {
                Ok(present) => {
                    let present: Vec<String> = present.into_iter().map(|one| one.holder).collect();
                    if present != known {
                        tracing::info!(workers.count = present.len(), "the work is divided anew");
                        known = present;
                        for (number, notice) in stand_back.iter().enumerate() {
                            if first(&known, number).is_some_and(|first| first != name) {
                                notice.notify_one();
                            }
                        }
                    }
                }
                Err(error) => tracing::warn!(%error, "the workers cannot be read; trying again"),
            }
            tokio::select! {
                biased;
                () = self.tasks.stopping() => break,
                () = tokio::time::sleep(options.presence / 3) => {}
            }
        }
        if let Err(error) = self.store.release_lease(&lease, name).await {
            tracing::debug!(%error, "the others will notice by themselves that this worker is gone");
        }
    }
}

/// The worker that is to have a shard: the highest by a hash of both, so that most shards stay
/// where they are when a worker comes or goes.
fn first(present: &[String], shard: usize) -> Option<&String> {
    let rank = |name: &&String| Slot::of(&[name.as_bytes(), &shard.to_be_bytes()]);
    present.iter().max_by_key(rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_divided_and_mostly_stay_when_a_worker_comes() {
        let names: Vec<String> = (0..4).map(|n| format!("host-{n}-{:x}", n * 7919)).collect();
        let owners = |count: usize| -> Vec<&String> {
            (0..64).filter_map(|shard| first(&names[..count], shard)).collect()
        };
        let (three, four) = (owners(3), owners(4));
        for name in &names {
            let share = four.iter().filter(|owner| **owner == name).count();
            assert!((6..=28).contains(&share), "{name} has {share} of 64");
        }
        let moved = three.iter().zip(&four).filter(|(before, after)| before != after).count();
        let new = four.iter().filter(|owner| **owner == &names[3]).count();
        assert_eq!(moved, new, "only what the new one gets moves");
        assert!(first(&[], 0).is_none());
    }
}
