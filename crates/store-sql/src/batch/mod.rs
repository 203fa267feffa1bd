//! Group commit, for any database: the requests that wait are taken together, judged against the
//! stored state, and written in one transaction by a handful of set-based statements.
//!
//! A database supplies a [`Backend`]. All decisions are here.
//!
//! * [`request`]: the requests
//! * [`read_set`]: the rows that a batch is validated against
//! * [`validation`]: the refusals, and the rows that the other requests write
//! * [`rows`], [`table`]: the rows to write, by table
//! * [`maintenance`]: the work between two batches
//! * [`committer`]: the task that takes, writes, and answers

pub(crate) mod committer;
pub(crate) mod maintenance;
pub(crate) mod read_set;
pub(crate) mod request;
pub(crate) mod rows;
pub(crate) mod table;
pub(crate) mod validation;

use async_trait::async_trait;

use kiungo_store::StoreError;
use maintenance::{Maintenance, MaintenanceResult};
use read_set::{ReadSet, Wanted};
use rows::Rows;

/// The operations of a database that the committer uses. One transaction at a time.
#[async_trait]
pub(crate) trait Backend: Send + 'static {
    /// Begins a transaction that may write.
    async fn begin(&mut self) -> Result<(), BackendError>;
    /// Reads what is wanted, in the transaction, and keeps others from changing it until its end.
    /// A transfer that is wanted leaves the archive.
    async fn read_set(&mut self, wanted: &Wanted) -> Result<ReadSet, BackendError>;
    /// Writes the rows, in the transaction.
    async fn write(&mut self, rows: &Rows) -> Result<(), BackendError>;
    /// Runs a maintenance task, in the transaction.
    async fn maintenance(
        &mut self,
        maintenance: &Maintenance,
    ) -> Result<MaintenanceResult, BackendError>;
    /// Commits. When this returns `Ok`, everything survives a power cut.
    async fn commit(&mut self) -> Result<(), BackendError>;
    /// Gives the transaction up, and the connection too if it is no longer usable.
    async fn rollback(&mut self);
    /// Leaves the database tidy.
    async fn close(&mut self);
}

/// The reason that a transaction failed.
#[derive(Debug, Clone)]
pub(crate) enum BackendError {
    /// The database, or the disk below it. After a commit, whether it was applied is not known.
    Store(StoreError),
    /// The content of some row: the others of the batch are to be tried without it.
    Row(StoreError),
    /// Surely nothing was applied, and the same may succeed if it is tried again: another process
    /// was quicker, or the connection broke before the commit.
    Again(StoreError),
}

impl BackendError {
    pub(crate) fn into_store(self) -> StoreError {
        match self {
            Self::Store(error) | Self::Row(error) | Self::Again(error) => error,
        }
    }
}
