//! Settled transfers moved out of the tables that work goes on in, and back in when something
//! happens to them after all. Receipts and idempotency keys stay where they are: they go on
//! refusing whoever comes second.

use async_trait::async_trait;
use kiungo_domain::{Timestamp, TransferId};
use kiungo_store::{ArchiveStore, StoreError};

use super::session::{Readers, Session};
use super::store::SqlStore;
use super::{Statements, read};
use crate::batch::BackendError;
use crate::batch::maintenance::Maintenance;
use crate::batch::table::{Column, Table};

/// The largest number of transfers that are moved in one transaction: a few hundredths of a second.
const MOVED_MAX: u32 = 1_000;

#[async_trait]
impl<R: Readers> ArchiveStore for SqlStore<R> {
    async fn archive(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        Ok(self.committer.maintenance(Maintenance::Archive { before, limit }).await?.rows())
    }
}

/// Moves settled transfers out, and returns their number.
pub(super) async fn archive<S: Session>(
    session: &mut S,
    before: Timestamp,
    limit: u32,
) -> Result<u64, BackendError> {
    let Statements { archivable, archive, .. } = S::STATEMENTS;
    let limit = limit.min(MOVED_MAX);
    let columns = &[Column::Integer, Column::Integer];
    let wanted = Table::of(columns, [[before.as_micros().into(), limit.into()]]);
    let mut ids = Table::new(&[Column::Text]);
    for row in session.get(archivable, &wanted).await? {
        ids.push([read::text(&row, 0).map_err(BackendError::Store)?.to_owned().into()]);
    }
    walk(session, archive, &ids).await
}

/// Moves those of the transfers back in that are archived, and returns their number.
pub(super) async fn restore<S: Session>(
    session: &mut S,
    ids: impl Iterator<Item = TransferId>,
) -> Result<u64, BackendError> {
    let ids = Table::of(&[Column::Text], ids.map(|id| [id.into()]));
    walk(session, &S::STATEMENTS.restore, &ids).await
}

/// Moves these transfers, and returns the number that were moved. If the first statement moves
/// none, as is the rule for [`restore`], no other is run.
async fn walk<S: Session>(
    session: &mut S,
    [first, rest @ ..]: &'static [&'static str; 7],
    ids: &Table,
) -> Result<u64, BackendError> {
    if ids.is_empty() {
        return Ok(0);
    }
    let moved = session.put(first, ids).await?;
    if moved > 0 {
        for statement in rest {
            session.put(statement, ids).await?;
        }
    }
    Ok(moved)
}
