//! What has to be known to judge a batch.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kiungo_domain::transfer::{Kind, Status};
use kiungo_domain::{ProviderId, Receipt, TransferId};

use super::request::Request;
use crate::{InboxId, KeyHolder};

/// What the requests of a batch touch.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) transfers: BTreeSet<TransferId>,
    pub(crate) receipts: BTreeSet<(ProviderId, Receipt)>,
    /// Client and key.
    pub(crate) keys: BTreeSet<(String, String)>,
    pub(crate) items: BTreeSet<InboxId>,
    /// Provider and digest.
    pub(crate) arrivals: BTreeSet<(ProviderId, String)>,
}

/// What is stored about it; what is not stored is absent.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) transfers: BTreeMap<TransferId, Standing>,
    pub(crate) receipts: BTreeMap<(ProviderId, Receipt), TransferId>,
    pub(crate) keys: BTreeMap<(String, String), KeyHolder>,
    pub(crate) items: BTreeMap<InboxId, Item>,
    pub(crate) arrivals: BTreeMap<(ProviderId, String), InboxId>,
    /// Unused inbox numbers, ascending: one for each arrival that is not stored.
    pub(crate) inbox_numbers: VecDeque<InboxId>,
}

/// Where a transfer stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) version: u64,
    pub(crate) kind: Kind,
    pub(crate) provider: ProviderId,
    pub(crate) status: Status,
    pub(crate) has_case: bool,
}

/// Where an inbox item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) handled: bool,
    pub(crate) quarantined: bool,
}

impl Wanted {
    /// What these requests touch.
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
                for claim in &change.decision.receipts {
                    self.receipts.insert((claim.provider.clone(), claim.receipt.clone()));
                }
                if let Some(key) = &change.key {
                    self.keys.insert((key.client.clone(), key.key.clone()));
                }
                self.items.extend(change.handles);
            }
            Request::Postpone { id, .. } => drop(self.transfers.insert(*id)),
            Request::Arrive(arrival) => {
                self.arrivals.insert((arrival.provider.clone(), arrival.digest.clone()));
            }
            Request::SetInboxState(id, _) => drop(self.items.insert(*id)),
        }
    }
}
