//! Does the work between two batches.

use kiungo_domain::{Slot, Timestamp, TransferId};
use kiungo_store::lease::{cleared_before, longest_lease};
use kiungo_store::{InboxId, StoreError, codec};

use super::session::{Record, Session};
use super::{actions, archive, holds, read, requests};
use crate::batch::BackendError;
use crate::batch::maintenance::{Maintenance, MaintenanceResult, Taking};
use crate::batch::table::Column::{self, Integer, Text};
use crate::batch::table::{Cell, Table};

/// The largest number of rows that are taken, or removed from the outbox, in one transaction: a few
/// hundredths of a second, in which batches wait.
const ROWS_MAX: u32 = 1_000;

/// Does it, in the transaction that has begun.
pub(super) async fn run<S: Session>(
    session: &mut S,
    maintenance: &Maintenance,
) -> Result<MaintenanceResult, BackendError> {
    let statements = S::STATEMENTS;
    let rows = match maintenance {
        Maintenance::Archive { before, limit } => {
            archive::archive(session, *before, *limit).await?
        }
        Maintenance::TakeDue(taking) => return take_due(session, *taking).await,
        Maintenance::TakeInboxDue(taking) => return take_inbox_due(session, *taking).await,
        Maintenance::TakeLease { name, holder, now, until } => {
            let row = [name.clone().into(), holder.clone().into(), micros(*now), micros(*until)];
            let taken = put(session, statements.take_lease, &[Text, Text, Integer, Integer], row);
            let taken = taken.await?;
            if taken > 0 {
                let ended = [micros(cleared_before(*now))];
                put(session, statements.clear_leases, &[Integer], ended).await?;
            }
            taken
        }
        Maintenance::ReleaseLease { name, holder } => {
            let row = [name.clone().into(), holder.clone().into()];
            put(session, statements.release_lease, &[Text, Text], row).await?
        }
        Maintenance::MarkPublished(numbers) => {
            let numbers = numbers.iter().take(ROWS_MAX as usize);
            let numbers = Table::of(&[Integer], numbers.map(|no| [(*no).into()]));
            if numbers.is_empty() {
                0
            } else {
                session.put(statements.mark_published, &numbers).await?
            }
        }
        Maintenance::PutAction(action) => actions::put(session, action).await?,
        Maintenance::PutCoreRequest(row) => requests::put(session, row).await?,
        Maintenance::PullDue(now) => {
            let mut pulled = 0;
            for (statement, bound) in [
                (statements.pull_due, *now),
                (statements.pull_inbox_due, *now),
                (statements.pull_leases, longest_lease(*now)),
                (statements.pull_holds, *now),
            ] {
                pulled += put(session, statement, &[Integer], [micros(bound)]).await?;
            }
            pulled
        }
        Maintenance::PutHold(hold) => holds::put(session, hold).await?,
        Maintenance::ReleaseHold(provider, operation, condition) => {
            holds::release(session, provider, *operation, *condition).await?
        }
    };
    Ok(MaintenanceResult::Rows(rows))
}

fn micros(time: Timestamp) -> Cell {
    time.as_micros().into()
}

/// One row.
async fn put<S: Session, const N: usize>(
    session: &mut S,
    statement: &'static str,
    columns: &'static [Column],
    row: [Cell; N],
) -> Result<u64, BackendError> {
    session.put(statement, &Table::of(columns, [row])).await
}

async fn due<S: Session>(
    session: &mut S,
    statement: &'static str,
    Taking { now, limit, .. }: Taking,
) -> Result<Vec<S::Row>, BackendError> {
    let wanted = [[micros(now), limit.min(ROWS_MAX).into()]];
    session.get(statement, &Table::of(&[Integer, Integer], wanted)).await
}

/// Takes due transfers. The rows that were found are locked, so nobody else finds them before their
/// due time has moved.
async fn take_due<S: Session>(
    session: &mut S,
    taking: Taking,
) -> Result<MaintenanceResult, BackendError> {
    let rows = due(session, S::STATEMENTS.due_for_taking, taking).await?;
    let taken: Result<Vec<_>, _> = rows.iter().map(transfer).collect();
    let taken = taken.map_err(BackendError::Store)?;
    let moved = taken.iter().map(|(id, _)| [(*id).into(), micros(taking.until)]);
    let moved = Table::of(&[Text, Integer], moved);
    if !moved.is_empty() {
        session.put(S::STATEMENTS.put_postponed, &moved).await?;
    }
    Ok(MaintenanceResult::Transfers(taken))
}

fn transfer(row: &impl Record) -> Result<(TransferId, Slot), StoreError> {
    let slot = Slot::from_number(read::unsigned(row, 1)?);
    Ok((codec::transfer_id(read::text(row, 0)?)?, slot))
}

async fn take_inbox_due<S: Session>(
    session: &mut S,
    taking: Taking,
) -> Result<MaintenanceResult, BackendError> {
    let rows = due(session, S::STATEMENTS.inbox_due_for_taking, taking).await?;
    let taken: Result<Vec<_>, _> = rows.iter().map(|row| read::integer(row, 0)).collect();
    let taken: Vec<_> = taken.map_err(BackendError::Store)?.into_iter().map(InboxId).collect();
    let moved = taken.iter().map(|id| [(*id).into(), micros(taking.until)]);
    let moved = Table::of(&[Integer, Integer], moved);
    if !moved.is_empty() {
        session.put(S::STATEMENTS.put_inbox_due, &moved).await?;
    }
    Ok(MaintenanceResult::Items(taken))
}
