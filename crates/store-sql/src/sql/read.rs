//! Columns and rows, read back as values of the domain.

use std::fmt::Display;

use kiungo_domain::Timestamp;
use kiungo_domain::transfer::{Entry, Event, Posting};
use kiungo_store::page::Position;
use kiungo_store::{
    CaseRow, InboxId, InboxItem, InboxState, Lease, OutboxRow, StoreError, Summary, codec,
};
use serde::de::DeserializeOwned;

use super::session::Record;

/// The database's message when it fails. Never contains what a statement was given.
pub(crate) fn unavailable(error: &impl Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

fn missing(column: usize) -> StoreError {
    StoreError::Corrupt(format!("column {column} is null"))
}

pub(crate) fn text(row: &impl Record, column: usize) -> Result<&str, StoreError> {
    optional_text(row, column)?.ok_or_else(|| missing(column))
}

pub(crate) fn optional_text(row: &impl Record, column: usize) -> Result<Option<&str>, StoreError> {
    row.text(column)
}

pub(crate) fn integer(row: &impl Record, column: usize) -> Result<i64, StoreError> {
    optional_integer(row, column)?.ok_or_else(|| missing(column))
}

fn optional_integer(row: &impl Record, column: usize) -> Result<Option<i64>, StoreError> {
    row.integer(column)
}

pub(crate) fn time(row: &impl Record, column: usize) -> Result<Timestamp, StoreError> {
    integer(row, column).map(Timestamp::from_micros)
}

/// A count, or a number that is never negative.
pub(crate) fn unsigned<T: TryFrom<i64>>(row: &impl Record, column: usize) -> Result<T, StoreError> {
    let number = integer(row, column)?;
    let out_of_range = || StoreError::Corrupt(format!("{number} is out of range"));
    T::try_from(number).map_err(|_| out_of_range())
}

pub(crate) fn json<T: DeserializeOwned>(row: &impl Record, column: usize) -> Result<T, StoreError> {
    // The message of a parser may quote what it read, so only its kind and place are passed on.
    let unreadable = |error: serde_json::Error| {
        let (kind, place) = (error.classify(), error.column());
        StoreError::Corrupt(format!("JSON cannot be read: {kind:?} at character {place}"))
    };
    serde_json::from_str(text(row, column)?).map_err(unreadable)
}

/// The parts of a summary in two columns, of which this is the first.
pub(crate) fn summary(row: &impl Record, facts: usize) -> Result<Summary, StoreError> {
    Ok(Summary::of_parts(json(row, facts)?, json(row, facts + 1)?))
}

/// `seq, at_us, event`.
pub(crate) fn entry(row: &impl Record) -> Result<Entry, StoreError> {
    Ok(Entry { seq: unsigned(row, 0)?, at: time(row, 1)?, event: event(row, 2)? })
}

fn event(row: &impl Record, column: usize) -> Result<Event, StoreError> {
    Event::from_stored(text(row, column)?).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// `account, currency, minor`.
pub(crate) fn posting(row: &impl Record) -> Result<Posting, StoreError> {
    let account = codec::ledger_account(text(row, 0)?)?;
    let currency = codec::currency(text(row, 1)?)?;
    Ok(Posting { account, minor: integer(row, 2)?, currency })
}

/// `id, provider, head, body, at_us, arrivals, attempts, state, due_us, note`.
pub(crate) fn inbox_item(row: &impl Record) -> Result<InboxItem, StoreError> {
    let note = || Ok::<_, StoreError>(optional_text(row, 9)?.unwrap_or_default().to_owned());
    let state = match text(row, 7)? {
        "waiting" => {
            let concern = optional_text(row, 9)?.map(str::to_owned);
            InboxState::Waiting { due: time(row, 8)?, concern }
        }
        "handled" => InboxState::Handled { note: note()? },
        "quarantined" => InboxState::Quarantined { reason: note()? },
        other => return Err(StoreError::Corrupt(format!("`{other}` is no state of the inbox"))),
    };
    Ok(InboxItem {
        id: InboxId(integer(row, 0)?),
        provider: codec::provider(text(row, 1)?)?,
        head: text(row, 2)?.to_owned(),
        body: row.bytes(3)?,
        at: time(row, 4)?,
        arrivals: unsigned(row, 5)?,
        attempts: unsigned(row, 6)?,
        state,
    })
}

/// `name, holder, until_us`.
pub(crate) fn lease(row: &impl Record) -> Result<Lease, StoreError> {
    let (name, holder) = (text(row, 0)?.to_owned(), text(row, 1)?.to_owned());
    Ok(Lease { name, holder, until: time(row, 2)? })
}

/// `no, at_us, news, facts, state`.
pub(crate) fn outgoing(row: &impl Record) -> Result<OutboxRow, StoreError> {
    let (no, at) = (integer(row, 0)?, time(row, 1)?);
    Ok(OutboxRow { no, at, event: json(row, 2)?, transfer: summary(row, 3)? })
}

/// `subject, transfer_id, inbox_id, kind, step, detail, provider, opened_us, operation`.
pub(crate) fn case(row: &impl Record) -> Result<(Position<String>, CaseRow), StoreError> {
    let opened_at = time(row, 7)?;
    let case = CaseRow {
        transfer: optional_text(row, 1)?.map(codec::transfer_id).transpose()?,
        inbox: optional_integer(row, 2)?.map(InboxId),
        kind: codec::case_kind(text(row, 3)?)?,
        step: optional_text(row, 4)?.map(codec::step).transpose()?,
        detail: text(row, 5)?.to_owned(),
        provider: codec::provider(text(row, 6)?)?,
        operation: optional_text(row, 8)?.map(codec::operation).transpose()?,
        opened_at,
    };
    Ok((Position { at: opened_at, key: text(row, 0)?.to_owned() }, case))
}
