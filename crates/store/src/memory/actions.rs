//! The actions of persons in a store in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::page::{Position, page, page_limit};
use crate::{Action, ActionId, ActionQuery, ActionStore, Page, StoreError};

/// The actions in the order of first writes.
#[derive(Debug, Default)]
pub(super) struct Actions(Vec<Action>);

#[async_trait]
impl ActionStore for MemoryStore {
    async fn put_action(&self, action: Action) -> Result<bool, StoreError> {
        Ok(self.books().actions.put(action))
    }

    async fn action(&self, id: ActionId) -> Result<Option<Action>, StoreError> {
        Ok(self.books().actions.get(id))
    }

    async fn actions(&self, query: &ActionQuery) -> Result<Page<Action>, StoreError> {
        self.books().actions.list(query)
    }
}

impl Actions {
    /// True if it was at that version.
    pub(super) fn put(&mut self, action: Action) -> bool {
        let known = self.0.iter_mut().find(|known| known.id == action.id);
        if known.as_ref().map_or(0, |known| known.version) != action.version {
            return false;
        }
        let Action { state, judgement, detail, updated_at, .. } = action.clone();
        match known {
            Some(known) => {
                let version = known.version + 1;
                *known = Action { version, state, judgement, detail, updated_at, ..known.clone() };
            }
            None => self.0.push(Action { version: 1, ..action }),
        }
        true
    }

    pub(super) fn get(&self, id: ActionId) -> Option<Action> {
        self.0.iter().find(|known| known.id == id).cloned()
    }

    pub(super) fn list(&self, query: &ActionQuery) -> Result<Page<Action>, StoreError> {
        let after = Position::<i64>::after(query.cursor.as_ref())?;
        let numbered = self.0.iter().zip(1_i64..);
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
