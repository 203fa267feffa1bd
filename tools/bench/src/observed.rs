//! A store that tells what was committed.

use std::sync::Arc;

use async_trait::async_trait;
use kiungo_domain::transfer::{Entry, Posting};
use kiungo_domain::{CoreId, ProviderId, Receipt, Slot, Timestamp, Transfer, TransferId};
use kiungo_store::{
    Action, ActionId, ActionQuery, Arrival, CaseRow, Change, CollectionQuery, CommitError,
    CoreRequestQuery, CoreRequestRow, Cursor, InboxId, InboxItem, InboxState, KeyHolder, Lease,
    LedgerBalance, NewArrival, OutboxRow, Overview, Page, Store, StoreError, Summary,
    TransferQuery,
};

/// The work that follows once a change is durable.
pub(super) type Sequel = Box<dyn FnOnce() + Send>;

/// An observer of a store.
pub(super) trait Observer: Send + Sync + 'static {
    /// Looks at a change that is about to be committed.
    fn look(self: &Arc<Self>, change: &Change) -> Option<Sequel>;

    /// Looks at what is about to be told to others.
    fn read(&self, _rows: &[OutboxRow]) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// A store with its observer.
pub(super) struct Observed<O> {
    pub(super) store: Arc<dyn Store>,
    pub(super) observer: Arc<O>,
}

#[async_trait]
impl<O: Observer> Store for Observed<O> {
    async fn commit(&self, change: Change) -> Result<(), CommitError> {
        let sequel = self.observer.look(&change);
        let result = self.store.commit(change).await;
        if let (Ok(()), Some(sequel)) = (&result, sequel) {
            sequel();
        }
        result
    }

    async fn transfer(&self, id: TransferId) -> Result<Option<Transfer>, StoreError> {
        self.store.transfer(id).await
    }

    async fn journal(&self, id: TransferId) -> Result<Vec<Entry>, StoreError> {
        self.store.journal(id).await
    }

    async fn postings(&self, id: TransferId) -> Result<Vec<Posting>, StoreError> {
        self.store.postings(id).await
    }

    async fn summary(&self, id: TransferId) -> Result<Option<Summary>, StoreError> {
        self.store.summary(id).await
    }

    async fn search(&self, query: &TransferQuery) -> Result<Page<Summary>, StoreError> {
        self.store.search(query).await
    }

    async fn due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Timestamp)>, StoreError> {
        self.store.due(now, limit).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.store.next_due().await
    }

    async fn holding_accounts(&self) -> Result<Vec<Summary>, StoreError> {
        self.store.holding_accounts().await
    }

    async fn collections(&self, query: &CollectionQuery) -> Result<Vec<TransferId>, StoreError> {
        self.store.collections(query).await
    }

    async fn postpone(
        &self,
        id: TransferId,
        version: u64,
        due: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.postpone(id, version, due).await
    }

    async fn by_receipt(
        &self,
        provider: &ProviderId,
        receipt: &Receipt,
    ) -> Result<Option<TransferId>, StoreError> {
        self.store.by_receipt(provider, receipt).await
    }

    async fn key_holder(&self, client: &str, key: &str) -> Result<Option<KeyHolder>, StoreError> {
        self.store.key_holder(client, key).await
    }

    async fn arrive(&self, arrival: NewArrival) -> Result<Arrival, StoreError> {
        self.store.arrive(arrival).await
    }

    async fn arrived(
        &self,
        provider: &ProviderId,
        digest: &str,
    ) -> Result<Option<InboxItem>, StoreError> {
        self.store.arrived(provider, digest).await
    }

    async fn inbox_due(&self, now: Timestamp, limit: u32) -> Result<Vec<InboxItem>, StoreError> {
        self.store.inbox_due(now, limit).await
    }

    async fn inbox_item(&self, id: InboxId) -> Result<Option<InboxItem>, StoreError> {
        self.store.inbox_item(id).await
    }

    async fn set_inbox_state(&self, id: InboxId, state: InboxState) -> Result<(), StoreError> {
        self.store.set_inbox_state(id, state).await
    }

    async fn decide_inbox_state(&self, id: InboxId, state: InboxState) -> Result<bool, StoreError> {
        self.store.decide_inbox_state(id, state).await
    }

    async fn cases(
        &self,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<CaseRow>, StoreError> {
        self.store.cases(cursor, limit).await
    }

    async fn ledger(&self) -> Result<Vec<LedgerBalance>, StoreError> {
        self.store.ledger().await
    }

    async fn overview(&self, now: Timestamp) -> Result<Overview, StoreError> {
        self.store.overview(now).await
    }

    async fn take_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Slot)>, StoreError> {
        self.store.take_due(now, until, limit).await
    }

    async fn take_inbox_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<InboxId>, StoreError> {
        self.store.take_inbox_due(now, until, limit).await
    }

    async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.store.take_lease(name, holder, now, until).await
    }

    async fn give_lease_back(&self, name: &str, holder: &str) -> Result<(), StoreError> {
        self.store.give_lease_back(name, holder).await
    }

    async fn leases(&self, prefix: &str, now: Timestamp) -> Result<Vec<Lease>, StoreError> {
        self.store.leases(prefix, now).await
    }

    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let rows = self.store.outbox(limit).await?;
        self.observer.read(&rows).await;
        Ok(rows)
    }

    async fn told(&self, numbers: &[i64]) -> Result<(), StoreError> {
        self.store.told(numbers).await
    }

    async fn put_action(&self, action: Action) -> Result<bool, StoreError> {
        self.store.put_action(action).await
    }

    async fn action(&self, id: ActionId) -> Result<Option<Action>, StoreError> {
        self.store.action(id).await
    }

    async fn actions(&self, query: &ActionQuery) -> Result<Page<Action>, StoreError> {
        self.store.actions(query).await
    }

    async fn archive(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.store.archive(before, limit).await
    }

    async fn put_core_request(&self, row: CoreRequestRow) -> Result<bool, StoreError> {
        self.store.put_core_request(row).await
    }

    async fn core_request(
        &self,
        core: &CoreId,
        request: &str,
    ) -> Result<Option<CoreRequestRow>, StoreError> {
        self.store.core_request(core, request).await
    }

    async fn known_core_requests(
        &self,
        core: &CoreId,
        requests: &[String],
    ) -> Result<Vec<CoreRequestRow>, StoreError> {
        self.store.known_core_requests(core, requests).await
    }

    async fn accepted_core_requests(
        &self,
        core: &CoreId,
        limit: u32,
    ) -> Result<Vec<CoreRequestRow>, StoreError> {
        self.store.accepted_core_requests(core, limit).await
    }

    async fn core_requests(
        &self,
        query: &CoreRequestQuery,
    ) -> Result<Page<CoreRequestRow>, StoreError> {
        self.store.core_requests(query).await
    }

    async fn pull_due(&self, now: Timestamp) -> Result<(), StoreError> {
        self.store.pull_due(now).await
    }

    async fn put_hold(&self, hold: kiungo_store::Hold) -> Result<(), StoreError> {
        self.store.put_hold(hold).await
    }

    async fn release_hold(
        &self,
        provider: &ProviderId,
        operation: kiungo_domain::transfer::Operation,
        condition: kiungo_domain::hold::Condition,
    ) -> Result<bool, StoreError> {
        self.store.release_hold(provider, operation, condition).await
    }

    async fn holds(&self) -> Result<Vec<kiungo_store::Hold>, StoreError> {
        self.store.holds().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }
}
