//! The requests of cores: rows in and out.

use async_trait::async_trait;
use kiungo_domain::CoreId;
use kiungo_store::page::{Position, page, page_limit};
use kiungo_store::{CoreRequestQuery, CoreRequestRow, CoreRequestStore, Page, StoreError, codec};

use super::read;
use super::session::{Parameter, Readers, Record, Session};
use super::store::{SqlStore, text};
use crate::batch::BackendError;
use crate::batch::maintenance::Maintenance;
use crate::batch::table::{Column, Table};

const COLUMNS: &[Column] = &[
    Column::Text,
    Column::Text,
    Column::Integer,
    Column::Text,
    Column::Integer,
    Column::Text,
    Column::Text,
    Column::Text,
    Column::Text,
    Column::Integer,
    Column::Integer,
];

#[async_trait]
impl<R: Readers> CoreRequestStore for SqlStore<R> {
    async fn put_core_request(&self, row: CoreRequestRow) -> Result<bool, StoreError> {
        Ok(self.committer.maintenance(Maintenance::PutCoreRequest(Box::new(row))).await?.rows() > 0)
    }

    async fn core_request(
        &self,
        core: &CoreId,
        request: &str,
    ) -> Result<Option<CoreRequestRow>, StoreError> {
        let rows = known(&self.readers, core, &[request.to_owned()]).await?;
        Ok(rows.into_iter().next())
    }

    async fn known_core_requests(
        &self,
        core: &CoreId,
        requests: &[String],
    ) -> Result<Vec<CoreRequestRow>, StoreError> {
        known(&self.readers, core, requests).await
    }

    async fn accepted_core_requests(
        &self,
        core: &CoreId,
        limit: u32,
    ) -> Result<Vec<CoreRequestRow>, StoreError> {
        accepted(&self.readers, core, limit).await
    }

    async fn core_requests(
        &self,
        query: &CoreRequestQuery,
    ) -> Result<Page<CoreRequestRow>, StoreError> {
        list(&self.readers, query).await
    }
}

/// Writes a row on its version, in a transaction that has begun; none if it was another version.
pub(super) async fn put<S: Session>(
    session: &mut S,
    row: &CoreRequestRow,
) -> Result<u64, BackendError> {
    let decisions = serde_json::to_string(&row.decisions).map_err(|error| {
        BackendError::Row(StoreError::Corrupt(format!("decisions cannot be written: {error}")))
    })?;
    let cells = [
        row.core.as_str().to_owned().into(),
        row.request.clone().into(),
        row.version.into(),
        row.state.as_str().into(),
        row.generation.into(),
        row.transfer.into(),
        row.content.clone().into(),
        row.detail.clone().into(),
        decisions.into(),
        row.heard_at.as_micros().into(),
        row.updated_at.as_micros().into(),
    ];
    let statements = S::STATEMENTS;
    let statement =
        if row.version == 0 { statements.new_core_request } else { statements.put_core_request };
    session.put(statement, &Table::of(COLUMNS, [cells])).await
}

/// The rows of those that are stored.
async fn known<R: Readers>(
    readers: &R,
    core: &CoreId,
    requests: &[String],
) -> Result<Vec<CoreRequestRow>, StoreError> {
    // Names have no comma in them; any that has is not stored.
    let names: Vec<&str> = requests
        .iter()
        .map(String::as_str)
        .filter(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        .collect();
    let parameters = vec![text(core.as_str()), text(names.join(","))];
    let rows = readers.rows(readers.statements().core_requests_known, parameters).await?;
    rows.iter().map(row).collect()
}

/// Those that are to become transfers, the longest waiting first.
async fn accepted<R: Readers>(
    readers: &R,
    core: &CoreId,
    limit: u32,
) -> Result<Vec<CoreRequestRow>, StoreError> {
    let limit = i64::try_from(page_limit(limit)).unwrap_or(i64::MAX);
    let parameters = vec![text(core.as_str()), Parameter::Integer(limit)];
    let rows = readers.rows(readers.statements().core_requests_accepted, parameters).await?;
    rows.iter().map(row).collect()
}

/// A page, newest first.
async fn list<R: Readers>(
    readers: &R,
    query: &CoreRequestQuery,
) -> Result<Page<CoreRequestRow>, StoreError> {
    let after = Position::<i64>::after(query.cursor.as_ref())?;
    let limit = page_limit(query.limit);
    let parameters = vec![
        Parameter::Text(query.core.as_ref().map(|core| core.as_str().to_owned())),
        Parameter::Integer(after.as_ref().map_or(i64::MAX, |after| after.at.as_micros())),
        Parameter::Integer(after.map_or(i64::MAX, |after| after.key)),
        Parameter::Integer(i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1),
    ];
    let statements = readers.statements();
    let statement =
        if query.waiting { statements.core_requests_waiting } else { statements.core_requests_all };
    let rows = readers.rows(statement, parameters).await?;
    let positioned = rows.iter().map(|found| {
        let row = row(found)?;
        Ok((Position { at: row.heard_at, key: read::integer(found, 11)? }, row))
    });
    Ok(page(positioned.collect::<Result<_, StoreError>>()?, limit))
}

/// `core, request, version, state, generation, transfer_id, content, detail, decisions, heard_us,
/// updated_us`.
fn row(row: &impl Record) -> Result<CoreRequestRow, StoreError> {
    let transfer = row.text(5).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(CoreRequestRow {
        core: codec::core(read::text(row, 0)?)?,
        request: read::text(row, 1)?.to_owned(),
        version: read::unsigned(row, 2)?,
        state: codec::core_request_state(read::text(row, 3)?)?,
        generation: read::unsigned(row, 4)?,
        transfer: transfer.map(codec::transfer_id).transpose()?,
        content: read::text(row, 6)?.to_owned(),
        detail: read::text(row, 7)?.to_owned(),
        decisions: read::json(row, 8)?,
        heard_at: read::time(row, 9)?,
        updated_at: read::time(row, 10)?,
    })
}
