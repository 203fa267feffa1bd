//! The contents of a store in memory, and the way in which a change alters them.

use std::collections::{BTreeMap, BTreeSet};

use kiungo_domain::hold::Condition;
use kiungo_domain::transfer::{Decision, Entry, Posting};
use kiungo_domain::{
    CoreAccount, CoreId, Currency, Money, ProviderId, Receipt, Slot, Timestamp, TransferId,
};

use super::actions::Actions;
use super::leases::Leases;
use super::outbox::Outbox;
use super::requests::Numbered;
use crate::allowance::{Counter, Reckoning, Total, Use};
use crate::case::open_after;
use crate::{
    CaseRow, Change, CommitError, Hold, InboxId, InboxItem, InboxState, KeyHolder, LimitReached,
    StoreError, Summary, check,
};

#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) transfers: BTreeMap<TransferId, Record>,
    /// By time of receipt, then in the order of first commits.
    pub(super) received: BTreeSet<(Timestamp, i64, TransferId)>,
    pub(super) due: BTreeSet<(Timestamp, i64, TransferId)>,
    /// Transfers that are not final, by their receipt.
    pub(super) open: BTreeSet<(Timestamp, TransferId)>,
    pub(super) unknown: BTreeSet<(Timestamp, TransferId)>,
    /// Transfers that hold their account, in the order of first commits.
    pub(super) holding_accounts: BTreeSet<(i64, TransferId)>,
    /// The transfer that holds each core account (rule 11).
    pub(super) holders: BTreeMap<(CoreId, CoreAccount), TransferId>,
    /// By kind, provider and status.
    pub(super) counts: BTreeMap<(&'static str, ProviderId, &'static str), u64>,
    pub(super) receipts: BTreeMap<(Receipt, ProviderId), TransferId>,
    pub(super) keys: BTreeMap<(String, String), KeyHolder>,
    /// The totals of each day, and the transfers that count in them.
    pub(super) day_totals: BTreeMap<Counter, Total>,
    pub(super) day_uses: BTreeMap<TransferId, Use>,
    pub(super) ledger: BTreeMap<(String, Currency), i64>,
    /// Money in transit, and in suspense, as the transfers themselves see it.
    pub(super) in_transit: BTreeMap<(ProviderId, Currency), i128>,
    pub(super) in_suspense: BTreeMap<(ProviderId, Currency), i128>,
    pub(super) inbox: BTreeMap<InboxId, InboxItem>,
    pub(super) digests: BTreeMap<(ProviderId, String), InboxId>,
    pub(super) inbox_due: BTreeSet<(Timestamp, InboxId)>,
    /// By time of opening and subject.
    pub(super) cases: BTreeMap<(Timestamp, String), CaseRow>,
    pub(super) case_opened: BTreeMap<String, Timestamp>,
    /// The subjects of the open cases of each transfer that has some.
    case_subjects: BTreeMap<TransferId, Vec<String>>,
    pub(super) holds: BTreeMap<(ProviderId, &'static str, Condition), Hold>,
    pub(super) outbox: Outbox,
    pub(super) leases: Leases,
    pub(super) actions: Actions,
    pub(super) core_requests: BTreeMap<(CoreId, String), Numbered>,
}

/// The day on which a transfer counts, and the totals that changed.
type Reckoned = (Option<Use>, Vec<(Counter, Total)>);

#[derive(Debug)]
pub(super) struct Record {
    pub(super) no: i64,
    pub(super) journal: Vec<Entry>,
    pub(super) postings: Vec<Posting>,
    pub(super) summary: Summary,
    pub(super) due: Option<Timestamp>,
    pub(super) slot: Slot,
    pub(super) in_transit: Money,
    /// Found by id and receipt only, until something happens to it.
    pub(super) archived: bool,
}

impl Books {
    /// Refuses a change that must not be applied.
    pub(super) fn refuse(&self, change: &Change) -> Result<(), CommitError> {
        let decision = &change.decision;
        check::sound(decision)?;
        let id = decision.transfer.id();
        if let Some(key) = &change.key
            && let Some(holder) = self.keys.get(&(key.client.clone(), key.key.clone()))
        {
            return Err(CommitError::KeyTaken(holder.clone()));
        }
        if self.transfers.get(&id).map_or(0, |known| known.summary.version) != decision.base_version
        {
            return Err(CommitError::Stale);
        }
        if let Some(item) = change.handles
            && matches!(self.item(item)?.state, InboxState::Handled { .. })
        {
            return Err(CommitError::AlreadyHandled);
        }
        let wanted = account_held(&Summary::of(&decision.transfer));
        if let Some(owner) = wanted.and_then(|account| self.holders.get(&account))
            && *owner != id
        {
            return Err(CommitError::AccountHeld { owner: *owner });
        }
        for claim in &decision.receipts {
            match self.receipts.get(&(claim.receipt.clone(), claim.provider.clone())) {
                Some(owner) if *owner != id => {
                    let receipt = claim.receipt.clone();
                    return Err(CommitError::ReceiptTaken { receipt, owner: *owner });
                }
                _ => {}
            }
        }
        self.reckon(change)?;
        Ok(())
    }

    /// The totals of a day with a change applied, and the day on which its transfer then counts;
    /// `None` if none of that may change.
    fn reckon(&self, change: &Change) -> Result<Option<Reckoned>, LimitReached> {
        let Some(reckoning) = Reckoning::of(change) else { return Ok(None) };
        let before = self.day_uses.get(&reckoning.transfer).copied();
        let totals = reckoning.check(before, &self.day_totals)?;
        Ok(Some((reckoning.after(before), totals)))
    }

