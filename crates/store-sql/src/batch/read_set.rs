//! The rows that a batch is validated against.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kiungo_domain::transfer::{Kind, Status};
use kiungo_domain::{CoreAccount, CoreId, ProviderId, Receipt, Transfer, TransferId};
use kiungo_store::allowance::{Counter, Reckoning, Total, Use};
use kiungo_store::{InboxId, KeyHolder};

use super::request::Request;

/// The rows that the requests of a batch touch.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) transfers: BTreeSet<TransferId>,
    pub(crate) account_locks: BTreeSet<AccountLock>,
    pub(crate) receipts: BTreeSet<(ProviderId, Receipt)>,
    /// Client and key.
    pub(crate) keys: BTreeSet<(String, String)>,
    pub(crate) items: BTreeSet<InboxId>,
    /// Provider and digest.
    pub(crate) arrivals: BTreeSet<(ProviderId, String)>,
    /// The reckonings of transfers that may count on another day than before.
    pub(crate) reckonings: Vec<Reckoning>,
}

/// The stored state of those rows; a row that is not stored is absent.
#[derive(Debug, Default)]
pub(crate) struct ReadSet {
    pub(crate) transfers: BTreeMap<TransferId, CurrentVersion>,
    /// The transfer that holds each account.
    pub(crate) account_locks: BTreeMap<AccountLock, TransferId>,
    pub(crate) receipts: BTreeMap<(ProviderId, Receipt), TransferId>,
    pub(crate) keys: BTreeMap<(String, String), KeyHolder>,
    pub(crate) items: BTreeMap<InboxId, Item>,
    pub(crate) arrivals: BTreeMap<(ProviderId, String), InboxId>,
    /// The day on which each transfer of the reckonings counts.
    pub(crate) uses: BTreeMap<TransferId, Use>,
    /// The totals that they touch.
    pub(crate) totals: BTreeMap<Counter, Total>,
    /// Unused inbox numbers, ascending: one for each arrival that is not stored.
    pub(crate) inbox_numbers: VecDeque<InboxId>,
}

/// The stored state of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CurrentVersion {
    pub(crate) version: u64,
    pub(crate) kind: Kind,
    pub(crate) provider: ProviderId,
    pub(crate) status: Status,
    pub(crate) has_case: bool,
    pub(crate) holds_account: bool,
}

/// A core account, as what only one transfer holds at a time (rule 11).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AccountLock {
    pub(crate) core: CoreId,
    pub(crate) account: CoreAccount,
}

impl AccountLock {
    /// The one that a transfer holds.
    pub(crate) fn held_by(transfer: &Transfer) -> Option<Self> {
        let account = transfer.account().filter(|_| transfer.holds_account())?;
        Some(Self { core: transfer.instruction().core.clone(), account })
    }
}

/// The stored state of an inbox item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) handled: bool,
    pub(crate) has_case: bool,
}

impl Wanted {
    /// The rows that these requests touch.
    pub(crate) fn by(requests: &[Request]) -> Self {
        let mut wanted = Self::default();
        for request in requests {
            wanted.add(request);
        }
        wanted
    }

    fn add(&mut self, request: &Request) {
        match request {
            Request::Commit(commit) => {
                let change = &commit.change;
                self.transfers.insert(change.decision.transfer.id());
                self.account_locks.extend(AccountLock::held_by(&change.decision.transfer));
                for claim in &change.decision.receipts {
                    self.receipts.insert((claim.provider.clone(), claim.receipt.clone()));
                }
                if let Some(key) = &change.key {
                    self.keys.insert((key.client.clone(), key.key.clone()));
                }
                self.items.extend(change.handles);
                self.reckonings.extend(Reckoning::of(change));
            }
            Request::Postpone { id, .. } => drop(self.transfers.insert(*id)),
            Request::Arrive(arrival) => {
                self.arrivals.insert((arrival.provider.clone(), arrival.digest.clone()));
            }
            Request::SetInboxState(id, _) | Request::DecideInboxState(id, _) => {
                self.items.insert(*id);
            }
        }
    }
}
