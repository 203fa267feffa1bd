//! Decides which requests of a batch are refused, and which rows the others write. Each request is
//! judged as if those before it in the batch were committed already: they will be, or none of them.

use std::collections::BTreeMap;

use kiungo_domain::TransferId;
use kiungo_domain::transfer::Decision;
use kiungo_store::allowance::{Counter, Reckoning, Total, Use};
use kiungo_store::{
    Arrival, Change, CommitError, InboxId, InboxState, KeyHolder, NewArrival, StoreError, check,
};

use super::read_set::{AccountLock, CurrentVersion, Item, ReadSet};
use super::request::{Commit, CommitResult, Done, Request};
use super::rows::Rows;

/// The results on a batch, and the rows that it writes if its transaction is committed.
#[derive(Debug)]
pub(crate) struct Validation {
    /// One for each request, in their order.
    pub(crate) results: Vec<CommitResult>,
    /// The rows that the accepted ones write.
    pub(crate) rows: Rows,
}

/// Judges requests in their order.
pub(crate) fn validate(requests: &[Request], read_set: ReadSet) -> Validation {
    let lock_of =
        read_set.account_locks.iter().map(|(lock, holder)| (*holder, lock.clone())).collect();
    let mut validate = Validator { read_set, lock_of, rows: Rows::default() };
    let results = requests.iter().map(|request| validate.request(request)).collect();
    Validation { results, rows: validate.rows }
}

/// The day on which a transfer counts, and the totals that changed.
type Reckoned = (Option<Use>, Vec<(Counter, Total)>);

struct Validator {
    read_set: ReadSet,
    /// The accounts that somebody in the batch wants, by who holds them.
    lock_of: BTreeMap<TransferId, AccountLock>,
    rows: Rows,
}

impl Validator {
    fn request(&mut self, request: &Request) -> CommitResult {
        match request {
            Request::Commit(commit) => self.commit(commit),
            Request::Postpone { id, version, due } => {
                if self.read_set.transfers.get(id).is_some_and(|known| known.version == *version) {
                    self.rows.postpone(*id, *due);
                }
                Ok(Done::Applied)
            }
            Request::Arrive(arrival) => self.arrive(arrival),
            Request::SetInboxState(id, state) => self.set_inbox_state(*id, state),
            Request::DecideInboxState(id, state) => self.decide_inbox_state(*id, state),
        }
    }

    fn commit(&mut self, commit: &Commit) -> CommitResult {
        let change = &commit.change;
        let decision = &change.decision;
        let id = decision.transfer.id();
        check::sound(decision)?;
        self.refuse(change)?;
        let reckoned = self.reckon(change)?;
        let balances = self.rows.balances_with(&decision.postings)?;
        let after = CurrentVersion::after(decision);
        let before = self.read_set.transfers.insert(id, after.clone());
        self.rows.decide(commit, before.as_ref(), &after, balances);
        self.change_account_lock(decision, before.is_some_and(|before| before.holds_account));
        self.claim_receipts(decision);
        if let Some((after, totals)) = reckoned {
            self.count_elsewhere(id, after, totals);
        }
        if let Some(key) = &change.key {
            let holder = KeyHolder { transfer: id, digest: key.digest.clone() };
            self.read_set.keys.insert((key.client.clone(), key.key.clone()), holder);
            self.rows.put_key(key, id);
        }
        if let Some(item) = change.handles {
            let note = format!("became part of transfer {id}");
            self.move_item(item, &InboxState::Handled { note });
        }
        Ok(Done::Applied)
    }

    /// The key comes first, so that a client that repeats itself learns of its first transfer
    /// whatever else has happened.
    fn refuse(&self, change: &Change) -> Result<(), CommitError> {
        let decision = &change.decision;
        let id = decision.transfer.id();
        if let Some(key) = &change.key
            && let Some(holder) = self.read_set.keys.get(&(key.client.clone(), key.key.clone()))
        {
            return Err(CommitError::KeyTaken(holder.clone()));
        }
        let version = self.read_set.transfers.get(&id).map_or(0, |known| known.version);
        if version != decision.base_version {
            return Err(CommitError::Stale);
        }
        if let Some(item) = change.handles {
            let known = self.read_set.items.get(&item).ok_or_else(|| no_item(item))?;
            if known.handled {
                return Err(CommitError::AlreadyHandled);
            }
        }
        self.refuse_account_lock(decision, id)?;
        self.refuse_receipts(decision, id)
    }

    /// The day on which the transfer counts after a change, and the new totals; `None` if none of
    /// that may change.
    fn reckon(&self, change: &Change) -> Result<Option<Reckoned>, CommitError> {
        let Some(reckoning) = Reckoning::of(change) else { return Ok(None) };
        let before = self.read_set.uses.get(&reckoning.transfer).copied();
        let after = reckoning.after(before);
        if after == before {
            return Ok(None);
        }
        Ok(Some((after, reckoning.check(before, &self.read_set.totals)?)))
    }

