//! The store in a `SQLite` file: the default, for one machine.
//!
//! * [`options`]: where it is, its bounds, and why it may not open
//! * [`open`], [`lock`], [`schema`]: opening it
//! * [`sql`]: every statement
//! * [`writer`]: the one connection that writes, behind the committer
//! * [`read`], [`search`]: rows read back, and the ways into a search

mod lock;
mod open;
mod options;
mod read;
mod schema;
mod search;
mod sql;
#[cfg(test)]
mod tests;
mod writer;

use async_trait::async_trait;
use kiungo_domain::transfer::{Entry, Posting, Status};
use kiungo_domain::{Currency, Money, ProviderId, Receipt, Timestamp, Transfer, TransferId};
use sqlx::Sqlite;
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteRow};

use crate::batch::committer::{Bounds, Committer, unrefused};
use crate::batch::request::{Done, Request};
use crate::batch::rows;
use crate::page::{Position, page, page_limit};
use crate::{
    Arrival, CaseRow, Change, CommitError, Cursor, InboxId, InboxItem, InboxState, KeyHolder,
    LedgerBalance, NewArrival, Overview, Page, Store, StoreError, Summary, TransferQuery,
    WalletPeriod, check, words,
};
pub use options::{OpenError, SqliteOptions};

/// A store in a `SQLite` file, open for as long as it lives.
#[derive(Debug)]
pub struct SqliteStore {
    committer: Committer,
    readers: SqlitePool,
}

type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

impl SqliteStore {
    /// Opens the database and brings its schema up to date; creates it if there is none.
    pub async fn open(options: &SqliteOptions) -> Result<Self, OpenError> {
        let (writer, readers) = open::open(options).await?;
        let SqliteOptions { batch_max, queue_max, .. } = *options;
        let committer = Committer::start(writer, Bounds { batch_max, queue_max });
        Ok(Self { committer, readers })
    }

    /// Commits what waits, folds the log into the database, and releases it. Whatever is asked
    /// later is [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.readers.close().await;
        self.committer.close().await;
    }

    async fn rows(&self, query: Query) -> Result<Vec<SqliteRow>, StoreError> {
        query.fetch_all(&self.readers).await.map_err(|error| read::unavailable(&error))
    }

    async fn row(&self, query: Query) -> Result<Option<SqliteRow>, StoreError> {
        query.fetch_optional(&self.readers).await.map_err(|error| read::unavailable(&error))
    }

    /// The one number that a statement answers with.
    async fn number(&self, query: Query) -> Result<Option<i64>, StoreError> {
        self.row(query).await?.map(|row| read::integer(&row, 0)).transpose()
    }

    async fn count(&self, query: Query) -> Result<u64, StoreError> {
        let count = self.number(query).await?.unwrap_or(0);
        u64::try_from(count).map_err(|_| StoreError::Corrupt("a count below zero".to_owned()))
    }

    async fn counts(&self) -> Result<CountRows, StoreError> {
        let rows = self.rows(sqlx::query(sql::COUNTS)).await?;
        let count = |row: &SqliteRow| {
            let kind = words::kind(read::text(row, 0)?)?;
            let provider = words::provider(read::text(row, 1)?)?;
            let status = words::status(read::text(row, 2)?)?;
            Ok((kind, provider, status, read::unsigned(row, 3)?))
        };
        rows.iter().map(count).collect()
    }

    /// The suspense accounts are liabilities, so what they hold stands below zero.
    async fn suspense(&self) -> Result<Vec<(ProviderId, Currency, i64)>, StoreError> {
        let rows = self.rows(sqlx::query(sql::SUSPENSE)).await?;
        let suspended = |row: &SqliteRow| {
            let account = read::text(row, 0)?;
            let provider = account.strip_prefix("suspense:").unwrap_or(account);
            let currency = words::currency(read::text(row, 1)?)?;
            Ok((words::provider(provider)?, currency, read::integer(row, 2)?.saturating_neg()))
        };
        rows.iter().map(suspended).collect()
    }
}

type CountRows = Vec<(kiungo_domain::Kind, ProviderId, Status, u64)>;

#[async_trait]
impl Store for SqliteStore {
    async fn commit(&self, change: Change) -> Result<(), CommitError> {
        self.committer.ask(Request::commit(change)?).await.map(drop)
    }

    async fn transfer(&self, id: TransferId) -> Result<Option<Transfer>, StoreError> {
        check::fold(id, &self.journal(id).await?)
    }

    async fn journal(&self, id: TransferId) -> Result<Vec<Entry>, StoreError> {
        let rows = self.rows(sqlx::query(sql::JOURNAL).bind(id.to_string())).await?;
        rows.iter().map(read::entry).collect()
    }

    async fn postings(&self, id: TransferId) -> Result<Vec<Posting>, StoreError> {
        let rows = self.rows(sqlx::query(sql::POSTINGS).bind(id.to_string())).await?;
        rows.iter().map(read::posting).collect()
    }

    async fn summary(&self, id: TransferId) -> Result<Option<Summary>, StoreError> {
        let row = self.row(sqlx::query(sql::SUMMARY).bind(id.to_string())).await?;
        row.map(|row| read::json(&row, 0)).transpose()
    }

    async fn search(&self, query: &TransferQuery) -> Result<Page<Summary>, StoreError> {
        search::search(&self.readers, query).await
    }

