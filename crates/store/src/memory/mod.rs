//! A store in memory, for the simulated world and for tests: complete, deterministic, and, when
//! asked, its own auditor at every commit (rule 14).
//!
//! It shares neither tables nor the committer with the databases, so that the contract suite
//! compares two independent readings of what a store does.

mod audit;
mod books;
mod desk;
mod inbox;
mod requests;
mod search;

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use kiungo_domain::hold::Condition;
use kiungo_domain::transfer::{Entry, Operation, Posting};
use kiungo_domain::{CoreId, ProviderId, Receipt, Slot, Timestamp, Transfer, TransferId};

use crate::{
    Action, ActionId, ActionQuery, Arrival, CaseRow, Change, CollectionQuery, CommitError,
    CoreRequestQuery, CoreRequestRow, Cursor, Hold, InboxId, InboxItem, InboxState, KeyHolder,
    Lease, LedgerBalance, NewArrival, OutboxRow, Overview, Page, Store, StoreError, Summary,
    TransferQuery, check, lease, outbox,
};
use books::Books;

/// A store in memory. Its contents end with it.
#[derive(Debug, Default)]
pub struct MemoryStore {
    books: Mutex<Books>,
    audited: bool,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store that audits every commit before it applies it: the journal folds to the
    /// transfer that was decided, postings sum to zero, and for each provider and currency the
    /// transit account equals the money in transit of all transfers, and the suspense account the
    /// amounts of the suspended ones; and no two transfers hold one core account. A violation is
    /// [`StoreError::Corrupt`] and changes nothing.
    pub fn audited() -> Self {
        Self { books: Mutex::default(), audited: true }
    }

    /// The same store, but what becomes known is written to its outbox.
    #[must_use]
    pub fn with_outbox(self) -> Self {
        self.books().desk.tells = true;
        self
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit(&self, change: Change) -> Result<(), CommitError> {
        let mut books = self.books();
        books.refuse(&change)?;
        if self.audited {
            books.audit(&change.decision)?;
        }
        books.apply(change)?;
        Ok(())
    }

    async fn transfer(&self, id: TransferId) -> Result<Option<Transfer>, StoreError> {
        let books = self.books();
        let Some(record) = books.transfers.get(&id) else { return Ok(None) };
        check::fold(id, &record.journal)
    }

    async fn journal(&self, id: TransferId) -> Result<Vec<Entry>, StoreError> {
        let books = self.books();
        Ok(books.transfers.get(&id).map(|record| record.journal.clone()).unwrap_or_default())
    }

    async fn postings(&self, id: TransferId) -> Result<Vec<Posting>, StoreError> {
        let books = self.books();
        Ok(books.transfers.get(&id).map(|record| record.postings.clone()).unwrap_or_default())
    }

    async fn summary(&self, id: TransferId) -> Result<Option<Summary>, StoreError> {
        Ok(self.books().transfers.get(&id).map(|record| record.summary.clone()))
    }

    async fn search(&self, query: &TransferQuery) -> Result<Page<Summary>, StoreError> {
        self.books().search(query)
    }

    async fn due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Timestamp)>, StoreError> {
        let books = self.books();
        let due = books.due.iter().take_while(|(due, ..)| *due <= now);
        Ok(due.take(count(limit)).map(|(due, _, id)| (*id, *due)).collect())
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let books = self.books();
        let transfer = books.due.first().map(|(due, ..)| *due);
        let arrival = books.inbox_due.first().map(|(due, _)| *due);
        Ok(transfer.into_iter().chain(arrival).min())
    }

    async fn holding_accounts(&self) -> Result<Vec<Summary>, StoreError> {
        let books = self.books();
        let holding = books.holding_accounts.iter();
        Ok(holding
            .filter_map(|(_, id)| books.transfers.get(id).map(|record| record.summary.clone()))
            .collect())
    }

    async fn collections(&self, query: &CollectionQuery) -> Result<Vec<TransferId>, StoreError> {
        Ok(self.books().collections(query))
    }

    async fn postpone(
        &self,
        id: TransferId,
        version: u64,
        due: Timestamp,
    ) -> Result<(), StoreError> {
        self.books().postpone(id, version, due);
        Ok(())
    }

    async fn by_receipt(
        &self,
        provider: &ProviderId,
        receipt: &Receipt,
    ) -> Result<Option<TransferId>, StoreError> {
        let name = (receipt.clone(), provider.clone());
        Ok(self.books().receipts.get(&name).copied())
    }

    async fn key_holder(&self, client: &str, key: &str) -> Result<Option<KeyHolder>, StoreError> {
        Ok(self.books().keys.get(&(client.to_owned(), key.to_owned())).cloned())
    }

    async fn arrive(&self, arrival: NewArrival) -> Result<Arrival, StoreError> {
        Ok(self.books().arrive(arrival))
    }