    fn count_elsewhere(
        &mut self,
        id: TransferId,
        after: Option<Use>,
        totals: Vec<(Counter, Total)>,
    ) {
        match after {
            Some(after) => {
                self.read_set.uses.insert(id, after);
            }
            None => {
                self.read_set.uses.remove(&id);
            }
        }
        self.rows.uses.insert(id, after);
        for (counter, total) in totals {
            let stored = self.read_set.totals.insert(counter.clone(), total).is_some();
            self.rows.put_total(counter, total, stored);
        }
    }

    fn refuse_account_lock(&self, decision: &Decision, id: TransferId) -> Result<(), CommitError> {
        let wanted = AccountLock::held_by(&decision.transfer);
        match wanted.and_then(|lock| self.read_set.account_locks.get(&lock)) {
            Some(owner) if *owner != id => Err(CommitError::AccountHeld { owner: *owner }),
            _ => Ok(()),
        }
    }

    /// The account that it lets go of need not be the one that is known now: one decision may end
    /// an operation and name another account.
    fn change_account_lock(&mut self, decision: &Decision, held_before: bool) {
        let id = decision.transfer.id();
        let after = AccountLock::held_by(&decision.transfer);
        let known = self.lock_of.get(&id);
        if after.is_some() && after.as_ref() == known {
            return;
        }
        if held_before {
            let known = self.lock_of.remove(&id);
            self.rows.release_account_lock(id, known.as_ref());
            known.map(|lock| self.read_set.account_locks.remove(&lock));
        }
        if let Some(lock) = after {
            self.read_set.account_locks.insert(lock.clone(), id);
            self.lock_of.insert(id, lock.clone());
            self.rows.account_locks.insert(lock, id);
        }
    }

    fn refuse_receipts(&self, decision: &Decision, id: TransferId) -> Result<(), CommitError> {
        for claim in &decision.receipts {
            let owner =
                self.read_set.receipts.get(&(claim.provider.clone(), claim.receipt.clone()));
            if let Some(owner) = owner.filter(|owner| **owner != id) {
                let receipt = claim.receipt.clone();
                return Err(CommitError::ReceiptTaken { receipt, owner: *owner });
            }
        }
        Ok(())
    }

    fn claim_receipts(&mut self, decision: &Decision) {
        let id = decision.transfer.id();
        for claim in &decision.receipts {
            let name = (claim.provider.clone(), claim.receipt.clone());
            if self.read_set.receipts.insert(name, id).is_none() {
                self.rows.put_receipt(claim, id);
            }
        }
    }

    fn arrive(&mut self, arrival: &NewArrival) -> CommitResult {
        let name = (arrival.provider.clone(), arrival.digest.clone());
        if let Some(id) = self.read_set.arrivals.get(&name) {
            *self.rows.seen.entry(*id).or_default() += 1;
            return Ok(Done::Arrived(Arrival::Seen(*id)));
        }
        let no_number = || StoreError::Corrupt("the inbox has no number left".to_owned());
        let id = self.read_set.inbox_numbers.pop_front().ok_or_else(no_number)?;
        self.read_set.arrivals.insert(name, id);
        self.read_set.items.insert(id, Item { handled: false, has_case: false });
        self.rows.put_arrival(id, arrival);
        Ok(Done::Arrived(Arrival::New(id)))
    }

    /// Moves an inbox item. One that is handled stays handled: a postponement that lost the race is
    /// not to undo it.
    fn set_inbox_state(&mut self, id: InboxId, state: &InboxState) -> CommitResult {
        let known = self.read_set.items.get(&id).ok_or_else(|| no_item(id))?;
        if !known.handled {
            self.move_item(id, state);
        }
        Ok(Done::Applied)
    }

    fn decide_inbox_state(&mut self, id: InboxId, state: &InboxState) -> CommitResult {
        let known = self.read_set.items.get(&id).ok_or_else(|| no_item(id))?;
        // What is handled keeps its note, and calls nobody.
        if known.handled || !known.has_case {
            return Ok(Done::Unchanged);
        }
        self.move_item(id, state);
        Ok(Done::Applied)
    }

    fn move_item(&mut self, id: InboxId, state: &InboxState) {
        let after = Item {
            handled: matches!(state, InboxState::Handled { .. }),
            has_case: state.case().is_some(),
        };
        let before = self.read_set.items.insert(id, after);
        self.rows.move_item(id, state, before.is_some_and(|before| before.has_case));
    }
}

impl CurrentVersion {
    fn after(decision: &Decision) -> Self {
        let transfer = &decision.transfer;
        Self {
            version: transfer.version(),
            kind: transfer.kind(),
            provider: transfer.instruction().provider.clone(),
            status: transfer.status(),
            has_case: transfer.case().is_some(),
            holds_account: transfer.holds_account(),
        }
    }
}

/// The error about an inbox item that does not exist.
pub(crate) fn no_item(id: InboxId) -> StoreError {
    StoreError::Corrupt(format!("there is no inbox item {id}"))
}
