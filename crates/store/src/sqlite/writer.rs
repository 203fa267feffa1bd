//! The one connection that writes, as the committer's backend.

use async_trait::async_trait;
use kiungo_domain::{Currency, ProviderId};
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};
use tracing::{info, warn};

use super::lock::WriterLock;
use super::{read, sql};
use crate::batch::facts::{Facts, Item, Standing, Wanted};
use crate::batch::rows::{OpenCaseRow, Rows, json};
use crate::batch::{Backend, BackendError};
use crate::{InboxId, KeyHolder, StoreError, words};

/// The writing connection, which is opened anew after it broke, and the lock that goes with it.
pub(super) struct Writer {
    options: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
    _lock: WriterLock,
}

impl Writer {
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

    /// Runs a statement on rows, unless there are none.
    async fn put<T: Serialize>(
        &mut self,
        statement: &'static str,
        rows: &[T],
    ) -> Result<(), BackendError> {
        if rows.is_empty() {
            return Ok(());
        }
        let rows = json(rows).map_err(BackendError::Row)?;
        let connection = self.connection().await?;
        sqlx::query(statement)
            .bind(rows)
            .execute(connection)
            .await
            .map_err(|error| failed(&error))
            .map(drop)
    }

    /// The rows that answer a statement about `wanted`, unless nothing is.
    async fn get<T: Serialize>(
        &mut self,
        statement: &'static str,
        wanted: Vec<T>,
    ) -> Result<Vec<SqliteRow>, BackendError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = json(&wanted).map_err(BackendError::Row)?;
        let connection = self.connection().await?;
        sqlx::query(statement)
            .bind(wanted)
            .fetch_all(connection)
            .await
            .map_err(|error| failed(&error))
    }

    async fn transfer_facts(
        &mut self,
        wanted: &Wanted,
        facts: &mut Facts,
    ) -> Result<(), BackendError> {
        let ids = wanted.transfers.iter().collect();
        for row in self.get(sql::FACTS_TRANSFERS, ids).await? {
            let (id, standing) = standing(&row).map_err(BackendError::Store)?;
            facts.transfers.insert(id, standing);
        }
        let receipts = wanted.receipts.iter().collect();
        for row in self.get(sql::FACTS_RECEIPTS, receipts).await? {
            let (name, owner) = receipt_owner(&row).map_err(BackendError::Store)?;
            facts.receipts.insert(name, owner);
        }
        let keys = wanted.keys.iter().collect();
        for row in self.get(sql::FACTS_KEYS, keys).await? {
            let (name, holder) = key_holder(&row).map_err(BackendError::Store)?;
            facts.keys.insert(name, holder);
        }
        Ok(())
    }

    async fn inbox_facts(
        &mut self,
        wanted: &Wanted,
        facts: &mut Facts,
    ) -> Result<(), BackendError> {
        let items = wanted.items.iter().collect();
        for row in self.get(sql::FACTS_ITEMS, items).await? {
            let (id, item) = item(&row).map_err(BackendError::Store)?;
            facts.items.insert(id, item);
        }
        if wanted.arrivals.is_empty() {
            return Ok(());
        }
        let arrivals = wanted.arrivals.iter().collect();
        for row in self.get(sql::FACTS_ARRIVALS, arrivals).await? {
            let (name, id) = arrived(&row).map_err(BackendError::Store)?;
            facts.arrivals.insert(name, id);
        }
        let connection = self.connection().await?;
        let next = sqlx::query_scalar(sql::INBOX_NEXT).fetch_one(connection).await;
        facts.inbox_next = next.map_err(|error| failed(&error))?;
        Ok(())
    }

    async fn put_transfers(&mut self, rows: &Rows) -> Result<(), BackendError> {
        self.put(sql::PUT_EVENTS, &rows.events).await?;
        self.put(sql::PUT_TRANSFERS, &rows.transfers).await?;
        let postponed: Vec<_> = rows.postponed.iter().collect();
        self.put(sql::PUT_POSTPONED, &postponed).await?;
        let counts = rows.counts.iter().filter(|(_, by)| **by != 0);
        let counts: Vec<_> =
            counts.map(|((kind, provider, status), by)| (kind, provider, status, by)).collect();
        self.put(sql::PUT_COUNTS, &counts).await?;
        self.put(sql::PUT_LEDGER, &rows.ledger).await?;
        let balances = rows.balances.iter();
        let balances: Vec<(&String, &Currency, &i64)> =
            balances.map(|((account, currency), by)| (account, currency, by)).collect();
        self.put(sql::PUT_BALANCES, &balances).await?;
        self.put(sql::PUT_RECEIPTS, &rows.receipts).await?;
        self.put(sql::PUT_KEYS, &rows.keys).await
    }

    async fn put_inbox(&mut self, rows: &Rows) -> Result<(), BackendError> {
        self.put(sql::PUT_ARRIVALS, &rows.arrivals).await?;
        let seen: Vec<_> = rows.seen.iter().collect();
        self.put(sql::PUT_SEEN, &seen).await?;
        let moves = rows.inbox.iter();
        let moves: Vec<_> =
            moves.map(|(id, to)| (id, to.state, to.due, &to.note, to.postponed)).collect();
        self.put(sql::PUT_INBOX, &moves).await
    }

    async fn put_cases(&mut self, rows: &Rows) -> Result<(), BackendError> {
        let closed = rows.cases.iter().filter(|(_, row)| row.is_none());
        let closed: Vec<&String> = closed.map(|(subject, _)| subject).collect();
        self.put(sql::CLOSE_CASES, &closed).await?;
        let (of_inbox, of_transfers): (Vec<&OpenCaseRow>, Vec<_>) =
            rows.cases.values().flatten().partition(|row| row.2.is_some());
        self.put(sql::OPEN_CASES, &of_transfers).await?;
        self.put(sql::OPEN_INBOX_CASES, &of_inbox).await
    }
}

