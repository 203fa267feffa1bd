//! The queries that the store answers, and the rows that it answers with.

use async_trait::async_trait;
use kiungo_domain::transfer::{CaseKind, Kind, Operation, Status, StepName};
use kiungo_domain::{CoreId, Currency, Money, Msisdn, ProviderId, Receipt, Timestamp, TransferId};
use serde::{Deserialize, Serialize};

use crate::{InboxId, StoreError, Summary};

/// A search for transfers; every field that is given must fit. At least the page's bound always
/// holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransferQuery {
    /// One of these; all if empty.
    pub statuses: Vec<Status>,
    /// This kind.
    pub kind: Option<Kind>,
    /// This provider.
    pub provider: Option<ProviderId>,
    /// This wallet.
    pub msisdn: Option<Msisdn>,
    /// This receipt, of a provider or of a core.
    pub receipt: Option<Receipt>,
    /// This id of another system.
    pub client_reference: Option<String>,
    /// This account, as its term ([`crate::terms::account_term`]): its number or id in the core, a
    /// name under which it was asked for, or the text that a payer typed.
    pub account: Option<String>,
    /// This gross amount.
    pub amount: Option<Money>,
    /// Of one of these cores; all if empty.
    pub cores: Vec<CoreId>,
    /// Of one of these providers; all if empty.
    pub providers: Vec<ProviderId>,
    /// Of one of these kinds; all if empty.
    pub kinds: Vec<Kind>,
    /// Received at or after.
    pub from: Option<Timestamp>,
    /// Received before.
    pub to: Option<Timestamp>,
    /// The end of the page before.
    pub cursor: Option<Cursor>,
    /// The largest number of rows; 0 counts as 50, more than 500 as 500.
    pub limit: u32,
}

/// A search for collections under way of which a payment that the provider tells of may be the
/// result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionQuery {
    /// The provider.
    pub provider: ProviderId,
    /// The gross amount.
    pub amount: Money,
    /// From this wallet.
    pub msisdn: Option<Msisdn>,
    /// With this label ([`kiungo_domain::party::label_of`]), whatever its letters' case.
    pub label: Option<String>,
}

/// A search for requests of cores.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CoreRequestQuery {
    /// Of this core.
    pub core: Option<CoreId>,
    /// Only those that wait for a person.
    pub waiting: bool,
    /// The end of the page before.
    pub cursor: Option<Cursor>,
    /// The largest number of rows; 0 counts as 50, more than 500 as 500.
    pub limit: u32,
}

/// The end of a page; opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// A page of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// The start of the next page, if there is one.
    pub next: Option<Cursor>,
}

/// An open case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRow {
    /// The transfer, where it is about one.
    pub transfer: Option<TransferId>,
    /// The inbox item, where it is about one.
    pub inbox: Option<InboxId>,
    /// The kind of question.
    pub kind: CaseKind,
    /// The step of the transfer that it is about; `None` for the transfer as a whole.
    pub step: Option<StepName>,
    /// The provider's operation that is held; `None` for all other cases.
    pub operation: Option<Operation>,
    /// The evidence, for people.
    pub detail: String,
    /// The provider.
    pub provider: ProviderId,
    /// The time at which the case was opened.
    pub opened_at: Timestamp,
}

/// The balance of a ledger account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerBalance {
    /// The account, for example `transit:mpesa-tz`.
    pub account: String,
    /// The currency.
    pub currency: Currency,
    /// Debits minus credits, in minor units.
    pub minor: i64,
}

/// Counts for metrics and back-pressure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overview {
    /// The number of transfers by kind, provider and status.
    pub transfers: Vec<(Kind, ProviderId, Status, u64)>,
    /// The number of transfers that are not final.
    pub open: u64,
    /// The number of transfers whose due time has passed.
    pub due: u64,
    /// The time at which the oldest transfer that is not final was received; later events do not
    /// make it younger.
    pub oldest_open: Option<Timestamp>,
    /// The time since which the oldest unknown has been one; `None` if there is no unknown.
    pub oldest_unknown: Option<Timestamp>,
    /// Suspended money by provider and currency, in minor units.
    pub suspense: Vec<(ProviderId, Currency, i64)>,
    /// The number of inbox items that wait.
    pub inbox_waiting: u64,
    /// The number of inbox items that are quarantined.
    pub quarantined: u64,
}

/// The views over all transfers, arrivals and holds, for people, metrics and back-pressure.
#[async_trait]
pub trait Reports: Send + Sync {
    /// Transfers by what is known of them, newest first.
    async fn search(&self, query: &TransferQuery) -> Result<Page<Summary>, StoreError>;

    /// Open cases, newest first: those of transfers, and quarantined inbox items.
    async fn cases(&self, cursor: Option<&Cursor>, limit: u32)
    -> Result<Page<CaseRow>, StoreError>;

    /// The balance of every ledger account and currency.
    async fn ledger(&self) -> Result<Vec<LedgerBalance>, StoreError>;

    /// Counts for metrics and back-pressure, cheap enough to be asked every second.
    async fn overview(&self, now: Timestamp) -> Result<Overview, StoreError>;
}
