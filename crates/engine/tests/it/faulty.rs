//! A store in memory whose answers are lost, come late, or come after somebody else's.

use std::sync::Mutex;

use async_trait::async_trait;
use kiungo_domain::transfer::{Entry, Posting};
use kiungo_domain::{CoreId, ProviderId, Receipt, Slot, Timestamp, Transfer, TransferId};
use kiungo_store::{
    Action, ActionId, ActionQuery, Arrival, CaseRow, Change, CollectionQuery, CommitError,
    CoreRequestQuery, CoreRequestRow, Cursor, InboxId, InboxItem, InboxState, KeyHolder, Lease,
    LedgerBalance, MemoryStore, NewArrival, OutboxRow, Overview, Page, Store, StoreError, Summary,
    TransferQuery,
};
use tokio::sync::oneshot;

pub struct FaultyStore {
    pub inner: MemoryStore,
    /// True if a commit under a key is applied, and its answer is lost.
    pub answers_lost: Mutex<bool>,
    /// True if a commit under a key is refused.
    pub dies_before_key: Mutex<bool>,
    /// True if a judgement is written, and the answer is lost.
    pub dies_after_judgement: Mutex<bool>,
    /// An action that is written just before the next commit; `None` if there is none.
    pub declined_meanwhile: Mutex<Option<Action>>,
    /// The next reading of the holds is answered when this says so, with what was held before.
    pub slow_holds: Mutex<Option<oneshot::Receiver<()>>>,
    /// The next look for the next due time is answered when this says so, with what was due before.
    pub slow_next_due: Mutex<Option<oneshot::Receiver<()>>>,
    /// True if others get in between after an arrival was read, or actions were.
    pub slow_reads: Mutex<bool>,
}

impl FaultyStore {
    pub fn new() -> Self {
        Self {
            inner: MemoryStore::audited(),
            answers_lost: Mutex::new(false),
            dies_before_key: Mutex::new(false),
            dies_after_judgement: Mutex::new(false),
            declined_meanwhile: Mutex::new(None),
            slow_holds: Mutex::new(None),
            slow_next_due: Mutex::new(None),
            slow_reads: Mutex::new(false),
        }
    }
}

impl FaultyStore {
    async fn let_others_in(&self) {
        if *self.slow_reads.lock().unwrap() {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn commit(&self, change: Change) -> Result<(), CommitError> {
        let lost = *self.answers_lost.lock().unwrap() && change.key.is_some();
        if *self.dies_before_key.lock().unwrap() && change.key.is_some() {
            return Err(StoreError::Unavailable("the disk is full".to_owned()).into());
        }
        let meanwhile = self.declined_meanwhile.lock().unwrap().take();
        if let Some(action) = meanwhile {
            assert!(self.inner.put_action(action).await.unwrap());
        }
        self.inner.commit(change).await?;
        if lost {
            return Err(StoreError::Unavailable("the answer was lost".to_owned()).into());
        }
        Ok(())
    }

    async fn transfer(&self, id: TransferId) -> Result<Option<Transfer>, StoreError> {
        self.inner.transfer(id).await
    }

    async fn journal(&self, id: TransferId) -> Result<Vec<Entry>, StoreError> {
        self.inner.journal(id).await
    }

    async fn postings(&self, id: TransferId) -> Result<Vec<Posting>, StoreError> {
        self.inner.postings(id).await
    }

    async fn summary(&self, id: TransferId) -> Result<Option<Summary>, StoreError> {
        self.inner.summary(id).await
    }

    async fn search(&self, query: &TransferQuery) -> Result<Page<Summary>, StoreError> {
        self.inner.search(query).await
    }

    async fn due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Timestamp)>, StoreError> {
        self.inner.due(now, limit).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let due = self.inner.next_due().await;
        let slow = self.slow_next_due.lock().unwrap().take();
        if let Some(go_on) = slow {
            let _ = go_on.await;
        }
        due
    }

    async fn holding_accounts(&self) -> Result<Vec<Summary>, StoreError> {
        self.inner.holding_accounts().await
    }

    async fn collections(&self, query: &CollectionQuery) -> Result<Vec<TransferId>, StoreError> {
        self.inner.collections(query).await
    }

    async fn postpone(
        &self,
        id: TransferId,
        version: u64,
        due: Timestamp,
    ) -> Result<(), StoreError> {
        self.inner.postpone(id, version, due).await
    }

    async fn by_receipt(
        &self,
        provider: &ProviderId,
        receipt: &Receipt,
    ) -> Result<Option<TransferId>, StoreError> {
        self.inner.by_receipt(provider, receipt).await
    }

    async fn key_holder(&self, client: &str, key: &str) -> Result<Option<KeyHolder>, StoreError> {
        self.inner.key_holder(client, key).await
    }

    async fn arrive(&self, arrival: NewArrival) -> Result<Arrival, StoreError> {
        self.inner.arrive(arrival).await
    }

    async fn arrived(
        &self,
        provider: &ProviderId,
        digest: &str,
    ) -> Result<Option<InboxItem>, StoreError> {
        self.inner.arrived(provider, digest).await
    }

    async fn inbox_due(&self, now: Timestamp, limit: u32) -> Result<Vec<InboxItem>, StoreError> {
        self.inner.inbox_due(now, limit).await
    }

    async fn inbox_item(&self, id: InboxId) -> Result<Option<InboxItem>, StoreError> {
        let item = self.inner.inbox_item(id).await;
        self.let_others_in().await;
        item
    }

    async fn set_inbox_state(&self, id: InboxId, state: InboxState) -> Result<(), StoreError> {
        self.inner.set_inbox_state(id, state).await
    }

    async fn decide_inbox_state(&self, id: InboxId, state: InboxState) -> Result<bool, StoreError> {
        self.inner.decide_inbox_state(id, state).await
    }

    async fn cases(
        &self,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<CaseRow>, StoreError> {
        self.inner.cases(cursor, limit).await
    }

    async fn ledger(&self) -> Result<Vec<LedgerBalance>, StoreError> {
        self.inner.ledger().await
    }

    async fn overview(&self, now: Timestamp) -> Result<Overview, StoreError> {
        self.inner.overview(now).await
    }

    async fn take_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Slot)>, StoreError> {
        self.inner.take_due(now, until, limit).await
    }

    async fn take_inbox_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<InboxId>, StoreError> {
        self.inner.take_inbox_due(now, until, limit).await
    }

    async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.inner.take_lease(name, holder, now, until).await
    }

