//! The transfers of a store in memory.

use async_trait::async_trait;
use kiungo_domain::transfer::{Entry, Posting};
use kiungo_domain::{ProviderId, Receipt, Transfer, TransferId};

use super::MemoryStore;
use super::books::Books;
use crate::{
    Change, CollectionQuery, CommitError, KeyHolder, StoreError, Summary, TransferCommits,
    TransferStore, check,
};

#[async_trait]
impl TransferCommits for MemoryStore {
    async fn commit(&self, change: Change) -> Result<(), CommitError> {
        let mut books = self.books();
        books.refuse(&change)?;
        if self.audited {
            books.audit(&change.decision)?;
        }
        books.apply(change)?;
        Ok(())
    }
}

#[async_trait]
impl TransferStore for MemoryStore {
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

    async fn collections(&self, query: &CollectionQuery) -> Result<Vec<TransferId>, StoreError> {
        Ok(self.books().collections(query))
    }

    async fn holding_accounts(&self) -> Result<Vec<Summary>, StoreError> {
        let books = self.books();
        let holding = books.holding_accounts.iter();
        Ok(holding
            .filter_map(|(_, id)| books.transfers.get(id).map(|record| record.summary.clone()))
            .collect())
    }
}

impl Books {
    pub(super) fn collections(&self, query: &CollectionQuery) -> Vec<TransferId> {
        let label = query.label.as_ref().map(|label| label.to_ascii_uppercase());
        let fits = |summary: &Summary| {
            let collecting = summary.collecting();
            collecting.is_some_and(|collecting| {
                summary.provider == query.provider
                    && summary.amount == query.amount
                    && (query.msisdn.is_none() || query.msisdn == summary.msisdn)
                    && (label.is_none() || label == collecting.label)
            })
        };
        let open = self.open.iter().filter_map(|(_, id)| self.transfers.get(id));
        let found = open.filter(|record| fits(&record.summary));
        let mut found: Vec<_> = found.map(|record| record.summary.id).collect();
        found.sort_unstable();
        found
    }
}
