//! The outbox: rows out, and rows removed.

use async_trait::async_trait;
use kiungo_store::outbox::READ_MAX;
use kiungo_store::{OutboxRow, OutboxStore, StoreError};

use super::read;
use super::session::{Parameter, Readers};
use super::store::SqlStore;
use crate::batch::maintenance::Maintenance;

#[async_trait]
impl<R: Readers> OutboxStore for SqlStore<R> {
    async fn outbox_rows(&self, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let limit = vec![Parameter::Integer(i64::from(limit.min(READ_MAX)))];
        let rows = self.readers.rows(self.readers.statements().outbox, limit).await?;
        rows.iter().map(read::outgoing).collect()
    }

    async fn mark_published(&self, numbers: &[i64]) -> Result<(), StoreError> {
        for numbers in numbers.chunks(READ_MAX as usize) {
            self.committer.maintenance(Maintenance::MarkPublished(numbers.to_vec())).await?;
        }
        Ok(())
    }
}
