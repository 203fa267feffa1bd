//! Actions of persons: rows in and out.

use async_trait::async_trait;
use kiungo_store::page::{Position, page, page_limit};
use kiungo_store::{Action, ActionId, ActionQuery, ActionStore, Page, StoreError, codec};

use super::read;
use super::session::{Parameter, Readers, Record, Session};
use super::store::SqlStore;
use crate::batch::BackendError;
use crate::batch::maintenance::Maintenance;
use crate::batch::table::Column::{Integer, Text};
use crate::batch::table::{Column, Table};

const COLUMNS: &[Column] =
    &[Text, Integer, Integer, Text, Text, Text, Text, Text, Text, Text, Text, Integer];

#[async_trait]
impl<R: Readers> ActionStore for SqlStore<R> {
    async fn put_action(&self, action: Action) -> Result<bool, StoreError> {
        let maintenance = Maintenance::PutAction(Box::new(action));
        Ok(self.committer.maintenance(maintenance).await?.rows() > 0)
    }

    async fn action(&self, id: ActionId) -> Result<Option<Action>, StoreError> {
        one(&self.readers, id).await
    }

    async fn actions(&self, query: &ActionQuery) -> Result<Page<Action>, StoreError> {
        list(&self.readers, query).await
    }
}

/// Writes an action on its version, in a transaction that has begun; none if it was another version.
pub(super) async fn put<S: Session>(session: &mut S, row: &Action) -> Result<u64, BackendError> {
    let judgement = row.judgement.as_ref().map(serde_json::to_string).transpose();
    let judgement = judgement.map_err(|error| {
        BackendError::Row(StoreError::Corrupt(format!("a judgement cannot be written: {error}")))
    })?;
    let cells = [
        row.id.to_string().into(),
        row.version.into(),
        row.at.as_micros().into(),
        row.by.clone().into(),
        row.what.clone().into(),
        row.subject.clone().into(),
        row.reason.clone().into(),
        row.state.as_str().into(),
        row.content.clone().into(),
        judgement.into(),
        row.detail.clone().into(),
        row.updated_at.as_micros().into(),
    ];
    let statements = S::STATEMENTS;
    let statement = if row.version == 0 { statements.new_action } else { statements.put_action };
    session.put(statement, &Table::of(COLUMNS, [cells])).await
}

/// One of them.
async fn one<R: Readers>(readers: &R, id: ActionId) -> Result<Option<Action>, StoreError> {
    let parameters = vec![Parameter::Text(Some(id.to_string()))];
    let rows = readers.rows(readers.statements().action, parameters).await?;
    rows.first().map(action).transpose()
}

/// A page, newest first.
async fn list<R: Readers>(readers: &R, query: &ActionQuery) -> Result<Page<Action>, StoreError> {
    let after = Position::<i64>::after(query.cursor.as_ref())?;
    let limit = page_limit(query.limit);
    let parameters = vec![
        Parameter::Integer(after.as_ref().map_or(i64::MAX, |after| after.at.as_micros())),
        Parameter::Integer(after.map_or(i64::MAX, |after| after.key)),
        Parameter::Integer(i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1),
    ];
    let statements = readers.statements();
    let statement = if query.open { statements.actions_open } else { statements.actions_all };
    let rows = readers.rows(statement, parameters).await?;
    let positioned = rows.iter().map(|found| {
        let row = action(found)?;
        Ok((Position { at: row.at, key: read::integer(found, 12)? }, row))
    });
    Ok(page(positioned.collect::<Result<_, StoreError>>()?, limit))
}

/// `id, version, at_us, done_by, what, subject, why, state, content, judgement, detail, updated_us`.
fn action(row: &impl Record) -> Result<Action, StoreError> {
    let owned = |column| read::text(row, column).map(str::to_owned);
    let judged = read::optional_text(row, 9)?.is_some();
    Ok(Action {
        id: codec::action_id(read::text(row, 0)?)?,
        version: read::unsigned(row, 1)?,
        at: read::time(row, 2)?,
        by: owned(3)?,
        what: owned(4)?,
        subject: owned(5)?,
        reason: owned(6)?,
        state: codec::action_state(read::text(row, 7)?)?,
        content: owned(8)?,
        judgement: if judged { Some(read::json(row, 9)?) } else { None },
        detail: owned(10)?,
        updated_at: read::time(row, 11)?,
    })
}
