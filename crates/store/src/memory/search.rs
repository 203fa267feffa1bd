//! Queries over a store in memory.

use async_trait::async_trait;
use kiungo_domain::transfer::CaseKind;
use kiungo_domain::{Currency, ProviderId, Timestamp};

use super::MemoryStore;
use super::books::{Books, Record};
use crate::page::{Position, page, page_limit};
use crate::terms::terms;
use crate::{
    CaseRow, Cursor, LedgerBalance, Overview, Page, Reports, StoreError, Summary, TransferQuery,
    codec,
};

#[async_trait]
impl Reports for MemoryStore {
    async fn search(&self, query: &TransferQuery) -> Result<Page<Summary>, StoreError> {
        self.books().search(query)
    }

    async fn cases(
        &self,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<CaseRow>, StoreError> {
        self.books().list_cases(cursor, limit)
    }

    async fn ledger(&self) -> Result<Vec<LedgerBalance>, StoreError> {
        let books = self.books();
        let balances = books.ledger.iter().map(|((account, currency), minor)| LedgerBalance {
            account: account.clone(),
            currency: *currency,
            minor: *minor,
        });
        Ok(balances.collect())
    }

    async fn overview(&self, now: Timestamp) -> Result<Overview, StoreError> {
        self.books().overview(now)
    }
}

impl Books {
    pub(super) fn search(&self, query: &TransferQuery) -> Result<Page<Summary>, StoreError> {
        let after = Position::<i64>::after(query.cursor.as_ref())?;
        let limit = page_limit(query.limit);
        let newest_first = self.received.iter().rev();
        let rest = newest_first.filter(|(at, no, _)| match &after {
            Some(position) => (*at, *no) < (position.at, position.key),
            None => true,
        });
        let records = rest.filter_map(|(_, _, id)| self.transfers.get(id));
        let found = records.filter(|record| self.fits(record, query)).take(limit + 1);
        let rows = found.map(|record| {
            let summary = record.summary.clone();
            (Position { at: summary.received_at, key: record.no }, summary)
        });
        Ok(page(rows.collect(), limit))
    }

    fn fits(&self, record: &Record, query: &TransferQuery) -> bool {
        let summary = &record.summary;
        (!record.archived || query.receipt.is_some())
            && (query.statuses.is_empty() || query.statuses.contains(&summary.status))
            && query.kind.is_none_or(|kind| kind == summary.kind)
            && query.provider.as_ref().is_none_or(|provider| *provider == summary.provider)
            && (query.msisdn.is_none() || query.msisdn == summary.msisdn)
            && (query.client_reference.is_none()
                || query.client_reference == summary.client_reference)
            && (query.cores.is_empty() || query.cores.contains(&summary.core))
            && (query.providers.is_empty() || query.providers.contains(&summary.provider))
            && (query.kinds.is_empty() || query.kinds.contains(&summary.kind))
            && query.from.is_none_or(|from| summary.received_at >= from)
            && query.to.is_none_or(|to| summary.received_at < to)
            && self.fits_receipt(summary, query)
            && query.amount.is_none_or(|amount| amount == summary.amount)
            && query.account.as_ref().is_none_or(|account| terms(summary).contains(account))
    }

    /// A receipt that a provider gave for anything, refunds included, or the core's of the booking.
    fn fits_receipt(&self, summary: &Summary, query: &TransferQuery) -> bool {
        let Some(receipt) = &query.receipt else { return true };
        let owned = self.receipts.get(&(receipt.clone(), summary.provider.clone()));
        owned == Some(&summary.id) || summary.core_receipt.as_ref() == Some(receipt)
    }

    pub(super) fn list_cases(
        &self,
        cursor: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<CaseRow>, StoreError> {
        let after = Position::<String>::after(cursor)?;
        let limit = page_limit(limit);
        let newest_first = self.cases.iter().rev();
        let rest = newest_first.filter(|((at, subject), _)| match &after {
            Some(position) => (*at, subject) < (position.at, &position.key),
            None => true,
        });
        let rows = rest
            .take(limit + 1)
            .map(|((at, subject), row)| (Position { at: *at, key: subject.clone() }, row.clone()));
        Ok(page(rows.collect(), limit))
    }

    pub(super) fn overview(&self, now: Timestamp) -> Result<Overview, StoreError> {
        let mut transfers = Vec::new();
        for ((kind, provider, status), count) in &self.counts {
            if *count > 0 {
                transfers.push((
                    codec::kind(kind)?,
                    provider.clone(),
                    codec::status(status)?,
                    *count,
                ));
            }
        }
        let quarantined = self.cases.values().filter(|case| case.kind == CaseKind::Quarantined);
        let quarantined = quarantined.count() as u64;
        Ok(Overview {
            transfers,
            open: self.open.len() as u64,
            due: self.due.iter().take_while(|(due, ..)| *due <= now).count() as u64,
            oldest_open: self.open.first().map(|(received_at, _)| *received_at),
            oldest_unknown: self.unknown.first().map(|(since, _)| *since),
            suspense: self.suspense(),
            inbox_waiting: self.inbox_due.len() as u64,
            quarantined,
        })
    }

    fn suspense(&self) -> Vec<(ProviderId, Currency, i64)> {
        let suspended = self.ledger.iter().filter_map(|((account, currency), minor)| {
            let provider = ProviderId::new(account.strip_prefix("suspense:")?).ok()?;
            (*minor != 0).then_some((provider, *currency, minor.saturating_neg()))
        });
        suspended.collect()
    }
}
