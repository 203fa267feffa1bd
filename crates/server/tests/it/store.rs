//! A store in memory that can be taken down.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use kiungo_domain::transfer::{Entry, Posting};
use kiungo_domain::{CoreId, ProviderId, Receipt, Slot, Timestamp, Transfer, TransferId};
use kiungo_store::{
    Action, ActionId, ActionQuery, Arrival, CaseRow, Change, CollectionQuery, CommitError,
    CoreRequestQuery, CoreRequestRow, Cursor, InboxId, InboxItem, InboxState, KeyHolder, Lease,
    LedgerBalance, MemoryStore, NewArrival, OutboxRow, Overview, Page, Store, StoreError, Summary,
    TransferQuery,
};

pub struct SwitchedStore {
    inner: MemoryStore,
    pub down: AtomicBool,
    pub hangs: AtomicBool,
}

impl SwitchedStore {
    pub fn new() -> Self {
        let (down, hangs) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { inner: MemoryStore::audited(), down, hangs }
    }

    async fn up(&self) -> Result<&MemoryStore, StoreError> {
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("the disk at /var/lib/secret is full".to_owned()));
        }
        Ok(&self.inner)
    }
}

#[async_trait]
impl Store for SwitchedStore {
    async fn commit(&self, change: Change) -> Result<(), CommitError> {
        self.up().await?.commit(change).await
    }

    async fn transfer(&self, id: TransferId) -> Result<Option<Transfer>, StoreError> {
        self.up().await?.transfer(id).await
    }

    async fn journal(&self, id: TransferId) -> Result<Vec<Entry>, StoreError> {
        self.up().await?.journal(id).await
    }

    async fn postings(&self, id: TransferId) -> Result<Vec<Posting>, StoreError> {
        self.up().await?.postings(id).await
    }

    async fn summary(&self, id: TransferId) -> Result<Option<Summary>, StoreError> {
        self.up().await?.summary(id).await
    }

    async fn search(&self, query: &TransferQuery) -> Result<Page<Summary>, StoreError> {
        self.up().await?.search(query).await
    }

    async fn due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Timestamp)>, StoreError> {
        self.up().await?.due(now, limit).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.up().await?.next_due().await
    }

    async fn holding_accounts(&self) -> Result<Vec<Summary>, StoreError> {
        self.up().await?.holding_accounts().await
    }

    async fn collections(&self, query: &CollectionQuery) -> Result<Vec<TransferId>, StoreError> {
        self.up().await?.collections(query).await
    }

    async fn postpone(
        &self,
        id: TransferId,
        version: u64,
        due: Timestamp,
    ) -> Result<(), StoreError> {
        self.up().await?.postpone(id, version, due).await
    }

    async fn by_receipt(
        &self,
        provider: &ProviderId,
        receipt: &Receipt,
    ) -> Result<Option<TransferId>, StoreError> {
        self.up().await?.by_receipt(provider, receipt).await
    }

    async fn key_holder(&self, client: &str, key: &str) -> Result<Option<KeyHolder>, StoreError> {
        self.up().await?.key_holder(client, key).await
    }

    async fn arrive(&self, arrival: NewArrival) -> Result<Arrival, StoreError> {
        self.up().await?.arrive(arrival).await
    }

    async fn arrived(
        &self,
        provider: &ProviderId,
        digest: &str,
    ) -> Result<Option<InboxItem>, StoreError> {
        self.up().await?.arrived(provider, digest).await
    }

    async fn inbox_due(&self, now: Timestamp, limit: u32) -> Result<Vec<InboxItem>, StoreError> {
        self.up().await?.inbox_due(now, limit).await
    }

    async fn inbox_item(&self, id: InboxId) -> Result<Option<InboxItem>, StoreError> {
        self.up().await?.inbox_item(id).await
    }

    async fn set_inbox_state(&self, id: InboxId, state: InboxState) -> Result<(), StoreError> {
        self.up().await?.set_inbox_state(id, state).await
    }

    async fn decide_inbox_state(&self, id: InboxId, state: InboxState) -> Result<bool, StoreError> {
        self.up().await?.decide_inbox_state(id, state).await
    }

    async fn cases(
        &self,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<CaseRow>, StoreError> {
        self.up().await?.cases(cursor, limit).await
    }

    async fn ledger(&self) -> Result<Vec<LedgerBalance>, StoreError> {
        self.up().await?.ledger().await
    }

    async fn overview(&self, now: Timestamp) -> Result<Overview, StoreError> {
        self.up().await?.overview(now).await
    }

    async fn take_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Slot)>, StoreError> {
        self.up().await?.take_due(now, until, limit).await
    }

    async fn take_inbox_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<InboxId>, StoreError> {
        self.up().await?.take_inbox_due(now, until, limit).await
    }

    async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.up().await?.take_lease(name, holder, now, until).await
    }

    async fn give_lease_back(&self, name: &str, holder: &str) -> Result<(), StoreError> {
        self.up().await?.give_lease_back(name, holder).await
    }

    async fn leases(&self, prefix: &str, now: Timestamp) -> Result<Vec<Lease>, StoreError> {
        self.up().await?.leases(prefix, now).await
    }

    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        self.up().await?.outbox(limit).await
    }

    async fn told(&self, numbers: &[i64]) -> Result<(), StoreError> {
        self.up().await?.told(numbers).await
    }

    async fn put_action(&self, action: Action) -> Result<bool, StoreError> {
        self.up().await?.put_action(action).await
    }

    async fn action(&self, id: ActionId) -> Result<Option<Action>, StoreError> {
        self.up().await?.action(id).await
    }

    async fn actions(&self, query: &ActionQuery) -> Result<Page<Action>, StoreError> {
        self.up().await?.actions(query).await
    }

    async fn archive(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.up().await?.archive(before, limit).await
    }

    async fn put_core_request(&self, row: CoreRequestRow) -> Result<bool, StoreError> {
        self.up().await?.put_core_request(row).await
    }

    async fn core_request(
        &self,
        core: &CoreId,
        request: &str,
    ) -> Result<Option<CoreRequestRow>, StoreError> {
        self.up().await?.core_request(core, request).await
    }

    async fn known_core_requests(
        &self,
        core: &CoreId,
        requests: &[String],
    ) -> Result<Vec<CoreRequestRow>, StoreError> {
        self.up().await?.known_core_requests(core, requests).await
    }

    async fn accepted_core_requests(
        &self,
        core: &CoreId,
        limit: u32,
    ) -> Result<Vec<CoreRequestRow>, StoreError> {
        self.up().await?.accepted_core_requests(core, limit).await
    }

    async fn core_requests(
        &self,
        query: &CoreRequestQuery,
    ) -> Result<Page<CoreRequestRow>, StoreError> {
        self.up().await?.core_requests(query).await
    }

    async fn pull_due(&self, now: Timestamp) -> Result<(), StoreError> {
        self.up().await?.pull_due(now).await
    }

    async fn put_hold(&self, hold: kiungo_store::Hold) -> Result<(), StoreError> {
        self.up().await?.put_hold(hold).await
    }

    async fn release_hold(
        &self,
        provider: &ProviderId,
        operation: kiungo_domain::transfer::Operation,
        condition: kiungo_domain::hold::Condition,
    ) -> Result<bool, StoreError> {
        self.up().await?.release_hold(provider, operation, condition).await
    }

    async fn holds(&self) -> Result<Vec<kiungo_store::Hold>, StoreError> {
        self.up().await?.holds().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.up().await?.ping().await
    }
}
