//! The archive of a store in memory: a mark on what was settled, for the comparison of random
//! stories with those of a database.

use async_trait::async_trait;
use kiungo_domain::Timestamp;

use super::books::{Books, Record};
use super::{MemoryStore, count};
use crate::{ArchiveStore, StoreError};

#[async_trait]
impl ArchiveStore for MemoryStore {
    async fn archive(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        Ok(self.books().archive(before, count(limit.min(1_000))))
    }
}

impl Books {
    pub(super) fn archive(&mut self, before: Timestamp, limit: usize) -> u64 {
        let newest = i64::try_from(self.transfers.len()).unwrap_or(i64::MAX);
        let old = self.received.iter().take_while(|(at, ..)| *at < before);
        let settled = old.filter(|(_, no, id)| {
            let record = self.transfers.get(id);
            *no < newest && record.is_some_and(|record| record.is_settled(before))
        });
        let ids: Vec<_> = settled.take(limit).map(|(.., id)| *id).collect();
        for id in &ids {
            if let Some(record) = self.transfers.get_mut(id) {
                record.archived = true;
            }
        }
        ids.len() as u64
    }
}

impl Record {
    /// True if it may be moved into the archive.
    fn is_settled(&self, before: Timestamp) -> bool {
        let summary = &self.summary;
        !self.archived
            && summary.status.is_final()
            && summary.updated_at < before
            && summary.case.is_none()
            && !summary.holds_account
            && summary.unknown_since.is_none()
            && self.due.is_none()
    }
}
