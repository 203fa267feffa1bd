//! The transfers, as they are committed and read back.

use async_trait::async_trait;
use kiungo_domain::transfer::{Entry, Posting};
use kiungo_domain::{ProviderId, Receipt, Transfer, TransferId};

use crate::{Change, CollectionQuery, CommitError, KeyHolder, StoreError, Summary};

/// The one way in for decisions about transfers (rule 10). Only the committer of the engine holds
/// it: whoever holds [`TransferStore`] or [`Records`](crate::Records) reads.
#[async_trait]
pub trait TransferCommits: Send + Sync {
    /// Commits a change: events, projection, postings, receipts, idempotency key, handled inbox
    /// item, due time, and what the transfer uses of a day's limits. When this returns `Ok`, all of
    /// it survives a power cut; when it returns an error, none of it was applied, except after
    /// [`StoreError`], where one cannot know: read the transfer again.
    async fn commit(&self, change: Change) -> Result<(), CommitError>;
}

/// The transfers: their journal, their projection, and what only one of them may have.
#[async_trait]
pub trait TransferStore: Send + Sync {
    /// The transfer, folded from its journal.
    async fn transfer(&self, id: TransferId) -> Result<Option<Transfer>, StoreError>;

    /// The journal of a transfer in order; empty if there is none.
    async fn journal(&self, id: TransferId) -> Result<Vec<Entry>, StoreError>;

    /// The ledger postings of a transfer in order.
    async fn postings(&self, id: TransferId) -> Result<Vec<Posting>, StoreError>;

    /// The projection of a transfer.
    async fn summary(&self, id: TransferId) -> Result<Option<Summary>, StoreError>;

    /// The transfer that owns a receipt (rule 7).
    async fn by_receipt(
        &self,
        provider: &ProviderId,
        receipt: &Receipt,
    ) -> Result<Option<TransferId>, StoreError>;

    /// The holder of an idempotency key.
    async fn key_holder(&self, client: &str, key: &str) -> Result<Option<KeyHolder>, StoreError>;

    /// The collections under way that we have begun, that have no receipt yet, and that fit the
    /// query, by their ids: all of them, found by an index.
    async fn collections(&self, query: &CollectionQuery) -> Result<Vec<TransferId>, StoreError>;

    /// Every transfer whose [`Summary::holds_account`] is set: read at start, to keep others off
    /// those accounts (rule 11). Few, and found by an index.
    async fn holding_accounts(&self) -> Result<Vec<Summary>, StoreError>;
}
