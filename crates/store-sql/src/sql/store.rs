//! The store.

use async_trait::async_trait;
use kiungo_domain::hold::Condition;
use kiungo_domain::transfer::{Entry, Operation, Posting, Status};
use kiungo_domain::{
    CoreId, Currency, Kind, ProviderId, Receipt, Slot, Timestamp, Transfer, TransferId,
};
use kiungo_store::outbox::READ_MAX as OUTBOX_MAX;
use kiungo_store::page::{Position, page, page_limit};
use kiungo_store::summary::comparable;
use kiungo_store::{
    Action, ActionId, ActionQuery, Arrival, CaseRow, Change, CollectionQuery, CommitError,
    CoreRequestQuery, CoreRequestRow, Cursor, Hold, InboxId, InboxItem, InboxState, KeyHolder,
    Lease, LedgerBalance, NewArrival, OutboxRow, Overview, Page, Store, StoreError, Summary,
    TransferQuery, check, codec, lease,
};

use super::session::{Parameter, Readers};
use super::{actions, holds, read, requests, search};
use crate::batch::committer::{Committer, unrefused};
use crate::batch::maintenance::{Maintenance, MaintenanceResult, Taking};
use crate::batch::request::{Done, Request};

/// A store in an SQL database, open for as long as it lives.
#[derive(Debug)]
pub struct SqlStore<R> {
    committer: Committer,
    readers: R,
    /// True if news is written to the outbox.
    outbox: bool,
}

impl<R: Readers> SqlStore<R> {
    pub(crate) const fn new(committer: Committer, readers: R, outbox: bool) -> Self {
        Self { committer, readers, outbox }
    }

    /// Commits the requests that wait, leaves the database tidy, and releases it. Later requests
    /// are [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.readers.close().await;
        self.committer.close().await;
    }

    async fn row(
        &self,
        statement: &'static str,
        parameters: Vec<Parameter>,
    ) -> Result<Option<R::Row>, StoreError> {
        Ok(self.readers.rows(statement, parameters).await?.into_iter().next())
    }

    /// The one number that a statement answers with.
    async fn number(
        &self,
        statement: &'static str,
        parameters: Vec<Parameter>,
    ) -> Result<Option<i64>, StoreError> {
        let row = self.row(statement, parameters).await?;
        row.map(|row| read::integer(&row, 0)).transpose()
    }

    async fn time(&self, statement: &'static str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.number(statement, Vec::new()).await?.map(Timestamp::from_micros))
    }

    async fn count(
        &self,
        statement: &'static str,
        parameters: Vec<Parameter>,
    ) -> Result<u64, StoreError> {
        let count = self.number(statement, parameters).await?.unwrap_or(0);
        u64::try_from(count).map_err(|_| StoreError::Corrupt("a count below zero".to_owned()))
    }

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

/// The error about a maintenance task that brought the result of another one.
fn strange(brought: &MaintenanceResult) -> StoreError {
    StoreError::Corrupt(format!("a maintenance task brought {brought:?}"))
}

type CountRows = Vec<(Kind, ProviderId, Status, u64)>;

fn id(id: TransferId) -> Vec<Parameter> {
    vec![text(id.to_string())]
}

fn text(text: impl Into<String>) -> Parameter {
    Parameter::Text(Some(text.into()))
}

fn time(time: Timestamp) -> Parameter {
    Parameter::Integer(time.as_micros())
}

fn until(now: Timestamp, limit: u32) -> Vec<Parameter> {
    vec![time(now), Parameter::Integer(i64::from(limit))]
}

#[async_trait]
impl<R: Readers> Store for SqlStore<R> {
    async fn commit(&self, change: Change) -> Result<(), CommitError> {
        self.committer.ask(Request::commit(change, self.outbox)?).await.map(drop)
    }

    async fn transfer(&self, id: TransferId) -> Result<Option<Transfer>, StoreError> {
        check::fold(id, &self.journal(id).await?)
    }

    async fn journal(&self, transfer: TransferId) -> Result<Vec<Entry>, StoreError> {
        let rows = self.readers.rows(self.readers.statements().journal, id(transfer)).await?;
        rows.iter().map(read::entry).collect()
    }

    async fn postings(&self, transfer: TransferId) -> Result<Vec<Posting>, StoreError> {
        let rows = self.readers.rows(self.readers.statements().postings, id(transfer)).await?;
        rows.iter().map(read::posting).collect()
    }

    async fn summary(&self, transfer: TransferId) -> Result<Option<Summary>, StoreError> {
        let row = self.row(self.readers.statements().summary, id(transfer)).await?;
        row.map(|row| read::json(&row, 0)).transpose()
    }

    async fn search(&self, query: &TransferQuery) -> Result<Page<Summary>, StoreError> {
        search::search(&self.readers, query).await
    }

