//! The one connection that writes, and those that read.

use async_trait::async_trait;
use kiungo_store::StoreError;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqlitePool, SqliteRow};
use sqlx::{ConnectOptions, Connection, Sqlite, SqliteConnection};
use tracing::{info, warn};

use super::lock::WriterLock;
use super::statements::STATEMENTS;
use crate::batch::BackendError;
use crate::batch::rows::json;
use crate::batch::table::Table;
use crate::sql::session::{Session, record};
use crate::sql::{Parameter, Readers, Statements, read};

record!(SqliteRow);

/// The writing connection, which is opened anew after it broke, and the lock that goes with it.
pub(super) struct Writing {
    options: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
    _lock: WriterLock,
}

impl Writing {
    pub(super) fn new(
        options: SqliteConnectOptions,
        connection: SqliteConnection,
        lock: WriterLock,
    ) -> Self {
        Self { options, connection: Some(connection), _lock: lock }
    }

    async fn connection(&mut self) -> Result<&mut SqliteConnection, BackendError> {
        if self.connection.is_none() {
            self.connection = Some(self.options.connect().await.map_err(|error| failed(&error))?);
            info!("the database's writing connection was opened anew");
        }
        let closed = || BackendError::Store(StoreError::Unavailable("no connection".to_owned()));
        self.connection.as_mut().ok_or_else(closed)
    }

    pub(super) async fn run(&mut self, statement: &'static str) -> Result<(), BackendError> {
        let connection = self.connection().await?;
        sqlx::raw_sql(statement).execute(connection).await.map_err(|error| failed(&error)).map(drop)
    }
}

#[async_trait]
impl Session for Writing {
    type Row = SqliteRow;

    const STATEMENTS: &'static Statements = &STATEMENTS;

    async fn begin(&mut self) -> Result<(), BackendError> {
        // A plain BEGIN would turn into a writer only at the first write, and could fail there.
        self.run("BEGIN IMMEDIATE").await
    }

    async fn get(
        &mut self,
        statement: &'static str,
        wanted: &Table,
    ) -> Result<Vec<SqliteRow>, BackendError> {
        let wanted = json(wanted).map_err(BackendError::Row)?;
        let connection = self.connection().await?;
        let rows = sqlx::query(statement).bind(wanted).fetch_all(connection).await;
        rows.map_err(|error| failed(&error))
    }

    async fn put(&mut self, statement: &'static str, rows: &Table) -> Result<u64, BackendError> {
        let rows = json(rows).map_err(BackendError::Row)?;
        let connection = self.connection().await?;
        let done = sqlx::query(statement).bind(rows).execute(connection).await;
        done.map(|done| done.rows_affected()).map_err(|error| failed(&error))
    }

    async fn commit(&mut self) -> Result<(), BackendError> {
        self.run("COMMIT").await
    }

    async fn rollback(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        if let Err(error) = sqlx::raw_sql("ROLLBACK").execute(connection).await {
            // SQLite has rolled back by itself after some failures; a new connection is certain.
            warn!(%error, "the database's writing connection is given up");
            self.connection = None;
        }
    }

    async fn close(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let tidied = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection);
        if let Err(error) = tidied.await {
            warn!(%error, "the database's log was not folded in; the next start does it");
        }
        if let Err(error) = connection.close().await {
            warn!(%error, "the database was not closed cleanly");
        }
    }
}

/// Connections that read.
#[derive(Debug)]
pub struct SqliteReaders(pub(super) SqlitePool);

#[async_trait]
impl Readers for SqliteReaders {
    type Row = SqliteRow;

    fn statements(&self) -> &'static Statements {
        &STATEMENTS
    }

    async fn rows(
        &self,
        statement: &'static str,
        parameters: Vec<Parameter>,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let mut query = sqlx::query(statement);
        for parameter in parameters {
            query = bind(query, parameter)?;
        }
        query.fetch_all(&self.0).await.map_err(|error| read::unavailable(&error))
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

/// Words go in as a JSON array.
fn bind(
    query: Query<'static, Sqlite, SqliteArguments>,
    parameter: Parameter,
) -> Result<Query<'static, Sqlite, SqliteArguments>, StoreError> {
    Ok(match parameter {
        Parameter::Text(text) => query.bind(text),
        Parameter::Integer(number) => query.bind(number),
        Parameter::Words(words) => query.bind(words.map(|words| json(&words)).transpose()?),
    })
}

/// Sorts a failure: a row that a constraint or a limit refuses, or the database as a whole.
fn failed(error: &sqlx::Error) -> BackendError {
    /// `SQLITE_TOOBIG`, `SQLITE_CONSTRAINT` and `SQLITE_MISMATCH`; further bits say more.
    const OF_A_ROW: [u32; 3] = [18, 19, 20];
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    let code = code.and_then(|code| code.parse::<u32>().ok()).unwrap_or(0);
    let of_a_row = OF_A_ROW.contains(&(code & 0xff));
    let error = read::unavailable(error);
    if of_a_row { BackendError::Row(error) } else { BackendError::Store(error) }
}