    async fn moved(&self, period: &WalletPeriod) -> Result<Money, StoreError> {
        let kinds: Vec<_> = period.kinds().map(kiungo_domain::Kind::as_str).collect();
        let query = sqlx::query(sql::MOVED)
            .bind(period.msisdn.digits().to_owned())
            .bind(period.from.as_micros())
            .bind(period.to.as_micros())
            .bind(period.provider.as_str().to_owned())
            .bind(rows::json(&kinds)?)
            .bind(rows::json(&WalletPeriod::WITHOUT.map(Status::as_str))?)
            .bind(period.currency.code().to_owned());
        let minor = self.number(query).await?.unwrap_or(0);
        let below_zero = || StoreError::Corrupt("a sum of amounts below zero".to_owned());
        Money::from_minor(minor, period.currency).ok_or_else(below_zero)
    }

    async fn due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Timestamp)>, StoreError> {
        let query = sqlx::query(sql::DUE).bind(now.as_micros()).bind(i64::from(limit));
        let rows = self.rows(query).await?;
        let due =
            |row: &SqliteRow| Ok((words::transfer_id(read::text(row, 0)?)?, read::time(row, 1)?));
        rows.iter().map(due).collect()
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.number(sqlx::query(sql::NEXT_DUE)).await?.map(Timestamp::from_micros))
    }

    async fn holding_accounts(&self) -> Result<Vec<Summary>, StoreError> {
        let rows = self.rows(sqlx::query(sql::HOLDING_ACCOUNTS)).await?;
        rows.iter().map(|row| read::json(row, 0)).collect()
    }

    async fn postpone(
        &self,
        id: TransferId,
        version: u64,
        due: Timestamp,
    ) -> Result<(), StoreError> {
        unrefused(self.committer.ask(Request::Postpone { id, version, due }).await).map(drop)
    }

    async fn by_receipt(
        &self,
        provider: &ProviderId,
        receipt: &Receipt,
    ) -> Result<Option<TransferId>, StoreError> {
        let (receipt, provider) = (receipt.as_str().to_owned(), provider.as_str().to_owned());
        let row = self.row(sqlx::query(sql::BY_RECEIPT).bind(receipt).bind(provider)).await?;
        row.map(|row| words::transfer_id(read::text(&row, 0)?)).transpose()
    }

    async fn key_holder(&self, client: &str, key: &str) -> Result<Option<KeyHolder>, StoreError> {
        let query = sqlx::query(sql::KEY_HOLDER).bind(client.to_owned()).bind(key.to_owned());
        let Some(row) = self.row(query).await? else { return Ok(None) };
        let transfer = words::transfer_id(read::text(&row, 0)?)?;
        Ok(Some(KeyHolder { transfer, digest: read::text(&row, 1)?.to_owned() }))
    }

    async fn arrive(&self, arrival: NewArrival) -> Result<Arrival, StoreError> {
        match unrefused(self.committer.ask(Request::Arrive(arrival)).await)? {
            Done::Arrived(arrival) => Ok(arrival),
            Done::Applied => Err(StoreError::Corrupt("an arrival without a number".to_owned())),
        }
    }

    async fn inbox_due(&self, now: Timestamp, limit: u32) -> Result<Vec<InboxItem>, StoreError> {
        let query = sqlx::query(sql::INBOX_DUE).bind(now.as_micros()).bind(i64::from(limit));
        self.rows(query).await?.iter().map(read::inbox_item).collect()
    }

    async fn inbox_item(&self, id: InboxId) -> Result<Option<InboxItem>, StoreError> {
        let row = self.row(sqlx::query(sql::INBOX_ITEM).bind(id.0)).await?;
        row.map(|row| read::inbox_item(&row)).transpose()
    }

    async fn set_inbox_state(&self, id: InboxId, state: InboxState) -> Result<(), StoreError> {
        unrefused(self.committer.ask(Request::SetInboxState(id, state)).await).map(drop)
    }

    async fn cases(
        &self,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<CaseRow>, StoreError> {
        let after = Position::<String>::after(cursor)?;
        let limit = page_limit(limit);
        let query = sqlx::query(sql::CASES)
            .bind(after.as_ref().map_or(i64::MAX, |position| position.at.as_micros()))
            .bind(after.map(|position| position.key))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1);
        let rows = self.rows(query).await?;
        let rows: Result<_, StoreError> = rows.iter().map(read::case).collect();
        Ok(page(rows?, limit))
    }

    async fn ledger(&self) -> Result<Vec<LedgerBalance>, StoreError> {
        let rows = self.rows(sqlx::query(sql::LEDGER)).await?;
        let balance = |row: &SqliteRow| {
            let currency = words::currency(read::text(row, 1)?)?;
            let account = read::text(row, 0)?.to_owned();
            Ok(LedgerBalance { account, currency, minor: read::integer(row, 2)? })
        };
        rows.iter().map(balance).collect()
    }

    async fn overview(&self, now: Timestamp) -> Result<Overview, StoreError> {
        let transfers = self.counts().await?;
        let open = transfers.iter().filter(|(_, _, status, _)| !status.is_final());
        let oldest_open = self.number(sqlx::query(sql::OLDEST_OPEN)).await?;
        let oldest_unknown = self.number(sqlx::query(sql::OLDEST_UNKNOWN)).await?;
        Ok(Overview {
            open: open.map(|(.., count)| count).sum(),
            transfers,
            due: self.count(sqlx::query(sql::DUE_COUNT).bind(now.as_micros())).await?,
            oldest_open: oldest_open.map(Timestamp::from_micros),
            oldest_unknown: oldest_unknown.map(Timestamp::from_micros),
            suspense: self.suspense().await?,
            inbox_waiting: self.count(sqlx::query(sql::INBOX_WAITING_COUNT)).await?,
            quarantined: self.count(sqlx::query(sql::QUARANTINED_COUNT)).await?,
        })
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.number(sqlx::query(sql::PING)).await.map(drop)
    }
}
