//! The coordination state of a store in memory, which only one process uses: the outbox, the
//! leases, the actions of persons.

use std::collections::BTreeMap;

use kiungo_domain::Timestamp;
use kiungo_domain::transfer::{Decision, Event, Status};

use crate::lease::{cleared_before, longest_lease};
use crate::page::{Position, page, page_limit};
use crate::{
    Action, ActionId, ActionQuery, Lease, OutboxEvent, OutboxRow, Page, StoreError, Summary,
};

#[derive(Debug, Default)]
pub(super) struct Desk {
    /// True if an outbox is kept.
    pub(super) tells: bool,
    pub(super) outbox: BTreeMap<i64, OutboxRow>,
    /// The number that was given last.
    last_no: i64,
    leases: BTreeMap<String, Lease>,
    /// In the order of first writes.
    actions: Vec<Action>,
}

impl Desk {
    /// The outbox rows that a decision leads to, about a transfer that had this status before.
    pub(super) fn news(
        &self,
        before: Option<Status>,
        decision: &Decision,
    ) -> Vec<(Timestamp, OutboxEvent, Summary)> {
        if !self.tells {
            return Vec::new();
        }
        let summary = Summary::of(&decision.transfer);
        let mut news = Vec::new();
        if before != Some(summary.status) {
            news.push((summary.updated_at, OutboxEvent::Status, summary.clone()));
        }
        for entry in &decision.entries {
            if let Event::CaseOpened { case, detail, .. } = &entry.event {
                let opened = OutboxEvent::CaseOpened { kind: *case, detail: detail.clone() };
                news.push((entry.at, opened, summary.clone()));
            }
        }
        news
    }

    pub(super) fn tell(&mut self, news: Vec<(Timestamp, OutboxEvent, Summary)>) {
        for (at, news, transfer) in news {
            self.last_no += 1;
            let no = self.last_no;
            self.outbox.insert(no, OutboxRow { no, at, news, transfer });
        }
    }

    /// Shortens every lease to the longest that may remain after the clock was set back to `now`.
    pub(super) fn pull_leases(&mut self, now: Timestamp) {
        for lease in self.leases.values_mut() {
            lease.until = lease.until.min(longest_lease(now));
        }
    }

    /// Returns true if `holder` has the lease afterwards.
    pub(super) fn take_lease(
        &mut self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> bool {
        let known = self.leases.get(name);
        if known.is_some_and(|lease| lease.holder != holder && lease.until > now) {
            return false;
        }
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.leases.insert(name.clone(), Lease { name, holder, until });
        self.leases.retain(|_, lease| lease.until >= cleared_before(now));
        true
    }

    pub(super) fn give_lease_back(&mut self, name: &str, holder: &str) {
        if self.leases.get(name).is_some_and(|lease| lease.holder == holder) {
            self.leases.remove(name);
        }
    }

    pub(super) fn leases(&self, prefix: &str, now: Timestamp, limit: usize) -> Vec<Lease> {
        let named = self.leases.values().filter(|lease| lease.name.starts_with(prefix));
        named.filter(|lease| lease.until > now).take(limit).cloned().collect()
    }

    /// True if it was at that version.
    pub(super) fn put_action(&mut self, action: Action) -> bool {
        let known = self.actions.iter_mut().find(|known| known.id == action.id);
        if known.as_ref().map_or(0, |known| known.version) != action.version {
            return false;
        }
        let Action { state, judgement, detail, updated_at, .. } = action.clone();
        match known {
            Some(known) => {
                let version = known.version + 1;
                *known = Action { version, state, judgement, detail, updated_at, ..known.clone() };
            }
            None => self.actions.push(Action { version: 1, ..action }),
        }
        true
    }

    pub(super) fn action(&self, id: ActionId) -> Option<Action> {
        self.actions.iter().find(|known| known.id == id).cloned()
    }

    pub(super) fn list_actions(&self, query: &ActionQuery) -> Result<Page<Action>, StoreError> {
        let after = Position::<i64>::after(query.cursor.as_ref())?;
        let numbered = self.actions.iter().zip(1_i64..);
        let fits = |(action, no): &(&Action, i64)| {
            (!query.open || action.state.is_open())
                && after.as_ref().is_none_or(|after| (action.at, *no) < (after.at, after.key))
        };
        let mut rows: Vec<_> = numbered
            .filter(fits)
            .map(|(action, no)| (Position { at: action.at, key: no }, action.clone()))
            .collect();
        rows.sort_by_key(|(position, _)| std::cmp::Reverse((position.at, position.key)));
        Ok(page(rows, page_limit(query.limit)))
    }
}
