//! Operations that are held: rows in and out.

use async_trait::async_trait;
use kiungo_domain::ProviderId;
use kiungo_domain::hold::Condition;
use kiungo_domain::transfer::{CaseKind, Operation};
use kiungo_store::page::hold_subject;
use kiungo_store::{Hold, HoldStore, StoreError, codec};

use super::read;
use super::session::{Readers, Record, Session};
use super::store::SqlStore;
use crate::batch::BackendError;
use crate::batch::maintenance::Maintenance;
use crate::batch::table::Column::{Integer, Text};
use crate::batch::table::{Column, Table};

const COLUMNS: &[Column] = &[Text, Text, Text, Text, Text, Integer, Integer, Text];

#[async_trait]
impl<R: Readers> HoldStore for SqlStore<R> {
    async fn put_hold(&self, hold: Hold) -> Result<(), StoreError> {
        self.committer.maintenance(Maintenance::PutHold(Box::new(hold))).await.map(drop)
    }

    async fn release_hold(
        &self,
        provider: &ProviderId,
        operation: Operation,
        condition: Condition,
    ) -> Result<bool, StoreError> {
        let maintenance = Maintenance::ReleaseHold(provider.clone(), operation, condition);
        Ok(self.committer.maintenance(maintenance).await?.rows() > 0)
    }

    async fn holds(&self) -> Result<Vec<Hold>, StoreError> {
        list(&self.readers).await
    }
}

/// Writes a hold, in a transaction that has begun; it keeps the time since when it is held.
pub(super) async fn put<S: Session>(session: &mut S, hold: &Hold) -> Result<u64, BackendError> {
    let needed = hold.needed.map(|needed| serde_json::to_string(&needed)).transpose();
    let needed =
        needed.map_err(|error| BackendError::Row(StoreError::Corrupt(error.to_string())))?;
    let row = [
        (&hold.provider).into(),
        hold.operation.as_str().into(),
        hold.condition.as_str().into(),
        hold.detail.clone().into(),
        hold.held_by.clone().into(),
        hold.since.as_micros().into(),
        hold.probe_at.as_micros().into(),
        needed.into(),
    ];
    let put = session.put(S::STATEMENTS.put_hold, &Table::of(COLUMNS, [row])).await?;
    if hold.condition.is_case() {
        let case = [
            hold_subject(&hold.provider, hold.operation).into(),
            CaseKind::OperationHeld.as_str().into(),
            hold.operation.as_str().into(),
            hold.detail.clone().into(),
            (&hold.provider).into(),
            hold.since.as_micros().into(),
        ];
        let columns = &[Text, Text, Text, Text, Text, Integer];
        session.put(S::STATEMENTS.open_hold_case, &Table::of(columns, [case])).await?;
    }
    Ok(put)
}

/// Removes a hold; none if it was not held.
pub(super) async fn release<S: Session>(
    session: &mut S,
    provider: &ProviderId,
    operation: Operation,
    condition: Condition,
) -> Result<u64, BackendError> {
    let row = [provider.into(), operation.as_str().into(), condition.as_str().into()];
    let row = Table::of(&[Text, Text, Text], [row]);
    let released = session.put(S::STATEMENTS.release_hold, &row).await?;
    let subject = hold_subject(provider, operation);
    let case = [subject.into(), provider.into(), operation.as_str().into()];
    session.put(S::STATEMENTS.close_hold_case, &Table::of(&[Text, Text, Text], [case])).await?;
    Ok(released)
}

/// All of them.
async fn list<R: Readers>(readers: &R) -> Result<Vec<Hold>, StoreError> {
    let rows = readers.rows(readers.statements().holds, Vec::new()).await?;
    rows.iter().map(hold).collect()
}

/// `provider, operation, condition, detail, held_by, since_us, probe_us, needed`.
fn hold(row: &impl Record) -> Result<Hold, StoreError> {
    Ok(Hold {
        provider: codec::provider(read::text(row, 0)?)?,
        operation: codec::operation(read::text(row, 1)?)?,
        condition: codec::condition(read::text(row, 2)?)?,
        detail: read::text(row, 3)?.to_owned(),
        held_by: read::optional_text(row, 4)?.map(str::to_owned),
        since: read::time(row, 5)?,
        probe_at: read::time(row, 6)?,
        needed: read::optional_text(row, 7)?.map(codec::money).transpose()?,
    })
}
