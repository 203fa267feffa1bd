//! The views over everything: searches, cases, the ledger, counts.

use async_trait::async_trait;
use kiungo_domain::transfer::Status;
use kiungo_domain::{Currency, Kind, ProviderId, Timestamp};
use kiungo_store::page::{Position, page, page_limit};
use kiungo_store::{
    CaseRow, Cursor, LedgerBalance, Overview, Page, Reports, StoreError, Summary, TransferQuery,
    codec,
};

use super::session::{Parameter, Readers};
use super::store::{SqlStore, time};
use super::{read, search};

type CountRows = Vec<(Kind, ProviderId, Status, u64)>;

#[async_trait]
impl<R: Readers> Reports for SqlStore<R> {
    async fn search(&self, query: &TransferQuery) -> Result<Page<Summary>, StoreError> {
        search::search(&self.readers, query).await
    }

    async fn cases(
        &self,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<CaseRow>, StoreError> {
        let after = Position::<String>::after(cursor)?;
        let limit = page_limit(limit);
        let parameters = vec![
            Parameter::Integer(after.as_ref().map_or(i64::MAX, |after| after.at.as_micros())),
            Parameter::Text(after.map(|after| after.key)),
            Parameter::Integer(i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1),
        ];
        let rows = self.readers.rows(self.readers.statements().cases, parameters).await?;
        let rows: Result<_, StoreError> = rows.iter().map(read::case).collect();
        Ok(page(rows?, limit))
    }

    async fn ledger(&self) -> Result<Vec<LedgerBalance>, StoreError> {
        let rows = self.readers.rows(self.readers.statements().ledger, Vec::new()).await?;
        let balance = |row: &R::Row| {
            let currency = codec::currency(read::text(row, 1)?)?;
            let account = read::text(row, 0)?.to_owned();
            Ok(LedgerBalance { account, currency, minor: read::integer(row, 2)? })
        };
        rows.iter().map(balance).collect()
    }

    async fn overview(&self, now: Timestamp) -> Result<Overview, StoreError> {
        let statements = self.readers.statements();
        let transfers = self.counts().await?;
        let open = transfers.iter().filter(|(_, _, status, _)| !status.is_final());
        Ok(Overview {
            open: open.map(|(.., count)| count).sum(),
            transfers,
            due: self.count(statements.due_count, vec![time(now)]).await?,
            oldest_open: self.time(statements.oldest_open, vec![open_statuses()]).await?,
            oldest_unknown: self.time(statements.oldest_unknown, Vec::new()).await?,
            suspense: self.suspense().await?,
            inbox_waiting: self.count(statements.inbox_waiting_count, Vec::new()).await?,
            quarantined: self.count(statements.quarantined_count, Vec::new()).await?,
        })
    }
}

fn open_statuses() -> Parameter {
    let open = Status::ALL.into_iter().filter(|status| !status.is_final());
    Parameter::Words(Some(open.map(|status| status.as_str().to_owned()).collect()))
}

impl<R: Readers> SqlStore<R> {
    async fn counts(&self) -> Result<CountRows, StoreError> {
        let rows = self.readers.rows(self.readers.statements().counts, Vec::new()).await?;
        let count = |row: &R::Row| {
            let kind = codec::kind(read::text(row, 0)?)?;
            let provider = codec::provider(read::text(row, 1)?)?;
            let status = codec::status(read::text(row, 2)?)?;
            Ok((kind, provider, status, read::unsigned(row, 3)?))
        };
        rows.iter().map(count).collect()
    }

    /// The suspense accounts are liabilities, so what they hold stands below zero.
    async fn suspense(&self) -> Result<Vec<(ProviderId, Currency, i64)>, StoreError> {
        let rows = self.readers.rows(self.readers.statements().suspense, Vec::new()).await?;
        let suspended = |row: &R::Row| {
            let account = read::text(row, 0)?;
            let provider = account.strip_prefix("suspense:").unwrap_or(account);
            let currency = codec::currency(read::text(row, 1)?)?;
            Ok((codec::provider(provider)?, currency, read::integer(row, 2)?.saturating_neg()))
        };
        rows.iter().map(suspended).collect()
    }
}
