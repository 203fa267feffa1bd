//! A process that is stopped for a while and knows nothing of it: whatever it asks of anybody, and
//! whatever it is answered, waits until it is thawed. Meanwhile the broker takes it for dead.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use kiungo_domain::transfer::{Entry, Posting};
use kiungo_domain::{CoreId, ProviderId, Receipt, Slot, Timestamp, Transfer, TransferId};
use kiungo_queue::{Delivery, Membership, QueueError, Shard, Work, WorkQueue};
use kiungo_store::{
    Action, ActionId, ActionQuery, Arrival, CaseRow, Change, CollectionQuery, CommitError,
    CoreRequestQuery, CoreRequestRow, Cursor, InboxId, InboxItem, InboxState, KeyHolder, Lease,
    LedgerBalance, NewArrival, OutboxRow, Overview, Page, Store, StoreError, Summary,
    TransferQuery,
};
use tokio::sync::Notify;

use super::store_faults::Trouble;

/// The switch that stops a process; all clones are about the same process.
#[derive(Debug, Clone, Default)]
pub struct Ice(Arc<Switch>);

#[derive(Debug, Default)]
struct Switch {
    /// The number of times that it was stopped and not thawed yet.
    times: AtomicU32,
    /// Wakes those that wait in the order in which they came, so that a seed replays exactly: a
    /// `watch` channel wakes them in an order of its own.
    changed: Notify,
}

impl Ice {
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
pub struct IcyQueue {
    /// The queue.
    pub queue: Arc<dyn WorkQueue>,
    /// The means by which the process is stopped.
    pub ice: Ice,
}

#[async_trait]
impl WorkQueue for IcyQueue {
    fn shards(&self) -> u16 {
        self.queue.shards()
    }

    async fn announce(&self, work: &[(Slot, Work)]) -> Result<(), QueueError> {
        self.ice.thawed().await;
        self.queue.announce(work).await
    }

    async fn join(&self, shard: Shard) -> Result<Box<dyn Membership>, QueueError> {
        self.ice.thawed().await;
        let member = Some(self.queue.join(shard).await?);
        Ok(Box::new(IcyMember { member, ice: self.ice.clone() }))
    }
}

/// A membership that the broker ends as soon as the process is stopped.
struct IcyMember {
    member: Option<Box<dyn Membership>>,
    ice: Ice,
}

#[async_trait]
impl Membership for IcyMember {
    async fn next(&mut self) -> Option<Delivery> {
        let delivery = match &mut self.member {
            Some(member) => tokio::select! {
                biased;
                () = self.ice.frozen() => None,
                delivery = member.next() => delivery,
            },
            None => None,
        };
        if delivery.is_none() {
            self.member = None;
        }
        self.ice.thawed().await;
        delivery
    }

    async fn leave(mut self: Box<Self>) {
        if let Some(member) = self.member.take() {
            member.leave().await;
        }
    }
}

/// The store as the process sees it.
pub struct IcyStore {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The means by which the process is stopped.
    pub ice: Ice,
    /// The failures of the database.
    pub trouble: Trouble,
}

macro_rules! through {
    ($self:ident.$method:ident($($argument:ident),*)) => {{
        $self.ice.thawed().await;
        $self.trouble.before().await?;
        let answer = $self.store.$method($($argument),*).await;
        $self.trouble.after()?;
        $self.ice.thawed().await;
        answer
    }};
}

#[async_trait]
impl Store for IcyStore {
    async fn commit(&self, change: Change) -> Result<(), CommitError> {
        through!(self.commit(change))
    }

    async fn transfer(&self, id: TransferId) -> Result<Option<Transfer>, StoreError> {
        through!(self.transfer(id))
    }

    async fn journal(&self, id: TransferId) -> Result<Vec<Entry>, StoreError> {
        through!(self.journal(id))
    }

    async fn postings(&self, id: TransferId) -> Result<Vec<Posting>, StoreError> {
        through!(self.postings(id))
    }

    async fn summary(&self, id: TransferId) -> Result<Option<Summary>, StoreError> {
        through!(self.summary(id))
    }

    async fn search(&self, query: &TransferQuery) -> Result<Page<Summary>, StoreError> {
        through!(self.search(query))
    }

    async fn due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Timestamp)>, StoreError> {
        through!(self.due(now, limit))
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        through!(self.next_due())
    }

    async fn holding_accounts(&self) -> Result<Vec<Summary>, StoreError> {
        through!(self.holding_accounts())
    }

    async fn collections(&self, query: &CollectionQuery) -> Result<Vec<TransferId>, StoreError> {
        through!(self.collections(query))
    }

    async fn postpone(
        &self,
        id: TransferId,
        version: u64,
        due: Timestamp,
    ) -> Result<(), StoreError> {
        through!(self.postpone(id, version, due))
    }

