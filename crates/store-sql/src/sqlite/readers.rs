//! Connections that read, on the runtime's threads for blocking work.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use kiungo_store::StoreError;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::row::SqliteRow;
use super::statements::STATEMENTS;
use super::{SqliteOptions, open};
use crate::batch::rows::json;
use crate::sql::{Parameter, Readers, Statements, read};

/// The longest time for which a query waits for a free connection before it fails.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Connections that read: opened when they are needed, and kept.
#[derive(Debug, Clone)]
pub struct SqliteReaders {
    path: PathBuf,
    /// One permit for each query that may run.
    permits: Arc<Semaphore>,
    connections_max: u32,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl SqliteReaders {
    /// At most `readers_max` connections, of which none is open yet.
    pub(super) fn new(options: &SqliteOptions) -> Self {
        let connections_max = options.readers_max.max(1);
        let permits = Arc::new(Semaphore::new(connections_max as usize));
        Self { path: options.path.clone(), permits, connections_max, idle: Arc::default() }
    }

    fn take(&self) -> rusqlite::Result<Connection> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| open::reader(&self.path), Ok)
    }

    /// Asks a connection. One that failed is not used again.
    fn ask(
        &self,
        statement: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> rusqlite::Result<Vec<SqliteRow>> {
        let connection = self.take()?;
        let rows = {
            let mut prepared = connection.prepare_cached(statement)?;
            SqliteRow::all(prepared.query(params_from_iter(values))?)?
        };
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(rows)
    }
}

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
        let unavailable = |why: &str| StoreError::Unavailable(why.to_owned());
        let values = parameters.into_iter().map(value).collect::<Result<Vec<_>, _>>()?;
        let permit = timeout(WAIT_MAX, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = permit.map_err(|_| unavailable("all connections that read are busy"))?;
        let permit = permit.map_err(|_| unavailable("the store is closed"))?;
        let readers = self.clone();
        let asked = spawn_blocking(move || {
            let rows = readers.ask(statement, values);
            drop(permit);
            rows
        });
        let rows = asked.await.map_err(|stopped| read::unavailable(&stopped))?;
        rows.map_err(|error| read::unavailable(&error))
    }

    async fn close(&self) {
        // Queries that run come to their end first, so that their connections are closed too.
        let _all = self.permits.acquire_many(self.connections_max).await;
        self.permits.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Words go in as a JSON array.
fn value(parameter: Parameter) -> Result<Value, StoreError> {
    Ok(match parameter {
        Parameter::Text(text) => text.into(),
        Parameter::Integer(number) => number.into(),
        Parameter::Words(words) => words.map(|words| json(&words)).transpose()?.into(),
    })
}
