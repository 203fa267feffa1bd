//! The due times in a store in memory.

use async_trait::async_trait;
use kiungo_domain::{Slot, Timestamp, TransferId};

use super::books::Books;
use super::{MemoryStore, count};
use crate::{DueStore, InboxItem, InboxState, StoreError};

#[async_trait]
impl DueStore for MemoryStore {
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

    async fn postpone(
        &self,
        id: TransferId,
        version: u64,
        due: Timestamp,
    ) -> Result<(), StoreError> {
        self.books().postpone(id, version, due);
        Ok(())
    }

    async fn take_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Slot)>, StoreError> {
        Ok(self.books().take_due(now, until, count(limit.min(1_000))))
    }

    async fn pull_due(&self, now: Timestamp) -> Result<(), StoreError> {
        self.books().pull_due(now);
        Ok(())
    }
}

impl Books {
    pub(super) fn pull_due(&mut self, now: Timestamp) {
        let later = self.due.iter().rev().take_while(|(due, ..)| *due > now);
        let ids: Vec<_> = later.map(|(.., id)| *id).collect();
        for id in ids {
            self.move_due(id, now);
        }
        let later = self.inbox_due.iter().rev().take_while(|(due, _)| *due > now);
        let items: Vec<_> = later.copied().collect();
        for (due, id) in items {
            self.inbox_due.remove(&(due, id));
            self.inbox_due.insert((now, id));
            if let Some(InboxItem { state: InboxState::Waiting { due, .. }, .. }) =
                self.inbox.get_mut(&id)
            {
                *due = now;
            }
        }
        self.leases.pull(now);
        for hold in self.holds.values_mut().filter(|hold| hold.probe_at > now) {
            hold.probe_at = now;
            hold.since = hold.since.min(now);
        }
    }

    pub(super) fn postpone(&mut self, id: TransferId, version: u64, due: Timestamp) {
        if self.transfers.get(&id).is_some_and(|record| record.summary.version == version) {
            self.move_due(id, due);
        }
    }

    /// Takes what is due until `until`, the longest due first.
    pub(super) fn take_due(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Vec<(TransferId, Slot)> {
        let due = self.due.iter().take_while(|(due, ..)| *due <= now).take(limit);
        let ids: Vec<_> = due.map(|(.., id)| *id).collect();
        for id in &ids {
            self.move_due(*id, until);
        }
        let slot = |id| self.transfers.get(id).map(|record| (*id, record.slot));
        ids.iter().filter_map(slot).collect()
    }

    fn move_due(&mut self, id: TransferId, due: Timestamp) {
        let Some(record) = self.transfers.get_mut(&id) else { return };
        record.archived = false;
        if let Some(before) = record.due.replace(due) {
            self.due.remove(&(before, record.no, id));
        }
        self.due.insert((due, record.no, id));
    }
}