    /// Applies a change that was not refused. The parts that can fail come first.
    pub(super) fn apply(&mut self, change: Change) -> Result<(), StoreError> {
        let known = self.transfers.get(&change.decision.transfer.id());
        let status = known.map(|known| known.summary.status);
        let events = self.outbox.events(status, &change.decision);
        let reckoned = self.reckon(&change);
        let reckoned = reckoned.map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let Change { decision, due, key, handles, allowance: _ } = change;
        self.post(&decision)?;
        let id = decision.transfer.id();
        if let Some((after, totals)) = reckoned {
            self.day_totals.extend(totals);
            match after {
                Some(after) => {
                    self.day_uses.insert(id, after);
                }
                None => {
                    self.day_uses.remove(&id);
                }
            }
        }
        for claim in &decision.receipts {
            let name = (claim.receipt.clone(), claim.provider.clone());
            self.receipts.entry(name).or_insert(id);
        }
        if let Some(key) = key {
            let holder = KeyHolder { transfer: id, digest: key.digest };
            self.keys.insert((key.client, key.key), holder);
        }
        self.move_cases(&decision);
        self.record(decision, due);
        if let Some(item) = handles {
            let note = format!("became part of transfer {id}");
            self.set_inbox_state(item, &InboxState::Handled { note })?;
        }
        self.outbox.tell(events);
        Ok(())
    }

    fn post(&mut self, decision: &Decision) -> Result<(), StoreError> {
        let mut balances = BTreeMap::new();
        for posting in &decision.postings {
            let name = (posting.account.to_string(), posting.currency);
            let known = self.ledger.get(&name).copied().unwrap_or(0);
            let balance: &mut i64 = balances.entry(name).or_insert(known);
            let sum = balance.checked_add(posting.minor);
            let too_large = "a ledger balance would not fit into 64 bits";
            *balance = sum.ok_or_else(|| StoreError::Corrupt(too_large.to_owned()))?;
        }
        self.ledger.extend(balances);
        Ok(())
    }

    fn record(&mut self, decision: Decision, due: Option<Timestamp>) {
        let summary = Summary::of(&decision.transfer);
        let slot = decision.transfer.slot();
        let id = summary.id;
        let known = self.transfers.remove(&id);
        if let Some(known) = &known {
            self.forget(known);
        }
        let next_no = i64::try_from(self.transfers.len()).unwrap_or(i64::MAX).saturating_add(1);
        let (no, mut journal, mut postings) = match known {
            Some(known) => (known.no, known.journal, known.postings),
            None => (next_no, Vec::new(), Vec::new()),
        };
        journal.extend(decision.entries);
        postings.extend(decision.postings);
        let in_transit = decision.transfer.in_transit();
        let archived = false;
        let record = Record { no, journal, postings, summary, due, slot, in_transit, archived };
        self.remember(&record);
        self.transfers.insert(id, record);
    }

    /// Takes a transfer out of everything that is counted and sorted.
    fn forget(&mut self, record: &Record) {
        let summary = &record.summary;
        self.received.remove(&(summary.received_at, record.no, summary.id));
        if let Some(due) = record.due {
            self.due.remove(&(due, record.no, summary.id));
        }
        self.open.remove(&(summary.received_at, summary.id));
        if let Some(since) = summary.unknown_since {
            self.unknown.remove(&(since, summary.id));
        }
        self.holding_accounts.remove(&(record.no, summary.id));
        if let Some(account) = account_held(summary) {
            self.holders.remove(&account);
        }
        let name = (summary.kind.as_str(), summary.provider.clone(), summary.status.as_str());
        if let Some(count) = self.counts.get_mut(&name) {
            *count -= 1;
        }
        self.count_money(record, -1);
    }

    fn remember(&mut self, record: &Record) {
        let summary = &record.summary;
        self.received.insert((summary.received_at, record.no, summary.id));
        if let Some(due) = record.due {
            self.due.insert((due, record.no, summary.id));
        }
        if !summary.status.is_final() {
            self.open.insert((summary.received_at, summary.id));
        }
        if let Some(since) = summary.unknown_since {
            self.unknown.insert((since, summary.id));
        }
        if summary.holds_account {
            self.holding_accounts.insert((record.no, summary.id));
        }
        if let Some(account) = account_held(summary) {
            self.holders.insert(account, summary.id);
        }
        let name = (summary.kind.as_str(), summary.provider.clone(), summary.status.as_str());
        *self.counts.entry(name).or_default() += 1;
        self.count_money(record, 1);
    }

    fn move_cases(&mut self, decision: &Decision) {
        let id = decision.transfer.id();
        for subject in self.case_subjects.remove(&id).unwrap_or_default() {
            self.close_case(&subject);
        }
        let open = open_after(decision);
        if !open.is_empty() {
            let subjects = open.iter().map(|(subject, _)| subject.clone()).collect();
            self.case_subjects.insert(id, subjects);
        }
        for (subject, row) in open {
            self.open_case(subject, row);
        }
    }

    pub(super) fn open_case(&mut self, subject: String, row: CaseRow) {
        self.close_case(&subject);
        self.case_opened.insert(subject.clone(), row.opened_at);
        self.cases.insert((row.opened_at, subject), row);
    }

    pub(super) fn close_case(&mut self, subject: &str) {
        if let Some(opened_at) = self.case_opened.remove(subject) {
            self.cases.remove(&(opened_at, subject.to_owned()));
        }
    }
}

/// The account that no other transfer may touch.
pub(super) fn account_held(summary: &Summary) -> Option<(CoreId, CoreAccount)> {
    let account = summary.account.filter(|_| summary.holds_account);
    account.map(|account| (summary.core.clone(), account))
}
