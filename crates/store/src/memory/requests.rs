//! The requests of cores in a store in memory.

use async_trait::async_trait;
use kiungo_domain::CoreId;

use super::MemoryStore;
use super::books::Books;
use crate::page::{Position, page, page_limit};
use crate::{
    CoreRequestQuery, CoreRequestRow, CoreRequestState, CoreRequestStore, Page, StoreError,
};

/// A row with its number in the order of first writes.
#[derive(Debug)]
pub(super) struct Numbered {
    no: i64,
    row: CoreRequestRow,
}

#[async_trait]
impl CoreRequestStore for MemoryStore {
    async fn put_core_request(&self, row: CoreRequestRow) -> Result<bool, StoreError> {
        Ok(self.books().put_core_request(&row))
    }

    async fn core_request(
        &self,
        core: &CoreId,
        request: &str,
    ) -> Result<Option<CoreRequestRow>, StoreError> {
        Ok(self.books().core_request(core, request))
    }

    async fn known_core_requests(
        &self,
        core: &CoreId,
        requests: &[String],
    ) -> Result<Vec<CoreRequestRow>, StoreError> {
        let books = self.books();
        Ok(requests.iter().filter_map(|request| books.core_request(core, request)).collect())
    }

    async fn accepted_core_requests(
        &self,
        core: &CoreId,
        limit: u32,
    ) -> Result<Vec<CoreRequestRow>, StoreError> {
        Ok(self.books().accepted_core_requests(core, page_limit(limit)))
    }

    async fn core_requests(
        &self,
        query: &CoreRequestQuery,
    ) -> Result<Page<CoreRequestRow>, StoreError> {
        self.books().list_core_requests(query)
    }
}

impl Books {
    pub(super) fn put_core_request(&mut self, row: &CoreRequestRow) -> bool {
        let name = (row.core.clone(), row.request.clone());
        let known = self.core_requests.get(&name);
        if known.map_or(0, |known| known.row.version) != row.version {
            return false;
        }
        let next = i64::try_from(self.core_requests.len()).unwrap_or(i64::MAX);
        let no = known.map_or(next, |known| known.no);
        let mut row = row.clone();
        row.version += 1;
        if let Some(known) = known {
            row.heard_at = known.row.heard_at;
        }
        self.core_requests.insert(name, Numbered { no, row });
        true
    }

    pub(super) fn core_request(&self, core: &CoreId, request: &str) -> Option<CoreRequestRow> {
        let name = (core.clone(), request.to_owned());
        self.core_requests.get(&name).map(|known| known.row.clone())
    }

    pub(super) fn accepted_core_requests(
        &self,
        core: &CoreId,
        limit: usize,
    ) -> Vec<CoreRequestRow> {
        let accepted =
            |row: &&CoreRequestRow| row.core == *core && row.state == CoreRequestState::Accepted;
        let rows = self.core_requests.values().map(|known| &known.row);
        let mut rows: Vec<_> = rows.filter(accepted).cloned().collect();
        rows.sort_by_key(|row| row.updated_at);
        rows.truncate(limit);
        rows
    }

    pub(super) fn list_core_requests(
        &self,
        query: &CoreRequestQuery,
    ) -> Result<Page<CoreRequestRow>, StoreError> {
        let after = Position::<i64>::after(query.cursor.as_ref())?;
        let fits = |row: &CoreRequestRow, no: i64| {
            (!query.waiting || row.state.waits_for_a_person())
                && query.core.as_ref().is_none_or(|core| row.core == *core)
                && after.as_ref().is_none_or(|after| (row.heard_at, no) < (after.at, after.key))
        };
        let rows = self.core_requests.values().filter(|known| fits(&known.row, known.no));
        let mut rows: Vec<_> = rows
            .map(|known| (Position { at: known.row.heard_at, key: known.no }, known.row.clone()))
            .collect();
        rows.sort_by_key(|(position, _)| std::cmp::Reverse((position.at, position.key)));
        Ok(page(rows, page_limit(query.limit)))
    }
}
