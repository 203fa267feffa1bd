//! The one connection that writes, and those that read.

use std::time::Duration;

use async_trait::async_trait;
use kiungo_domain::TransferId;
use kiungo_store::StoreError;
use sqlx::postgres::{PgConnectOptions, PgPool, PgRow};
use sqlx::{ConnectOptions, Connection, PgConnection, Row};
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tracing::{info, warn};

use super::combined::Combined;
use super::failure::{at_commit, before_commit, is_of_the_plans, silent};
use super::journals::Journals;
use super::owner::{self, Claim};
use super::parameters::{with_all, with_rows, with_values};
use super::statements::{SEARCHES, STATEMENTS};
use crate::batch::BackendError;
use crate::batch::table::Table;
use crate::sql::session::{Session, Write};
use crate::sql::{Parameter, Readers, Record, Statements, read};

/// The longest wait for an answer. The server gives a statement up earlier; past this, it or the
/// way to it is gone.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(15);

/// The longest time that a new connection may take.
pub(super) const CONNECT_WAIT_MAX: Duration = Duration::from_secs(5);

/// The writing connection, which is opened anew after it broke.
pub(super) struct Writing {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
    /// The way in which a connection has to own the database while it writes, if it has to.
    claim: Option<Claim>,
    combined: Combined,
}

impl Writing {
    pub(super) fn new(
        options: PgConnectOptions,
        connection: PgConnection,
        claim: Option<Claim>,
    ) -> Self {
        Self { options, connection: Some(connection), claim, combined: Combined::default() }
    }

    async fn connection(&mut self) -> Result<&mut PgConnection, BackendError> {
        if self.connection.is_none() {
            let opened = timeout(CONNECT_WAIT_MAX, self.open()).await;
            self.connection = Some(opened.map_err(|_| BackendError::Again(silent()))??);
            info!("the database's writing connection was opened anew");
        }
        let closed = || BackendError::Store(StoreError::Unavailable("no connection".to_owned()));
        self.connection.as_mut().ok_or_else(closed)
    }

    async fn open(&self) -> Result<PgConnection, BackendError> {
        let opened = self.options.connect().await;
        let mut connection = opened.map_err(|error| before_commit(&error))?;
        if let Some(claim) = self.claim {
            let owned = owner::take(&mut connection, claim).await;
            if !owned.map_err(|error| before_commit(&error))? {
                let taken = "another Kiungo has taken the database over".to_owned();
                return Err(BackendError::Again(StoreError::Unavailable(taken)));
            }
        }
        Ok(connection)
    }

    /// The result of a statement; a connection that does not answer is given up.
    fn answered<T>(
        &mut self,
        answer: Result<Result<T, sqlx::Error>, Elapsed>,
    ) -> Result<Result<T, sqlx::Error>, StoreError> {
        answer.map_err(|_| {
            self.connection = None;
            silent()
        })
    }

    /// The failure of a statement before the commit; a connection with plans that no longer fit is
    /// given up.
    fn refused(&mut self, error: &sqlx::Error) -> BackendError {
        if is_of_the_plans(error) {
            self.connection = None;
        }
        before_commit(error)
    }

    async fn run(
        &mut self,
        statement: &'static str,
    ) -> Result<Result<(), sqlx::Error>, BackendError> {
        let asked = sqlx::raw_sql(statement).execute(self.connection().await?);
        let done = timeout(ANSWER_WAIT_MAX, asked).await;
        self.answered(done).map(|done| done.map(drop)).map_err(BackendError::Store)
    }
}

#[async_trait]
impl Session for Writing {
    type Row = PgRow;

    const STATEMENTS: &'static Statements = &STATEMENTS;

    async fn begin(&mut self) -> Result<(), BackendError> {
        self.run("BEGIN").await?.map_err(|error| before_commit(&error))
    }

    async fn get(
        &mut self,
        statement: &'static str,
        wanted: &Table,
    ) -> Result<Vec<PgRow>, BackendError> {
        let asked = with_rows(statement, wanted).fetch_all(self.connection().await?);
        let rows = timeout(ANSWER_WAIT_MAX, asked).await;
        let rows = self.answered(rows).map_err(BackendError::Store)?;
        rows.map_err(|error| self.refused(&error))
    }