    async fn give_lease_back(&self, name: &str, holder: &str) -> Result<(), StoreError> {
        self.inner.give_lease_back(name, holder).await
    }

    async fn leases(&self, prefix: &str, now: Timestamp) -> Result<Vec<Lease>, StoreError> {
        self.inner.leases(prefix, now).await
    }

    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        self.inner.outbox(limit).await
    }

    async fn told(&self, numbers: &[i64]) -> Result<(), StoreError> {
        self.inner.told(numbers).await
    }

    async fn put_action(&self, action: Action) -> Result<bool, StoreError> {
        let judged = action.judgement.is_some();
        let written = self.inner.put_action(action).await;
        if judged && *self.dies_after_judgement.lock().unwrap() {
            return Err(StoreError::Unavailable("the answer was lost".to_owned()));
        }
        written
    }

    async fn action(&self, id: ActionId) -> Result<Option<Action>, StoreError> {
        self.inner.action(id).await
    }

    async fn actions(&self, query: &ActionQuery) -> Result<Page<Action>, StoreError> {
        let page = self.inner.actions(query).await;
        self.let_others_in().await;
        page
    }

    async fn archive(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.inner.archive(before, limit).await
    }

    async fn put_core_request(&self, row: CoreRequestRow) -> Result<bool, StoreError> {
        self.inner.put_core_request(row).await
    }

    async fn core_request(
        &self,
        core: &CoreId,
        request: &str,
    ) -> Result<Option<CoreRequestRow>, StoreError> {
        self.inner.core_request(core, request).await
    }

    async fn known_core_requests(
        &self,
        core: &CoreId,
        requests: &[String],
    ) -> Result<Vec<CoreRequestRow>, StoreError> {
        self.inner.known_core_requests(core, requests).await
    }

    async fn accepted_core_requests(
        &self,
        core: &CoreId,
        limit: u32,
    ) -> Result<Vec<CoreRequestRow>, StoreError> {
        self.inner.accepted_core_requests(core, limit).await
    }

    async fn core_requests(
        &self,
        query: &CoreRequestQuery,
    ) -> Result<Page<CoreRequestRow>, StoreError> {
        self.inner.core_requests(query).await
    }

    async fn pull_due(&self, now: Timestamp) -> Result<(), StoreError> {
        self.inner.pull_due(now).await
    }

    async fn put_hold(&self, hold: kiungo_store::Hold) -> Result<(), StoreError> {
        self.inner.put_hold(hold).await
    }

    async fn release_hold(
        &self,
        provider: &ProviderId,
        operation: kiungo_domain::transfer::Operation,
        condition: kiungo_domain::hold::Condition,
    ) -> Result<bool, StoreError> {
        self.inner.release_hold(provider, operation, condition).await
    }

    async fn holds(&self) -> Result<Vec<kiungo_store::Hold>, StoreError> {
        let holds = self.inner.holds().await;
        let slow = self.slow_holds.lock().unwrap().take();
        if let Some(go_on) = slow {
            let _ = go_on.await;
        }
        holds
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
}
