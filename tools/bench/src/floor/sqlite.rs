//! `SQLite`, by prepared statements, one for each row, on a connection with the store's settings.

use std::path::Path;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, params, params_from_iter};

use super::rows::{Cell, Row, Rows};
use super::writer::{Database, Sums};
use crate::BenchError;

const PUT_EVENTS: &str = "
    INSERT INTO transfer_events (transfer_id, seq, at_us, event) VALUES (?1, ?2, ?3, ?4)";

const NEW_TRANSFERS: &str = "
    INSERT INTO transfers (id, msisdn, client_reference, received_us, facts)
    VALUES (?1, ?2, ?3, ?4, ?5)";

const NEW_STATES: &str = "
    INSERT INTO transfer_states (
        no, version, kind, provider, status, is_open, has_case, holds_account, unknown_us,
        core_receipt, received_us, updated_us, due_us, slot, collecting, collecting_label, state
    )
    SELECT no, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, received_us, ?11, ?12, ?13, ?14, ?15, ?16
    FROM transfers WHERE id = ?1";

const PUT_STATES: &str = "
    UPDATE transfer_states SET
        version = ?2, kind = ?3, status = ?5, is_open = ?6, has_case = ?7, holds_account = ?8,
        unknown_us = ?9, core_receipt = ?10, updated_us = ?11, due_us = ?12, slot = ?13,
        collecting = ?14, collecting_label = ?15, state = ?16
    WHERE no = (SELECT no FROM transfers WHERE id = ?1) AND version < ?2";

const RELEASE_ACCOUNT_LOCKS: &str = "DELETE FROM lanes WHERE transfer_id = ?1";

const PUT_ACCOUNT_LOCKS: &str = "
    INSERT INTO lanes (core, kind, account, transfer_id) VALUES (?1, ?2, ?3, ?4)";

const PUT_COUNTS: &str = "
    INSERT INTO transfer_counts (kind, provider, status, count) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (kind, provider, status) DO UPDATE SET count = count + excluded.count";

const PUT_LEDGER: &str = "
    INSERT INTO ledger_entries (transfer_id, account, currency, minor) VALUES (?1, ?2, ?3, ?4)";

const PUT_BALANCES: &str = "
    INSERT INTO ledger_balances (account, currency, minor) VALUES (?1, ?2, ?3)
    ON CONFLICT (account, currency) DO UPDATE SET minor = minor + excluded.minor";

const PUT_RECEIPTS: &str = "
    INSERT INTO receipts (receipt, provider, transfer_id, operation) VALUES (?1, ?2, ?3, ?4)";

const PUT_KEYS: &str = "
    INSERT INTO idempotency_keys (client, key, digest, transfer_id) VALUES (?1, ?2, ?3, ?4)";

const PUT_TERMS: &str = "
    INSERT INTO search_terms (term, received_us, transfer_id) VALUES (?1, ?2, ?3)
    ON CONFLICT DO NOTHING";

/// The one connection that writes.
pub(super) struct Sqlite(Connection);

impl Sqlite {
    /// Opens a database that has its schema.
    pub(super) fn open(path: &Path) -> Result<Self, BenchError> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "wal_autocheckpoint", 4_096)?;
        connection.pragma_update(None, "cache_size", -16_384)?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Self(connection))
    }

    fn put<'a>(
        &self,
        statement: &str,
        rows: impl Iterator<Item = &'a Row>,
    ) -> Result<(), rusqlite::Error> {
        let mut prepared = self.0.prepare_cached(statement)?;
        for row in rows {
            prepared.execute(params_from_iter(&row.cells))?;
        }
        Ok(())
    }

    fn put_sums(&self, sums: &Sums<'_>) -> Result<(), rusqlite::Error> {
        let mut counts = self.0.prepare_cached(PUT_COUNTS)?;
        for (kind, provider, status, change) in sums.counts() {
            counts.execute(params![kind, provider, status, change])?;
        }
        let mut balances = self.0.prepare_cached(PUT_BALANCES)?;
        for (account, currency, change) in sums.balances() {
            balances.execute(params![account, currency, change])?;
        }
        Ok(())
    }
}

impl Database for Sqlite {
    async fn write(&mut self, batch: &[Rows]) -> Result<(), BenchError> {
        self.0.execute_batch("BEGIN IMMEDIATE")?;
        self.put(PUT_EVENTS, batch.iter().flat_map(|rows| &rows.events))?;
        self.put(NEW_TRANSFERS, batch.iter().flat_map(|rows| &rows.transfer))?;
        self.put(NEW_STATES, batch.iter().flat_map(|rows| &rows.new_state))?;
        self.put(PUT_STATES, batch.iter().flat_map(|rows| &rows.state))?;
        self.put(RELEASE_ACCOUNT_LOCKS, batch.iter().flat_map(|rows| &rows.account_locks_left))?;
        self.put(PUT_ACCOUNT_LOCKS, batch.iter().flat_map(|rows| &rows.account_locks))?;
        self.put(PUT_LEDGER, batch.iter().flat_map(|rows| &rows.ledger))?;
        self.put(PUT_RECEIPTS, batch.iter().flat_map(|rows| &rows.receipts))?;
        self.put(PUT_KEYS, batch.iter().flat_map(|rows| &rows.keys))?;
        self.put(PUT_TERMS, batch.iter().flat_map(|rows| &rows.terms))?;
        self.put_sums(&Sums::of(batch))?;
        Ok(self.0.execute_batch("COMMIT")?)
    }

    /// Folds the log into the database.
    async fn close(self) -> Result<(), BenchError> {
        self.0.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(self.0.close().map_err(|(_, error)| error)?)
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Integer(Some(number)) => ValueRef::Integer(*number),
            Self::Text(None) | Self::Integer(None) => ValueRef::Null,
        }))
    }
}
