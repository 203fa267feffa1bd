//! Reads and writes a batch, in a fixed order, and recognises that another process was quicker.

use std::collections::BTreeSet;

use async_trait::async_trait;
use kiungo_domain::{CoreAccount, ProviderId, Receipt, TransferId};
use kiungo_store::allowance::{Counter, Total, Use};
use kiungo_store::{InboxId, KeyHolder, StoreError, codec};

use super::session::{Record, Session, Write};
use super::stages::{Stages, counter_cells, lock_cells};
use super::{archive, maintenance, read};
use crate::batch::maintenance::{Maintenance, MaintenanceResult};
use crate::batch::read_set::{AccountLock, CurrentVersion, Item, ReadSet, Wanted};
use crate::batch::rows::Rows;
use crate::batch::table::Column::{self, Integer, Text};
use crate::batch::table::{Cell, Table};
use crate::batch::{Backend, BackendError};

/// One column of names.
const NAME: &[Column] = &[Text];
/// Two columns that make a name.
const NAMES: &[Column] = &[Text, Text];
/// Three that name a core account.
const ACCOUNT_LOCK: &[Column] = &[Text, Text, Text];
/// A column of numbers.
const NUMBER: &[Column] = &[Integer];
/// Five that name a total of a day.
const COUNTER: &[Column] = &[Integer, Text, Text, Text, Text];

/// The connection that writes, as the committer's backend.
pub(crate) struct Writer<S>(pub(crate) S);

impl<S: Session> Writer<S> {
    async fn get(
        &mut self,
        statement: &'static str,
        wanted: Table,
    ) -> Result<Vec<S::Row>, BackendError> {
        if wanted.is_empty() { Ok(Vec::new()) } else { self.0.get(statement, &wanted).await }
    }

    async fn standings(
        &mut self,
        ids: impl Iterator<Item = TransferId>,
        read_set: &mut ReadSet,
    ) -> Result<(), BackendError> {
        let ids = Table::of(NAME, ids.map(|id| [id.into()]));
        for row in self.get(S::STATEMENTS.facts_transfers, ids).await? {
            let (id, standing) = standing(&row).map_err(BackendError::Store)?;
            read_set.transfers.insert(id, standing);
        }
        Ok(())
    }

    async fn transfer_facts(
        &mut self,
        wanted: &Wanted,
        read_set: &mut ReadSet,
    ) -> Result<(), BackendError> {
        self.standings(wanted.transfers.iter().copied(), read_set).await?;
        let absent = wanted.transfers.iter().filter(|id| !read_set.transfers.contains_key(id));
        let absent: Vec<_> = absent.copied().collect();
        if archive::restore(&mut self.0, absent.iter().copied()).await? > 0 {
            self.standings(absent.into_iter(), read_set).await?;
        }
        let account_locks = Table::of(ACCOUNT_LOCK, wanted.account_locks.iter().map(lock_cells));
        for row in self.get(S::STATEMENTS.facts_account_locks, account_locks).await? {
            let (lock, holder) = lock_holder(&row).map_err(BackendError::Store)?;
            read_set.account_locks.insert(lock, holder);
        }
        let receipts = wanted.receipts.iter();
        let receipts = receipts
            .map(|(provider, receipt)| [provider.into(), Cell::Text(receipt.as_str().to_owned())]);
        let receipts = Table::of(NAMES, receipts);
        for row in self.get(S::STATEMENTS.facts_receipts, receipts).await? {
            let (name, owner) = receipt_owner(&row).map_err(BackendError::Store)?;
            read_set.receipts.insert(name, owner);
        }
        let keys = wanted.keys.iter();
        let keys = keys.map(|(client, key)| [client.clone().into(), key.clone().into()]);
        for row in self.get(S::STATEMENTS.facts_keys, Table::of(NAMES, keys)).await? {
            let (name, holder) = key_holder(&row).map_err(BackendError::Store)?;
            read_set.keys.insert(name, holder);
        }
        Ok(())
    }

    async fn inbox_facts(
        &mut self,
        wanted: &Wanted,
        read_set: &mut ReadSet,
    ) -> Result<(), BackendError> {
        let items = Table::of(NUMBER, wanted.items.iter().map(|id| [(*id).into()]));
        for row in self.get(S::STATEMENTS.facts_items, items).await? {
            let (id, item) = item(&row).map_err(BackendError::Store)?;
            read_set.items.insert(id, item);
        }
        let named = |(provider, digest): &(ProviderId, String)| {
            [Cell::from(provider), Cell::from(digest.clone())]
        };
        let arrivals = Table::of(NAMES, wanted.arrivals.iter().map(named));
        for row in self.get(S::STATEMENTS.facts_arrivals, arrivals).await? {
            let (name, id) = arrived(&row).map_err(BackendError::Store)?;
            read_set.arrivals.insert(name, id);
        }
        let is_stored = |name: &&(ProviderId, String)| read_set.arrivals.contains_key(*name);
        let new = wanted.arrivals.iter().filter(|name| !is_stored(name)).count() as u64;
        let new = Table::of(NUMBER, (1..=new).map(|ordinal| [ordinal.into()]));
        for row in self.get(S::STATEMENTS.inbox_numbers, new).await? {
            let number = read::integer(&row, 0).map_err(BackendError::Store)?;
            read_set.inbox_numbers.push_back(InboxId(number));
        }
        Ok(())
    }

