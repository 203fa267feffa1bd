//! A process that is stopped for a while and knows nothing of it: whatever it asks of anybody, and
//! whatever it is answered, waits until it is thawed. Meanwhile the broker takes it for dead.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use kiungo_domain::Slot;
use kiungo_queue::{Delivery, Membership, QueueError, Shard, Work, WorkQueue};
use kiungo_store::StoreError;
use kiungo_store::intercept::{Answer, Call, Interceptor};
use tokio::sync::Notify;

use super::store_faults::Trouble;

/// The switch that stops a process; all clones are about the same process.
#[derive(Debug, Clone, Default)]
pub struct FreezeSwitch(Arc<Switch>);

#[derive(Debug, Default)]
struct Switch {
    /// The number of times that it was stopped and not thawed yet.
    times: AtomicU32,
    /// Wakes those that wait in the order in which they came, so that a seed replays exactly: a
    /// `watch` channel wakes them in an order of its own.
    changed: Notify,
}

impl FreezeSwitch {
    /// Stops the process; stopped twice, it has to be thawed twice.
    pub fn freeze(&self) {
        self.0.times.fetch_add(1, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        let less = |times: u32| Some(times.saturating_sub(1));
        let _ = self.0.times.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        self.0.changed.notify_waiters();
    }

    /// Waits until the process is not stopped.
    pub async fn thawed(&self) {
        self.wait_for(|times| times == 0).await;
    }

    async fn frozen(&self) {
        self.wait_for(|times| times > 0).await;
    }

    async fn wait_for(&self, is_so: impl Fn(u32) -> bool) {
        loop {
            let mut changed = pin!(self.0.changed.notified());
            // From here on, no change is missed.
            changed.as_mut().enable();
            if is_so(self.0.times.load(Ordering::SeqCst)) {
                return;
            }
            changed.await;
        }
    }
}

/// A queue as the process sees it.
pub struct FreezableQueue {
    /// The queue.
    pub queue: Arc<dyn WorkQueue>,
    /// The means by which the process is stopped.
    pub switch: FreezeSwitch,
}

#[async_trait]
impl WorkQueue for FreezableQueue {
    fn shards(&self) -> u16 {
        self.queue.shards()
    }

    async fn announce(&self, work: &[(Slot, Work)]) -> Result<(), QueueError> {
        self.switch.thawed().await;
        self.queue.announce(work).await
    }

    async fn join(&self, shard: Shard) -> Result<Box<dyn Membership>, QueueError> {
        self.switch.thawed().await;
        let member = Some(self.queue.join(shard).await?);
        Ok(Box::new(FreezableMember { member, switch: self.switch.clone() }))
    }
}

/// A membership that the broker ends as soon as the process is stopped.
struct FreezableMember {
    member: Option<Box<dyn Membership>>,
    switch: FreezeSwitch,
}

#[async_trait]
impl Membership for FreezableMember {
    async fn next(&mut self) -> Option<Delivery> {
        let delivery = match &mut self.member {
            Some(member) => tokio::select! {
                biased;
                () = self.switch.frozen() => None,
                delivery = member.next() => delivery,
            },
            None => None,
        };
        if delivery.is_none() {
            self.member = None;
        }
        self.switch.thawed().await;
        delivery
    }

    async fn leave(mut self: Box<Self>) {
        if let Some(member) = self.member.take() {
            member.leave().await;
        }
    }
}

/// The database as the process sees it: it stops with the process, and fails now and then.
pub struct FreezableDatabase {
    /// The means by which the process is stopped.
    pub switch: FreezeSwitch,
    /// The failures of the database.
    pub trouble: Trouble,
}

impl Interceptor for FreezableDatabase {
    type Kept = ();

    async fn before(&self, _call: &Call<'_>) -> Result<(), StoreError> {
        self.switch.thawed().await;
        self.trouble.before().await
    }

    async fn after(&self, _kept: (), _answer: Answer<'_>) -> Result<(), StoreError> {
        self.trouble.after()?;
        self.switch.thawed().await;
        Ok(())
    }
}
