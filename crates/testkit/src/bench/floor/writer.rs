//! Group commit as the store does it, a task that takes all that waits, by the same statements on a
//! connection with the same settings, and without looking at what it writes.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use super::rows::Rows;
use crate::bench::BenchError;

/// As the store's default.
const BATCH_MAX: usize = 512;
/// As the store's default.
const QUEUE_MAX: usize = 4_096;

const PUT_EVENTS: &str = "
    INSERT INTO transfer_events (transfer_id, seq, at_us, event)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1)";

const PUT_TRANSFERS: &str = "
    INSERT INTO transfers (
        id, version, kind, provider, status, is_open, has_case, holds_account, msisdn,
        client_reference, core_receipt, received_us, updated_us, due_us, summary
    )
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
        value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11,
        value ->> 12, value ->> 13, value ->> 14
    FROM json_each(?1) WHERE true
    ON CONFLICT (id) DO UPDATE SET
        version = excluded.version, kind = excluded.kind, status = excluded.status,
        is_open = excluded.is_open, has_case = excluded.has_case,
        holds_account = excluded.holds_account,
        core_receipt = excluded.core_receipt, updated_us = excluded.updated_us,
        due_us = excluded.due_us, summary = excluded.summary";

const PUT_COUNTS: &str = "
    INSERT INTO transfer_counts (kind, provider, status, count)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1) WHERE true
    ON CONFLICT (kind, provider, status) DO UPDATE SET count = count + excluded.count";

const PUT_LEDGER: &str = "
    INSERT INTO ledger_entries (transfer_id, account, currency, minor)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1)";

const PUT_BALANCES: &str = "
    INSERT INTO ledger_balances (account, currency, minor)
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1) WHERE true
    ON CONFLICT (account, currency) DO UPDATE SET minor = minor + excluded.minor";

const PUT_RECEIPTS: &str = "
    INSERT INTO receipts (receipt, provider, transfer_id, operation)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1)";

const PUT_KEYS: &str = "
    INSERT INTO idempotency_keys (client, key, digest, transfer_id)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1)";

/// The way to the one connection that writes.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
}

enum Message {
    Commit(Rows, oneshot::Sender<()>),
    Close(oneshot::Sender<()>),
}

impl Writer {
    /// Opens a database that has its schema.
    pub(super) async fn open(path: &Path) -> Result<Self, BenchError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("wal_autocheckpoint", "4096")
            .pragma("cache_size", "-16384")
            .disable_statement_logging();
        let connection = options.connect().await?;
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(async move {
            if let Err(error) = write_all(connection, waiting).await {
                eprintln!("the floor's database failed: {error}");
            }
        });
        Ok(Self { queue })
    }

    /// Commits rows; durable when this returns.
    pub(super) async fn commit(&self, rows: Rows) -> Result<(), BenchError> {
        self.ask(|answer| Message::Commit(rows, answer)).await
    }

    /// Folds the log into the database and closes it.
    pub(super) async fn close(&self) -> Result<(), BenchError> {
        self.ask(Message::Close).await
    }

    async fn ask(
        &self,
        message: impl FnOnce(oneshot::Sender<()>) -> Message,
    ) -> Result<(), BenchError> {
        let gone = || BenchError::NotDone("the floor's database has gone".to_owned());
        let (answer, answered) = oneshot::channel();
        self.queue.send(message(answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())
    }
}

async fn write_all(
    mut connection: SqliteConnection,
    mut waiting: mpsc::Receiver<Message>,
) -> Result<(), sqlx::Error> {
    let mut messages = Vec::with_capacity(BATCH_MAX);
    while waiting.recv_many(&mut messages, BATCH_MAX).await > 0 {
        let (mut batch, mut answers, mut closing) = (Vec::new(), Vec::new(), None);
        for message in messages.drain(..) {
            match message {
                Message::Commit(rows, answer) => {
                    batch.push(rows);
                    answers.push(answer);
                }
                Message::Close(answer) => closing = Some(answer),
            }
        }
        if !batch.is_empty() {
            write(&mut connection, &batch).await?;
        }
        for answer in answers {
            let _ = answer.send(());
        }
        if let Some(answer) = closing {
            sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
            connection.close().await?;
            let _ = answer.send(());
            return Ok(());
        }
    }
    Ok(())
}

async fn write(connection: &mut SqliteConnection, batch: &[Rows]) -> Result<(), sqlx::Error> {
    let (mut counts, mut balances) = (BTreeMap::new(), BTreeMap::new());
    for rows in batch {
        for (name, by) in &rows.counts {
            *counts.entry(name).or_insert(0) += by;
        }
        for (account, by) in &rows.balances {
            *balances.entry(account).or_insert(0) += by;
        }
    }
    let counts = counts.into_iter().filter(|(_, by)| *by != 0);
    let counts = counts.map(|((kind, provider, status), by)| (kind, provider, status, by));
    let balances = balances.into_iter().map(|((account, currency), by)| (account, currency, by));
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    put(connection, PUT_EVENTS, joined(batch.iter().flat_map(|rows| &rows.events))).await?;
    put(connection, PUT_TRANSFERS, joined(batch.iter().map(|rows| &rows.transfer))).await?;
    put(connection, PUT_COUNTS, joined(counts.map(|row| text(&row)))).await?;
    put(connection, PUT_LEDGER, joined(batch.iter().flat_map(|rows| &rows.ledger))).await?;
    put(connection, PUT_BALANCES, joined(balances.map(|row| text(&row)))).await?;
    put(connection, PUT_RECEIPTS, joined(batch.iter().flat_map(|rows| &rows.receipts))).await?;
    put(connection, PUT_KEYS, joined(batch.iter().flat_map(|rows| &rows.keys))).await?;
    sqlx::raw_sql("COMMIT").execute(connection).await.map(drop)
}

async fn put(
    connection: &mut SqliteConnection,
    statement: &'static str,
    rows: Option<String>,
) -> Result<(), sqlx::Error> {
    let Some(rows) = rows else { return Ok(()) };
    sqlx::query(statement).bind(rows).execute(connection).await.map(drop)
}

/// A JSON array of rows, unless there are none.
fn joined<T: AsRef<str>>(rows: impl Iterator<Item = T>) -> Option<String> {
    let mut array = String::from("[");
    for row in rows {
        if array.len() > 1 {
            array.push(',');
        }
        array.push_str(row.as_ref());
    }
    array.push(']');
    (array.len() > 2).then_some(array)
}

fn text<T: Serialize>(row: &T) -> String {
    // Numbers and texts can always be written.
    serde_json::to_string(row).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_one_array() {
        assert_eq!(joined(["[1]", "[2]"].iter()), Some("[[1],[2]]".to_owned()));
        assert_eq!(joined(std::iter::empty::<&str>()), None);
    }
}