#[async_trait]
impl Backend for Writer {
    async fn begin(&mut self) -> Result<(), BackendError> {
        // A plain BEGIN would turn into a writer only at the first write, and could fail there.
        self.run("BEGIN IMMEDIATE").await
    }

    async fn facts(&mut self, wanted: &Wanted) -> Result<Facts, BackendError> {
        let mut facts = Facts::default();
        self.transfer_facts(wanted, &mut facts).await?;
        self.inbox_facts(wanted, &mut facts).await?;
        Ok(facts)
    }

    async fn write(&mut self, rows: &Rows) -> Result<(), BackendError> {
        self.put_transfers(rows).await?;
        self.put_inbox(rows).await?;
        self.put_cases(rows).await
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

fn standing(row: &SqliteRow) -> Result<(kiungo_domain::TransferId, Standing), StoreError> {
    let standing = Standing {
        version: read::unsigned(row, 1)?,
        kind: words::kind(read::text(row, 2)?)?,
        provider: words::provider(read::text(row, 3)?)?,
        status: words::status(read::text(row, 4)?)?,
        has_case: read::integer(row, 5)? != 0,
    };
    Ok((words::transfer_id(read::text(row, 0)?)?, standing))
}

type ReceiptName = (ProviderId, kiungo_domain::Receipt);

fn receipt_owner(row: &SqliteRow) -> Result<(ReceiptName, kiungo_domain::TransferId), StoreError> {
    let name = (words::provider(read::text(row, 0)?)?, words::receipt(read::text(row, 1)?)?);
    Ok((name, words::transfer_id(read::text(row, 2)?)?))
}

fn key_holder(row: &SqliteRow) -> Result<((String, String), KeyHolder), StoreError> {
    let name = (read::text(row, 0)?.to_owned(), read::text(row, 1)?.to_owned());
    let digest = read::text(row, 2)?.to_owned();
    Ok((name, KeyHolder { transfer: words::transfer_id(read::text(row, 3)?)?, digest }))
}

fn item(row: &SqliteRow) -> Result<(InboxId, Item), StoreError> {
    let state = read::text(row, 1)?;
    let item = Item { handled: state == "handled", quarantined: state == "quarantined" };
    Ok((InboxId(read::integer(row, 0)?), item))
}

fn arrived(row: &SqliteRow) -> Result<((ProviderId, String), InboxId), StoreError> {
    let name = (words::provider(read::text(row, 0)?)?, read::text(row, 1)?.to_owned());
    Ok((name, InboxId(row.try_get(2).map_err(|error| read::unreadable(&error))?)))
}
