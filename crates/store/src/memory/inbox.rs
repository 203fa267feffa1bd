//! The inbox of a store in memory.

use async_trait::async_trait;
use kiungo_domain::{ProviderId, Timestamp};

use super::books::Books;
use super::{MemoryStore, count};
use crate::page::inbox_subject;
use crate::{Arrival, CaseRow, InboxId, InboxItem, InboxState, InboxStore, NewArrival, StoreError};

#[async_trait]
impl InboxStore for MemoryStore {
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

    async fn take_inbox_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<InboxId>, StoreError> {
        Ok(self.books().take_inbox_due(now, until, count(limit.min(1_000))))
    }
}

impl Books {
    pub(super) fn item(&self, id: InboxId) -> Result<&InboxItem, StoreError> {
        self.inbox.get(&id).ok_or_else(|| no_item(id))
    }

    pub(super) fn arrive(&mut self, arrival: NewArrival) -> Arrival {
        let NewArrival { provider, digest, head, body, at } = arrival;
        let name = (provider.clone(), digest);
        if let Some(id) = self.digests.get(&name) {
            if let Some(item) = self.inbox.get_mut(id) {
                item.arrivals = item.arrivals.saturating_add(1);
            }
            return Arrival::Seen(*id);
        }
        let last = self.inbox.last_key_value().map_or(0, |(id, _)| id.0);
        let id = InboxId(last + 1);
        let state = InboxState::waiting(at);
        let (arrivals, attempts) = (1, 0);
        self.digests.insert(name, id);
        self.inbox
            .insert(id, InboxItem { id, provider, head, body, at, arrivals, attempts, state });
        self.inbox_due.insert((at, id));
        Arrival::New(id)
    }

    pub(super) fn inbox_due(&self, now: Timestamp, limit: usize) -> Vec<InboxItem> {
        let due = self.inbox_due.iter().take_while(|(due, _)| *due <= now).take(limit);
        due.filter_map(|(_, id)| self.inbox.get(id).cloned()).collect()
    }

    /// Takes what is due until `until`, the longest due first.
    pub(super) fn take_inbox_due(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Vec<InboxId> {
        let due = self.inbox_due.iter().take_while(|(due, _)| *due <= now).take(limit);
        let taken: Vec<_> = due.copied().collect();
        for (due, id) in &taken {
            self.inbox_due.remove(&(*due, *id));
            self.inbox_due.insert((until, *id));
            if let Some(InboxItem { state: InboxState::Waiting { due, .. }, .. }) =
                self.inbox.get_mut(id)
            {
                *due = until;
            }
        }
        taken.into_iter().map(|(_, id)| id).collect()
    }

    /// Moves an inbox item. One that is handled stays handled.
    pub(super) fn set_inbox_state(
        &mut self,
        id: InboxId,
        state: &InboxState,
    ) -> Result<(), StoreError> {
        let item = self.inbox.get_mut(&id).ok_or_else(|| no_item(id))?;
        match &item.state {
            InboxState::Handled { .. } => return Ok(()),
            InboxState::Waiting { due, .. } => drop(self.inbox_due.remove(&(*due, id))),
            InboxState::Quarantined { .. } => {}
        }
        item.state = state.clone();
        let (provider, opened_at) = (item.provider.clone(), item.at);
        let subject = inbox_subject(id);
        let case = state.case().map(|(kind, detail)| (kind, detail.to_owned()));
        if let InboxState::Waiting { due, .. } = *state {
            item.attempts = item.attempts.saturating_add(1);
            self.inbox_due.insert((due, id));
        }
        match case {
            Some((kind, detail)) => {
                let (transfer, inbox, step) = (None, Some(id), None);
                let operation = None;
                let row =
                    CaseRow { transfer, inbox, kind, step, operation, detail, provider, opened_at };
                self.open_case(subject, row);
            }
            None => self.close_case(&subject),
        }
        Ok(())
    }
}

fn no_item(id: InboxId) -> StoreError {
    StoreError::Corrupt(format!("there is no inbox item {id}"))
}