    async fn due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Timestamp)>, StoreError> {
        let rows = self.readers.rows(self.readers.statements().due, until(now, limit)).await?;
        let due =
            |row: &R::Row| Ok((codec::transfer_id(read::text(row, 0)?)?, read::time(row, 1)?));
        rows.iter().map(due).collect()
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.time(self.readers.statements().next_due).await
    }

    async fn holding_accounts(&self) -> Result<Vec<Summary>, StoreError> {
        let statement = self.readers.statements().holding_accounts;
        let rows = self.readers.rows(statement, Vec::new()).await?;
        rows.iter().map(|row| read::json(row, 0)).collect()
    }

    async fn collections(&self, query: &CollectionQuery) -> Result<Vec<TransferId>, StoreError> {
        let parameters = vec![
            text(query.provider.as_str()),
            text(comparable(query.amount)),
            Parameter::Text(query.msisdn.as_ref().map(|msisdn| msisdn.digits().to_owned())),
            Parameter::Text(query.label.as_ref().map(|label| label.to_ascii_uppercase())),
        ];
        let rows = self.readers.rows(self.readers.statements().collections, parameters).await?;
        let found = rows.iter().map(|row| codec::transfer_id(read::text(row, 0)?));
        let mut found = found.collect::<Result<Vec<_>, StoreError>>()?;
        found.sort_unstable();
        Ok(found)
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
        let parameters = vec![text(receipt.as_str()), text(provider.as_str())];
        let row = self.row(self.readers.statements().by_receipt, parameters).await?;
        row.map(|row| codec::transfer_id(read::text(&row, 0)?)).transpose()
    }

    async fn key_holder(&self, client: &str, key: &str) -> Result<Option<KeyHolder>, StoreError> {
        let parameters = vec![text(client), text(key)];
        let row = self.row(self.readers.statements().key_holder, parameters).await?;
        let Some(row) = row else { return Ok(None) };
        let transfer = codec::transfer_id(read::text(&row, 0)?)?;
        Ok(Some(KeyHolder { transfer, digest: read::text(&row, 1)?.to_owned() }))
    }

    async fn arrive(&self, arrival: NewArrival) -> Result<Arrival, StoreError> {
        match unrefused(self.committer.ask(Request::Arrive(arrival)).await)? {
            Done::Arrived(arrival) => Ok(arrival),
            Done::Applied | Done::Unchanged => {
                Err(StoreError::Corrupt("an arrival without a number".to_owned()))
            }
        }
    }

    async fn arrived(
        &self,
        provider: &ProviderId,
        digest: &str,
    ) -> Result<Option<InboxItem>, StoreError> {
        let parameters = vec![text(provider.as_str()), text(digest)];
        let row = self.row(self.readers.statements().arrived, parameters).await?;
        row.map(|row| read::inbox_item(&row)).transpose()
    }

    async fn inbox_due(&self, now: Timestamp, limit: u32) -> Result<Vec<InboxItem>, StoreError> {
        let statement = self.readers.statements().inbox_due;
        let rows = self.readers.rows(statement, until(now, limit)).await?;
        rows.iter().map(read::inbox_item).collect()
    }

    async fn inbox_item(&self, id: InboxId) -> Result<Option<InboxItem>, StoreError> {
        let parameters = vec![Parameter::Integer(id.0)];
        let row = self.row(self.readers.statements().inbox_item, parameters).await?;
        row.map(|row| read::inbox_item(&row)).transpose()
    }

    async fn set_inbox_state(&self, id: InboxId, state: InboxState) -> Result<(), StoreError> {
        unrefused(self.committer.ask(Request::SetInboxState(id, state)).await).map(drop)
    }

    async fn decide_inbox_state(&self, id: InboxId, state: InboxState) -> Result<bool, StoreError> {
        let decided = self.committer.ask(Request::DecideInboxState(id, state)).await;
        Ok(unrefused(decided)? == Done::Applied)
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
            oldest_open: self.time(statements.oldest_open).await?,
            oldest_unknown: self.time(statements.oldest_unknown).await?,
            suspense: self.suspense().await?,
            inbox_waiting: self.count(statements.inbox_waiting_count, Vec::new()).await?,
            quarantined: self.count(statements.quarantined_count, Vec::new()).await?,
        })
    }

    async fn archive(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        Ok(self.committer.maintenance(Maintenance::Archive { before, limit }).await?.rows())
    }

    async fn take_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(TransferId, Slot)>, StoreError> {
        match self.committer.maintenance(Maintenance::TakeDue(Taking { now, until, limit })).await?
        {
            MaintenanceResult::Transfers(taken) => Ok(taken),
            other => Err(strange(&other)),
        }
    }

    async fn take_inbox_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<InboxId>, StoreError> {
        match self
            .committer
            .maintenance(Maintenance::TakeInboxDue(Taking { now, until, limit }))
            .await?
        {
            MaintenanceResult::Items(taken) => Ok(taken),
            other => Err(strange(&other)),
        }
    }

    async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        lease::check_names(name, holder)?;
        let (name, holder) = (name.to_owned(), holder.to_owned());
        let maintenance = Maintenance::TakeLease { name, holder, now, until };
        Ok(self.committer.maintenance(maintenance).await?.rows() > 0)
    }

    async fn give_lease_back(&self, name: &str, holder: &str) -> Result<(), StoreError> {
        let (name, holder) = (name.to_owned(), holder.to_owned());
        self.committer.maintenance(Maintenance::GiveLeaseBack { name, holder }).await.map(drop)
    }

    async fn leases(&self, prefix: &str, now: Timestamp) -> Result<Vec<Lease>, StoreError> {
        let limit = Parameter::Integer(i64::from(lease::LISTED_MAX));
        let parameters = vec![text(prefix), time(now), limit];
        let rows = self.readers.rows(self.readers.statements().leases, parameters).await?;
        rows.iter().map(read::lease).collect()
    }

    async fn outbox(&self, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let limit = vec![Parameter::Integer(i64::from(limit.min(OUTBOX_MAX)))];
        let rows = self.readers.rows(self.readers.statements().outbox, limit).await?;
        rows.iter().map(read::outgoing).collect()
    }

    async fn told(&self, numbers: &[i64]) -> Result<(), StoreError> {
        for numbers in numbers.chunks(OUTBOX_MAX as usize) {
            self.committer.maintenance(Maintenance::Told(numbers.to_vec())).await?;
        }
        Ok(())
    }

    async fn put_action(&self, action: Action) -> Result<bool, StoreError> {
        let maintenance = Maintenance::PutAction(Box::new(action));
        Ok(self.committer.maintenance(maintenance).await?.rows() > 0)
    }

    async fn action(&self, id: ActionId) -> Result<Option<Action>, StoreError> {
        actions::one(&self.readers, id).await
    }

    async fn actions(&self, query: &ActionQuery) -> Result<Page<Action>, StoreError> {
        actions::list(&self.readers, query).await
    }

    async fn put_core_request(&self, row: CoreRequestRow) -> Result<bool, StoreError> {
        Ok(self.committer.maintenance(Maintenance::PutCoreRequest(Box::new(row))).await?.rows() > 0)
    }

    async fn core_request(
        &self,
        core: &CoreId,
        request: &str,
    ) -> Result<Option<CoreRequestRow>, StoreError> {
        let rows = requests::known(&self.readers, core, &[request.to_owned()]).await?;
        Ok(rows.into_iter().next())
    }

    async fn known_core_requests(
        &self,
        core: &CoreId,
        requests: &[String],
    ) -> Result<Vec<CoreRequestRow>, StoreError> {
        requests::known(&self.readers, core, requests).await
    }

    async fn accepted_core_requests(
        &self,
        core: &CoreId,
        limit: u32,
    ) -> Result<Vec<CoreRequestRow>, StoreError> {
        requests::accepted(&self.readers, core, limit).await
    }

    async fn core_requests(
        &self,
        query: &CoreRequestQuery,
    ) -> Result<Page<CoreRequestRow>, StoreError> {
        requests::list(&self.readers, query).await
    }

    async fn pull_due(&self, now: Timestamp) -> Result<(), StoreError> {
        self.committer.maintenance(Maintenance::PullDue(now)).await.map(drop)
    }

    async fn put_hold(&self, hold: Hold) -> Result<(), StoreError> {
        self.committer.maintenance(Maintenance::PutHold(Box::new(hold))).await.map(drop)
    }

    async fn release_hold(
        &self,
        provider: &ProviderId,
        operation: Operation,
        condition: Condition,
    ) -> Result<bool, StoreError> {
        let maintenance = Maintenance::ReleaseHold(provider.clone(), operation, condition);
        Ok(self.committer.maintenance(maintenance).await?.rows() > 0)
    }

    async fn holds(&self) -> Result<Vec<Hold>, StoreError> {
        holds::list(&self.readers).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.number(self.readers.statements().ping, Vec::new()).await?;
        if self.committer.is_failing() {
            // Reading goes on where writing does not: one row is written, over and over.
            let (name, holder) = ("ping".to_owned(), "ping".to_owned());
            let (now, until) = (Timestamp::from_micros(0), Timestamp::from_micros(0));
            self.committer.maintenance(Maintenance::TakeLease { name, holder, now, until }).await?;
        }
        Ok(())
    }
}