    /// The totals that the batch touches, in their order. They come last: others wait for these
    /// rows until the commit. A transfer that counts where it is to count touches none.
    async fn day_facts(
        &mut self,
        wanted: &Wanted,
        read_set: &mut ReadSet,
    ) -> Result<(), BackendError> {
        let transfers = wanted.reckonings.iter().map(|reckoning| reckoning.transfer);
        let transfers: BTreeSet<_> = transfers.collect();
        let transfers = Table::of(NAME, transfers.into_iter().map(|id| [id.into()]));
        for row in self.get(S::STATEMENTS.facts_uses, transfers).await? {
            let (id, counts) = day_use(&row).map_err(BackendError::Store)?;
            read_set.uses.insert(id, counts);
        }
        let touched = wanted.reckonings.iter().flat_map(|reckoning| {
            reckoning.touches(read_set.uses.get(&reckoning.transfer).copied())
        });
        let touched: BTreeSet<_> = touched.collect();
        let touched = Table::of(COUNTER, touched.iter().map(counter_cells));
        for row in self.get(S::STATEMENTS.facts_totals, touched).await? {
            let (counter, total) = day_total(&row).map_err(BackendError::Store)?;
            read_set.totals.insert(counter, total);
        }
        Ok(())
    }

    /// Writes the rows of one stage. If some of them are not written, another process has written
    /// what they collide with.
    async fn put(&mut self, writes: &[Write<'_>]) -> Result<(), BackendError> {
        if writes.is_empty() {
            return Ok(());
        }
        let written = self.0.put_all(writes).await?;
        if written.len() == writes.len() && writes.iter().zip(written).all(|(w, n)| w.is_done(n)) {
            return Ok(());
        }
        let quicker = "another process changed the same at the same time".to_owned();
        Err(BackendError::Again(StoreError::Unavailable(quicker)))
    }
}

#[async_trait]
impl<S: Session> Backend for Writer<S> {
    async fn begin(&mut self) -> Result<(), BackendError> {
        self.0.begin().await
    }

    async fn read_set(&mut self, wanted: &Wanted) -> Result<ReadSet, BackendError> {
        let mut read_set = ReadSet::default();
        self.transfer_facts(wanted, &mut read_set).await?;
        self.inbox_facts(wanted, &mut read_set).await?;
        self.day_facts(wanted, &mut read_set).await?;
        Ok(read_set)
    }

    async fn write(&mut self, rows: &Rows) -> Result<(), BackendError> {
        let Stages { first, main, last } = Stages::of(S::STATEMENTS, rows);
        self.put(&first).await?;
        self.put(&main).await?;
        self.put(&last).await
    }

    async fn maintenance(
        &mut self,
        maintenance: &Maintenance,
    ) -> Result<MaintenanceResult, BackendError> {
        maintenance::run(&mut self.0, maintenance).await
    }

    async fn commit(&mut self) -> Result<(), BackendError> {
        self.0.commit().await
    }

    async fn rollback(&mut self) {
        self.0.rollback().await;
    }

    async fn close(&mut self) {
        self.0.close().await;
    }
}

fn standing(row: &impl Record) -> Result<(TransferId, CurrentVersion), StoreError> {
    let standing = CurrentVersion {
        version: read::unsigned(row, 1)?,
        kind: codec::kind(read::text(row, 2)?)?,
        provider: codec::provider(read::text(row, 3)?)?,
        status: codec::status(read::text(row, 4)?)?,
        has_case: read::integer(row, 5)? != 0,
        holds_account: read::integer(row, 6)? != 0,
    };
    Ok((codec::transfer_id(read::text(row, 0)?)?, standing))
}

fn lock_holder(row: &impl Record) -> Result<(AccountLock, TransferId), StoreError> {
    let account = CoreAccount {
        kind: codec::account_kind(read::text(row, 1)?)?,
        id: codec::account_id(read::text(row, 2)?)?,
    };
    let lock = AccountLock { core: codec::core(read::text(row, 0)?)?, account };
    Ok((lock, codec::transfer_id(read::text(row, 3)?)?))
}

fn day_total(row: &impl Record) -> Result<(Counter, Total), StoreError> {
    let counter = Counter {
        day: read::time(row, 0)?,
        provider: codec::provider(read::text(row, 1)?)?,
        operation: codec::wallet_operation(read::text(row, 2)?)?,
        currency: codec::currency(read::text(row, 3)?)?,
        wallet: read::text(row, 4)?.to_owned(),
    };
    Ok((counter, Total { minor: read::integer(row, 5)?, count: read::integer(row, 6)? }))
}

fn day_use(row: &impl Record) -> Result<(TransferId, Use), StoreError> {
    let counts = Use {
        day: read::time(row, 1)?,
        wallet: read::integer(row, 2)? != 0,
        organisation: read::integer(row, 3)? != 0,
    };
    Ok((codec::transfer_id(read::text(row, 0)?)?, counts))
}

type ReceiptName = (ProviderId, Receipt);

fn receipt_owner(row: &impl Record) -> Result<(ReceiptName, TransferId), StoreError> {
    let name = (codec::provider(read::text(row, 0)?)?, codec::receipt(read::text(row, 1)?)?);
    Ok((name, codec::transfer_id(read::text(row, 2)?)?))
}

fn key_holder(row: &impl Record) -> Result<((String, String), KeyHolder), StoreError> {
    let name = (read::text(row, 0)?.to_owned(), read::text(row, 1)?.to_owned());
    let digest = read::text(row, 2)?.to_owned();
    Ok((name, KeyHolder { transfer: codec::transfer_id(read::text(row, 3)?)?, digest }))
}

fn item(row: &impl Record) -> Result<(InboxId, Item), StoreError> {
    let item = Item { handled: read::integer(row, 1)? != 0, has_case: read::integer(row, 2)? != 0 };
    Ok((InboxId(read::integer(row, 0)?), item))
}

fn arrived(row: &impl Record) -> Result<((ProviderId, String), InboxId), StoreError> {
    let name = (codec::provider(read::text(row, 0)?)?, read::text(row, 1)?.to_owned());
    Ok((name, InboxId(read::integer(row, 2)?)))
}