    async fn arrived(
        &self,
        provider: &ProviderId,
        digest: &str,
    ) -> Result<Option<InboxItem>, StoreError> {
        let books = self.books();
        let id = books.digests.get(&(provider.clone(), digest.to_owned()));
        Ok(id.and_then(|id| books.inbox.get(id)).cloned())
    }

    async fn inbox_due(&self, now: Timestamp, limit: u32) -> Result<Vec<InboxItem>, StoreError> {
        Ok(self.books().inbox_due(now, count(limit)))
    }

    async fn inbox_item(&self, id: InboxId) -> Result<Option<InboxItem>, StoreError> {
        Ok(self.books().inbox.get(&id).cloned())
    }

    async fn set_inbox_state(&self, id: InboxId, state: InboxState) -> Result<(), StoreError> {
        self.books().set_inbox_state(id, &state)
    }

    async fn decide_inbox_state(&self, id: InboxId, state: InboxState) -> Result<bool, StoreError> {
        let mut books = self.books();
        let called = books.item(id)?.state.case().is_some();
        if called {
            books.set_inbox_state(id, &state)?;
        }
        Ok(called)
    }

    async fn cases(
        &self,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<CaseRow>, StoreError> {
        self.books().list_cases(cursor, limit)
    }

    async fn ledger(&self) -> Result<Vec<LedgerBalance>, StoreError> {
        let books = self.books();
        let balances = books.ledger.iter().map(|((account, currency), minor)| LedgerBalance {
            account: account.clone(),
            currency: *currency,
            minor: *minor,
        });
        Ok(balances.collect())
    }

    async fn overview(&self, now: Timestamp) -> Result<Overview, StoreError> {
        self.books().overview(now)
    }

    async fn archive(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        Ok(self.books().archive(before, count(limit.min(1_000))))
    }

    async fn take_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Slot)>, StoreError> {
        Ok(self.books().take_due(now, until, count(limit.min(1_000))))
    }

    async fn take_inbox_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<InboxId>, StoreError> {
        Ok(self.books().take_inbox_due(now, until, count(limit.min(1_000))))
    }

    async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        lease::check_names(name, holder)?;
        Ok(self.books().desk.take_lease(name, holder, now, until))
    }

    async fn give_lease_back(&self, name: &str, holder: &str) -> Result<(), StoreError> {
        self.books().desk.give_lease_back(name, holder);
        Ok(())
    }

    async fn leases(&self, prefix: &str, now: Timestamp) -> Result<Vec<Lease>, StoreError> {
        Ok(self.books().desk.leases(prefix, now, count(lease::LISTED_MAX)))
    }

    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let limit = count(limit.min(outbox::READ_MAX));
        Ok(self.books().desk.outbox.values().take(limit).cloned().collect())
    }

    async fn told(&self, numbers: &[i64]) -> Result<(), StoreError> {
        let mut books = self.books();
        for no in numbers {
            books.desk.outbox.remove(no);
        }
        Ok(())
    }

    async fn put_action(&self, action: Action) -> Result<bool, StoreError> {
        Ok(self.books().desk.put_action(action))
    }

    async fn action(&self, id: ActionId) -> Result<Option<Action>, StoreError> {
        Ok(self.books().desk.action(id))
    }

    async fn actions(&self, query: &ActionQuery) -> Result<Page<Action>, StoreError> {
        self.books().desk.list_actions(query)
    }

    async fn put_core_request(&self, row: CoreRequestRow) -> Result<bool, StoreError> {
        Ok(self.books().put_core_request(&row))
    }

    async fn core_request(
        &self,
        core: &CoreId,
        request: &str,
    ) -> Result<Option<CoreRequestRow>, StoreError> {
        Ok(self.books().core_request(core, request))
    }

    async fn known_core_requests(
        &self,
        core: &CoreId,
        requests: &[String],
    ) -> Result<Vec<CoreRequestRow>, StoreError> {
        let books = self.books();
        Ok(requests.iter().filter_map(|request| books.core_request(core, request)).collect())
    }

    async fn accepted_core_requests(
        &self,
        core: &CoreId,
        limit: u32,
    ) -> Result<Vec<CoreRequestRow>, StoreError> {
        Ok(self.books().accepted_core_requests(core, crate::page::page_limit(limit)))
    }

    async fn core_requests(
        &self,
        query: &CoreRequestQuery,
    ) -> Result<Page<CoreRequestRow>, StoreError> {
        self.books().list_core_requests(query)
    }

    async fn pull_due(&self, now: Timestamp) -> Result<(), StoreError> {
        self.books().pull_due(now);
        Ok(())
    }

    async fn put_hold(&self, hold: Hold) -> Result<(), StoreError> {
        self.books().put_hold(hold);
        Ok(())
    }

    async fn release_hold(
        &self,
        provider: &ProviderId,
        operation: Operation,
        condition: Condition,
    ) -> Result<bool, StoreError> {
        Ok(self.books().release_hold(provider, operation, condition))
    }

    async fn holds(&self) -> Result<Vec<Hold>, StoreError> {
        Ok(self.books().holds.values().cloned().collect())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}
