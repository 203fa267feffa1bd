//! `SQLite`, by the store's statements on a connection with the same settings.

use std::path::Path;

use serde::Serialize;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::rows::{Row, Rows};
use super::writer::{Database, Sums};

const PUT_EVENTS: &str = "
    INSERT INTO transfer_events (transfer_id, seq, at_us, event)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1)";

const PUT_TRANSFERS: &str = "
    INSERT INTO transfers (
        id, version, kind, provider, status, is_open, has_case, holds_account, unknown_us, msisdn,
        client_reference, core_receipt, received_us, updated_us, due_us, summary, slot,
        collecting, collecting_label
    )
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
        value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11,
        value ->> 12, value ->> 13, value ->> 14, value ->> 15, value ->> 16,
        value ->> 17, value ->> 18
    FROM json_each(?1) WHERE true
    ON CONFLICT (id) DO UPDATE SET
        version = excluded.version, kind = excluded.kind, status = excluded.status,
        is_open = excluded.is_open, has_case = excluded.has_case,
        holds_account = excluded.holds_account, unknown_us = excluded.unknown_us,
        core_receipt = excluded.core_receipt, updated_us = excluded.updated_us,
        due_us = excluded.due_us, summary = excluded.summary, slot = excluded.slot,
        collecting = excluded.collecting, collecting_label = excluded.collecting_label
        WHERE version < excluded.version";

const LEAVE_LANES: &str = "
    DELETE FROM lanes WHERE transfer_id IN (SELECT value ->> 0 FROM json_each(?1))";

const PUT_LANES: &str = "
    INSERT INTO lanes (core, kind, account, transfer_id)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1)";

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

/// The one connection that writes.
pub(super) struct Sqlite(SqliteConnection);

impl Sqlite {
    /// Opens a database that has its schema.
    pub(super) async fn open(path: &Path) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("wal_autocheckpoint", "4096")
            .pragma("cache_size", "-16384")
            .disable_statement_logging();
        options.connect().await.map(Self)
    }

    async fn put(
        &mut self,
        statement: &'static str,
        rows: Option<String>,
    ) -> Result<(), sqlx::Error> {
        let Some(rows) = rows else { return Ok(()) };
        sqlx::query(statement).bind(rows).execute(&mut self.0).await.map(drop)
    }
}

impl Database for Sqlite {
    async fn write(&mut self, batch: &[Rows]) -> Result<(), sqlx::Error> {
        let sums = Sums::of(batch);
        let all = |of: fn(&Rows) -> &Vec<Row>| {
            joined(batch.iter().flat_map(of).map(|row| row.json.as_str()))
        };
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut self.0).await?;
        self.put(PUT_EVENTS, all(|rows| &rows.events)).await?;
        self.put(PUT_TRANSFERS, all(|rows| &rows.transfer)).await?;
        self.put(LEAVE_LANES, all(|rows| &rows.lanes_left)).await?;
        self.put(PUT_LANES, all(|rows| &rows.lanes)).await?;
        self.put(PUT_LEDGER, all(|rows| &rows.ledger)).await?;
        self.put(PUT_RECEIPTS, all(|rows| &rows.receipts)).await?;
        self.put(PUT_KEYS, all(|rows| &rows.keys)).await?;
        self.put(PUT_COUNTS, joined(sums.counts().map(|row| text(&row)))).await?;
        self.put(PUT_BALANCES, joined(sums.balances().map(|row| text(&row)))).await?;
        sqlx::raw_sql("COMMIT").execute(&mut self.0).await.map(drop)
    }

    /// Folds the log into the database.
    async fn close(mut self) -> Result<(), sqlx::Error> {
        sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut self.0).await?;
        self.0.close().await
    }
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
