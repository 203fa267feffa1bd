//! The outbox of a store in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use kiungo_domain::Timestamp;
use kiungo_domain::transfer::{Decision, Event, Status};

use super::{MemoryStore, count};
use crate::{OutboxEvent, OutboxRow, OutboxStore, StoreError, Summary, outbox};

#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// True if an outbox is kept.
    pub(super) is_kept: bool,
    rows: BTreeMap<i64, OutboxRow>,
    /// The number that was given last.
    last_no: i64,
}

#[async_trait]
impl OutboxStore for MemoryStore {
    async fn outbox_rows(&self, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let limit = count(limit.min(outbox::READ_MAX));
        Ok(self.books().outbox.rows.values().take(limit).cloned().collect())
    }

    async fn mark_published(&self, numbers: &[i64]) -> Result<(), StoreError> {
        let mut books = self.books();
        for no in numbers {
            books.outbox.rows.remove(no);
        }
        Ok(())
    }
}

impl Outbox {
    /// The outbox rows that a decision leads to, about a transfer that had this status before.
    pub(super) fn events(
        &self,
        before: Option<Status>,
        decision: &Decision,
    ) -> Vec<(Timestamp, OutboxEvent, Summary)> {
        if !self.is_kept {
            return Vec::new();
        }
        let summary = Summary::of(&decision.transfer);
        let mut events = Vec::new();
        if before != Some(summary.status) {
            events.push((summary.updated_at, OutboxEvent::Status, summary.clone()));
        }
        for entry in &decision.entries {
            if let Event::CaseOpened { case, detail, .. } = &entry.event {
                let opened = OutboxEvent::CaseOpened { kind: *case, detail: detail.clone() };
                events.push((entry.at, opened, summary.clone()));
            }
        }
        events
    }

    pub(super) fn tell(&mut self, events: Vec<(Timestamp, OutboxEvent, Summary)>) {
        for (at, event, transfer) in events {
            self.last_no += 1;
            let no = self.last_no;
            self.rows.insert(no, OutboxRow { no, at, event, transfer });
        }
    }
}