    async fn put(&mut self, statement: &'static str, rows: &Table) -> Result<u64, BackendError> {
        let asked = with_rows(statement, rows).execute(self.connection().await?);
        let done = timeout(ANSWER_WAIT_MAX, asked).await;
        let done = self.answered(done).map_err(BackendError::Store)?;
        done.map(|done| done.rows_affected()).map_err(|error| self.refused(&error))
    }

    async fn put_all(&mut self, writes: &[Write<'_>]) -> Result<Vec<u64>, BackendError> {
        if let [write] = writes {
            return self.put(write.statement, &write.rows).await.map(|written| vec![written]);
        }
        let combined = self.combined.of(writes);
        let asked = with_all(combined, writes).fetch_one(self.connection().await?);
        let row = timeout(ANSWER_WAIT_MAX, asked).await;
        let row = self.answered(row).map_err(BackendError::Store)?;
        let row = row.map_err(|error| self.refused(&error))?;
        let written = |index| read::unsigned(&row, index).map_err(BackendError::Store);
        (0..writes.len()).map(written).collect()
    }

    async fn commit(&mut self) -> Result<(), BackendError> {
        self.run("COMMIT").await?.map_err(|error| at_commit(&error))
    }

    /// A connection that does not answer as it should is closed; the server then rolls back.
    async fn rollback(&mut self) {
        if self.connection.is_none() {
            return;
        }
        let error = match self.run("ROLLBACK").await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => read::unavailable(&error),
            Err(error) => error.into_store(),
        };
        warn!(%error, "the database's writing connection is given up");
        self.connection = None;
    }

    async fn close(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if !matches!(timeout(CONNECT_WAIT_MAX, connection.close()).await, Ok(Ok(()))) {
            warn!("the database's writing connection was not closed cleanly");
        }
    }
}

impl Record for PgRow {
    fn text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        self.try_get(column).map_err(|error| unreadable(&error))
    }

    fn integer(&self, column: usize) -> Result<Option<i64>, StoreError> {
        self.try_get(column).map_err(|error| unreadable(&error))
    }

    fn bytes(&self, column: usize) -> Result<Vec<u8>, StoreError> {
        self.try_get(column).map_err(|error| unreadable(&error))
    }
}

fn unreadable(error: &sqlx::Error) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

/// Connections that read.
#[derive(Debug)]
pub struct PostgresReaders {
    keyed: PgPool,
    searches: PgPool,
    journals: Journals,
}

impl PostgresReaders {
    pub(super) fn new(keyed: PgPool, searches: PgPool) -> Self {
        Self { journals: Journals::start(keyed.clone(), ANSWER_WAIT_MAX), keyed, searches }
    }
}

/// The rows that answer a query. A search is planned anew each time: which index serves best
/// depends on what is looked for. The plan of any other query is kept, unless the schema has changed
/// under it.
pub(super) async fn rows(
    pool: &PgPool,
    statement: &'static str,
    parameters: Vec<Parameter>,
) -> Result<Vec<PgRow>, StoreError> {
    let asked = async {
        let kept = !SEARCHES.contains(&statement);
        let mut connection = pool.acquire().await?;
        let asked = with_values(statement, parameters.clone()).persistent(kept);
        match asked.fetch_all(&mut *connection).await {
            Err(error) if is_of_the_plans(&error) => {
                connection.clear_cached_statements().await?;
                with_values(statement, parameters).fetch_all(&mut *connection).await
            }
            answer => answer,
        }
    };
    let rows = timeout(ANSWER_WAIT_MAX, asked).await.map_err(|_| silent())?;
    rows.map_err(|error| read::unavailable(&error))
}

#[async_trait]
impl Readers for PostgresReaders {
    type Row = PgRow;

    fn statements(&self) -> &'static Statements {
        &STATEMENTS
    }

    async fn rows(
        &self,
        statement: &'static str,
        parameters: Vec<Parameter>,
    ) -> Result<Vec<PgRow>, StoreError> {
        let pool = if SEARCHES.contains(&statement) { &self.searches } else { &self.keyed };
        rows(pool, statement, parameters).await
    }

    async fn journal(&self, transfer: TransferId) -> Result<Vec<PgRow>, StoreError> {
        self.journals.read(transfer).await
    }

    async fn close(&self) {
        tokio::join!(self.keyed.close(), self.searches.close());
    }
}
