//! The due times of transfers.

use async_trait::async_trait;
use kiungo_domain::{Slot, Timestamp, TransferId};
use kiungo_store::{DueStore, StoreError, codec};

use super::read;
use super::session::{Parameter, Readers};
use super::store::{SqlStore, time};
use crate::batch::committer::unrefused;
use crate::batch::maintenance::{Maintenance, MaintenanceResult, Taking};
use crate::batch::request::Request;

#[async_trait]
impl<R: Readers> DueStore for SqlStore<R> {
    async fn due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Timestamp)>, StoreError> {
        let rows = self.readers.rows(self.readers.statements().due, until(now, limit)).await?;
        let due =
            |row: &R::Row| Ok((codec::transfer_id(read::text(row, 0)?)?, read::time(row, 1)?));
        rows.iter().map(due).collect()
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.time(self.readers.statements().next_due, Vec::new()).await
    }

    async fn postpone(
        &self,
        id: TransferId,
        version: u64,
        due: Timestamp,
    ) -> Result<(), StoreError> {
        unrefused(self.committer.ask(Request::Postpone { id, version, due }).await).map(drop)
    }

    async fn take_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Slot)>, StoreError> {
        match self.committer.maintenance(Maintenance::TakeDue(Taking { now, until, limit })).await?
        {
            MaintenanceResult::Transfers(taken) => Ok(taken),
            other => Err(strange(&other)),
        }
    }

    async fn pull_due(&self, now: Timestamp) -> Result<(), StoreError> {
        self.committer.maintenance(Maintenance::PullDue(now)).await.map(drop)
    }
}

/// The parameters of a statement that finds what is due.
pub(super) fn until(now: Timestamp, limit: u32) -> Vec<Parameter> {
    vec![time(now), Parameter::Integer(i64::from(limit))]
}

/// The error about a maintenance task that brought the result of another one.
pub(super) fn strange(brought: &MaintenanceResult) -> StoreError {
    StoreError::Corrupt(format!("a maintenance task brought {brought:?}"))
}