    async fn by_receipt(
        &self,
        provider: &ProviderId,
        receipt: &Receipt,
    ) -> Result<Option<TransferId>, StoreError> {
        through!(self.by_receipt(provider, receipt))
    }

    async fn key_holder(&self, client: &str, key: &str) -> Result<Option<KeyHolder>, StoreError> {
        through!(self.key_holder(client, key))
    }

    async fn arrive(&self, arrival: NewArrival) -> Result<Arrival, StoreError> {
        through!(self.arrive(arrival))
    }

    async fn arrived(
        &self,
        provider: &ProviderId,
        digest: &str,
    ) -> Result<Option<InboxItem>, StoreError> {
        through!(self.arrived(provider, digest))
    }

    async fn inbox_due(&self, now: Timestamp, limit: u32) -> Result<Vec<InboxItem>, StoreError> {
        through!(self.inbox_due(now, limit))
    }

    async fn inbox_item(&self, id: InboxId) -> Result<Option<InboxItem>, StoreError> {
        through!(self.inbox_item(id))
    }

    async fn set_inbox_state(&self, id: InboxId, state: InboxState) -> Result<(), StoreError> {
        through!(self.set_inbox_state(id, state))
    }

    async fn decide_inbox_state(&self, id: InboxId, state: InboxState) -> Result<bool, StoreError> {
        through!(self.decide_inbox_state(id, state))
    }

    async fn cases(
        &self,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<CaseRow>, StoreError> {
        through!(self.cases(cursor, limit))
    }

    async fn ledger(&self) -> Result<Vec<LedgerBalance>, StoreError> {
        through!(self.ledger())
    }

    async fn overview(&self, now: Timestamp) -> Result<Overview, StoreError> {
        through!(self.overview(now))
    }

    async fn take_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Slot)>, StoreError> {
        through!(self.take_due(now, until, limit))
    }

    async fn take_inbox_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<InboxId>, StoreError> {
        through!(self.take_inbox_due(now, until, limit))
    }

    async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        through!(self.take_lease(name, holder, now, until))
    }

    async fn give_lease_back(&self, name: &str, holder: &str) -> Result<(), StoreError> {
        through!(self.give_lease_back(name, holder))
    }

    async fn leases(&self, prefix: &str, now: Timestamp) -> Result<Vec<Lease>, StoreError> {
        through!(self.leases(prefix, now))
    }

    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        through!(self.outbox(limit))
    }

    async fn told(&self, numbers: &[i64]) -> Result<(), StoreError> {
        through!(self.told(numbers))
    }

    async fn put_action(&self, action: Action) -> Result<bool, StoreError> {
        through!(self.put_action(action))
    }

    async fn action(&self, id: ActionId) -> Result<Option<Action>, StoreError> {
        through!(self.action(id))
    }

    async fn actions(&self, query: &ActionQuery) -> Result<Page<Action>, StoreError> {
        through!(self.actions(query))
    }

    async fn archive(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        through!(self.archive(before, limit))
    }

    async fn put_core_request(&self, row: CoreRequestRow) -> Result<bool, StoreError> {
        through!(self.put_core_request(row))
    }

    async fn core_request(
        &self,
        core: &CoreId,
        request: &str,
    ) -> Result<Option<CoreRequestRow>, StoreError> {
        through!(self.core_request(core, request))
    }

    async fn known_core_requests(
        &self,
        core: &CoreId,
        requests: &[String],
    ) -> Result<Vec<CoreRequestRow>, StoreError> {
        through!(self.known_core_requests(core, requests))
    }

    async fn accepted_core_requests(
        &self,
        core: &CoreId,
        limit: u32,
    ) -> Result<Vec<CoreRequestRow>, StoreError> {
        through!(self.accepted_core_requests(core, limit))
    }

    async fn core_requests(
        &self,
        query: &CoreRequestQuery,
    ) -> Result<Page<CoreRequestRow>, StoreError> {
        through!(self.core_requests(query))
    }

    async fn pull_due(&self, now: Timestamp) -> Result<(), StoreError> {
        through!(self.pull_due(now))
    }

    async fn put_hold(&self, hold: kiungo_store::Hold) -> Result<(), StoreError> {
        through!(self.put_hold(hold))
    }

    async fn release_hold(
        &self,
        provider: &ProviderId,
        operation: kiungo_domain::transfer::Operation,
        condition: kiungo_domain::hold::Condition,
    ) -> Result<bool, StoreError> {
        through!(self.release_hold(provider, operation, condition))
    }

    async fn holds(&self) -> Result<Vec<kiungo_store::Hold>, StoreError> {
        through!(self.holds())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        through!(self.ping())
    }
}
