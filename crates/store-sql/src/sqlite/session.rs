//! The one connection that writes. Its calls block: it belongs on the committer's thread.

use std::path::PathBuf;

use async_trait::async_trait;
use kiungo_store::StoreError;
use rusqlite::Connection;
use tracing::{info, warn};

use super::lock::WriterLock;
use super::open;
use super::row::SqliteRow;
use super::statements::STATEMENTS;
use crate::batch::BackendError;
use crate::batch::table::Table;
use crate::sql::session::Session;
use crate::sql::{Statements, read};

/// The writing connection, which is opened anew after it broke, and the lock that goes with it.
pub(super) struct Writing {
    path: PathBuf,
    connection: Option<Connection>,
    _lock: WriterLock,
}

impl Writing {
    pub(super) const fn new(path: PathBuf, connection: Connection, lock: WriterLock) -> Self {
        Self { path, connection: Some(connection), _lock: lock }
    }

    fn connection(&mut self) -> Result<&Connection, BackendError> {
        if self.connection.is_none() {
            self.connection = Some(open::writer(&self.path).map_err(|error| failed(&error))?);
            info!("the database's writing connection was opened anew");
        }
        let closed = || BackendError::Store(StoreError::Unavailable("no connection".to_owned()));
        self.connection.as_ref().ok_or_else(closed)
    }

    /// Runs a statement that answers with nothing and takes nothing.
    pub(super) fn run(&mut self, statement: &'static str) -> Result<(), BackendError> {
        self.connection()?.execute_batch(statement).map_err(|error| failed(&error))
    }
}

#[async_trait]
impl Session for Writing {
    type Row = SqliteRow;

    const STATEMENTS: &'static Statements = &STATEMENTS;

    async fn begin(&mut self) -> Result<(), BackendError> {
        // A plain BEGIN would turn into a writer only at the first write, and could fail there.
        self.run("BEGIN IMMEDIATE")
    }

    async fn get(
        &mut self,
        statement: &'static str,
        wanted: &Table,
    ) -> Result<Vec<SqliteRow>, BackendError> {
        let connection = self.connection()?;
        let get = || {
            let mut prepared = connection.prepare_cached(statement)?;
            let mut found = Vec::new();
            for row in wanted.by_row() {
                let answers = prepared.query(rusqlite::params_from_iter(row))?;
                found.append(&mut SqliteRow::all(answers)?);
            }
            Ok(found)
        };
        get().map_err(|error| failed(&error))
    }

    async fn put(&mut self, statement: &'static str, rows: &Table) -> Result<u64, BackendError> {
        let connection = self.connection()?;
        let put = || {
            let mut prepared = connection.prepare_cached(statement)?;
            let mut written = 0;
            for row in rows.by_row() {
                written += prepared.execute(rusqlite::params_from_iter(row))?;
            }
            Ok(written as u64)
        };
        put().map_err(|error| failed(&error))
    }

    async fn commit(&mut self) -> Result<(), BackendError> {
        self.run("COMMIT")
    }

    async fn rollback(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        match connection.execute_batch("ROLLBACK") {
            Ok(()) => self.connection = Some(connection),
            // SQLite has rolled back by itself after some failures; a new connection is certain.
            Err(error) => warn!(%error, "the database's writing connection is given up"),
        }
    }

    async fn close(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let tidied = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = tidied {
            warn!(%error, "the database's log was not folded in; the next start does it");
        }
        if let Err((_, error)) = connection.close() {
            warn!(%error, "the database was not closed cleanly");
        }
    }
}

/// Sorts a failure: a row that a constraint or a limit refuses, or the database as a whole.
fn failed(error: &rusqlite::Error) -> BackendError {
    /// `SQLITE_TOOBIG`, `SQLITE_CONSTRAINT` and `SQLITE_MISMATCH`; further bits say more.
    const OF_A_ROW: [i32; 3] = [18, 19, 20];
    let code = error.sqlite_error().map_or(0, |error| error.extended_code & 0xff);
    let unavailable = read::unavailable(error);
    if OF_A_ROW.contains(&code) {
        BackendError::Row(unavailable)
    } else {
        BackendError::Store(unavailable)
    }
}
