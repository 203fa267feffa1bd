//! The rows that a batch writes into the tables.

use std::collections::{BTreeMap, BTreeSet};

use kiungo_domain::transfer::{Decision, Entry, Kind, Posting, ReceiptClaim, Status};
use kiungo_domain::{Currency, ProviderId, Slot, Timestamp, TransferId};
use kiungo_store::allowance::{Counter, Total, Use};
use kiungo_store::case::open_after;
use kiungo_store::page::inbox_subject;
use kiungo_store::{
    CaseRow, IdempotencyKey, InboxId, InboxState, NewArrival, OutboxEvent, StoreError, Summary,
};
use serde::Serialize;

use super::read_set::{AccountLock, CurrentVersion};
use super::request::Commit;
use super::table::Column::{self, Bytes, Integer, Text};
use super::table::{Cell, Table};

/// `transfer_id, seq, at_us, event`.
pub(crate) type EventRow = [Cell; 4];

/// `id, msisdn, client_reference, received_us, facts`.
pub(crate) type TransferRow = [Cell; 5];

/// `id, version, kind, provider, status, is_open, has_case, holds_account, unknown_us,
/// core_receipt, updated_us, due_us, slot, collecting, collecting_label, state`.
pub(crate) type StateRow = [Cell; 16];

const EVENTS: &[Column] = &[Text, Integer, Integer, Text];
const TRANSFERS: &[Column] = &[Text, Text, Text, Integer, Text];
const STATES: &[Column] = &[
    Text, Integer, Text, Text, Text, Integer, Integer, Integer, Integer, Text, Integer, Integer,
    Integer, Text, Text, Text,
];
/// The column `due_us` of a state.
const DUE: usize = 11;

/// `transfer_id, at_us, news, summary`.
pub(crate) type OutboxRow = [Cell; 4];

const OUTBOX: &[Column] = &[Text, Integer, Text, Text];
/// `transfer_id, account, currency, minor`.
const LEDGER: &[Column] = &[Text, Text, Text, Integer];
/// `receipt, provider, transfer_id, operation`.
const RECEIPTS: &[Column] = &[Text, Text, Text, Text];
/// `term, received_us, transfer_id`.
const TERMS: &[Column] = &[Text, Integer, Text];
/// `client, key, digest, transfer_id`.
const KEYS: &[Column] = &[Text, Text, Text, Text];
/// `id, provider, digest, head, body, at_us`.
const ARRIVALS: &[Column] = &[Integer, Text, Text, Text, Bytes, Integer];

/// The amount that a batch adds to each ledger account and currency.
pub(crate) type Balances = BTreeMap<(String, Currency), i64>;

/// `subject, transfer_id, kind, step, detail, provider, opened_us`.
pub(crate) type TransferCase = [Cell; 7];

/// `subject, inbox_id, kind, detail`: provider and time are left to the statement, which knows the
/// item.
pub(crate) type InboxCase = [Cell; 4];

/// The new state of an inbox item.
#[derive(Debug, Clone)]
pub(crate) struct InboxMove {
    pub(crate) state: &'static str,
    pub(crate) due: Option<Timestamp>,
    pub(crate) note: Option<String>,
    /// The number of postponements in the batch.
    pub(crate) postponed: u32,
}

/// The place of a transfer's state among the rows of a batch.
#[derive(Debug, Clone, Copy)]
struct StatePlace {
    is_new: bool,
    index: usize,
}

/// The new state of a total of a day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewTotal {
    pub(crate) total: Total,
    /// True if it has a row, which is locked.
    pub(crate) stored: bool,
}

/// The rows that a batch writes.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) events: Table,
    /// The transfers that begin, as they never change.
    pub(crate) transfers: Table,
    /// Their states.
    pub(crate) new_states: Table,
    /// The states of those that are stored.
    pub(crate) states: Table,
    state_at: BTreeMap<TransferId, StatePlace>,
    /// The transfers that let go of their accounts; removed before `account_locks` go in.
    pub(crate) account_locks_left: BTreeSet<TransferId>,
    pub(crate) account_locks: BTreeMap<AccountLock, TransferId>,
    pub(crate) postponed: BTreeMap<TransferId, Timestamp>,
    pub(crate) counts: BTreeMap<(&'static str, ProviderId, &'static str), i64>,
    pub(crate) ledger: Table,
    pub(crate) balances: Balances,
    pub(crate) receipts: Table,
    pub(crate) keys: Table,
    /// Some of them may be stored already.
    pub(crate) terms: Table,
    /// The day on which each transfer counts now.
    pub(crate) uses: BTreeMap<TransferId, Option<Use>>,
    pub(crate) totals: BTreeMap<Counter, NewTotal>,
    pub(crate) outbox: Table,
    pub(crate) arrivals: Table,
    pub(crate) seen: BTreeMap<InboxId, u32>,
    pub(crate) inbox: BTreeMap<InboxId, InboxMove>,
    /// All open cases of each transfer that has some, or had: they take the place of what is
    /// stored.
    pub(crate) transfer_cases: BTreeMap<TransferId, Vec<TransferCase>>,
    /// The case of an inbox item by its subject, or `None` where there is none any more.
    pub(crate) inbox_cases: BTreeMap<String, Option<InboxCase>>,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            events: Table::new(EVENTS),
            transfers: Table::new(TRANSFERS),
            new_states: Table::new(STATES),
            states: Table::new(STATES),
            state_at: BTreeMap::new(),
            account_locks_left: BTreeSet::new(),
            account_locks: BTreeMap::new(),
            postponed: BTreeMap::new(),
            counts: BTreeMap::new(),
            ledger: Table::new(LEDGER),
            balances: BTreeMap::new(),
            receipts: Table::new(RECEIPTS),
            keys: Table::new(KEYS),
            terms: Table::new(TERMS),
            uses: BTreeMap::new(),
            totals: BTreeMap::new(),
            outbox: Table::new(OUTBOX),
            arrivals: Table::new(ARRIVALS),
            seen: BTreeMap::new(),
            inbox: BTreeMap::new(),
            transfer_cases: BTreeMap::new(),
            inbox_cases: BTreeMap::new(),
        }
    }
}

impl Rows {
    /// True if there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.state_at.is_empty()
            && self.postponed.is_empty()
            && self.arrivals.is_empty()
            && self.seen.is_empty()
            && self.inbox.is_empty()
    }

    /// The balances of this batch with these postings added; nothing is added yet, so that a
    /// failure leaves no trace.
    pub(crate) fn balances_with(&self, postings: &[Posting]) -> Result<Balances, StoreError> {
        let mut balances = BTreeMap::new();
        for posting in postings {
            let key = (posting.account.to_string(), posting.currency);
            let known = self.balances.get(&key).copied().unwrap_or(0);
            let sum: &mut i64 = balances.entry(key).or_insert(known);
            *sum = sum.checked_add(posting.minor).ok_or_else(too_large)?;
        }
        Ok(balances)
    }

    /// Adds a decision that was accepted.
    pub(crate) fn decide(
        &mut self,
        commit: &Commit,
        before: Option<&CurrentVersion>,
        after: &CurrentVersion,
        balances: Balances,
    ) {
        let decision = &commit.change.decision;
        let id = decision.transfer.id();
        commit.events.iter().for_each(|row| self.events.push(row.clone()));
        self.balances.extend(balances);
        for posting in &decision.postings {
            let account = posting.account.to_string().into();
            self.ledger.push([id.into(), account, posting.currency.into(), posting.minor.into()]);
        }
        if let Some(before) = before {
            self.count(before.kind, &before.provider, before.status, -1);
        }
        self.count(after.kind, &after.provider, after.status, 1);
        self.put_transfer(id, commit);
        let received_us = decision.transfer.received_at().as_micros();
        for term in &commit.terms {
            self.terms.push([term.clone().into(), received_us.into(), id.into()]);
        }
        if let Some(told) = &commit.outbox {
            let is_new = before.is_none_or(|before| before.status != after.status);
            let status = is_new.then_some(&told.status);
            status.into_iter().chain(&told.cases).for_each(|row| self.outbox.push(row.clone()));
        }
        self.put_cases(decision, before.is_some_and(|before| before.has_case));
    }

    fn count(&mut self, kind: Kind, provider: &ProviderId, status: Status, by: i64) {
        *self.counts.entry((kind.as_str(), provider.clone(), status.as_str())).or_default() += by;
    }

    /// One state for each transfer, the latest: the first commit decides its place.
    fn put_transfer(&mut self, id: TransferId, commit: &Commit) {
        self.postponed.remove(&id);
        if let Some(row) = &commit.transfer {
            self.transfers.push(row.clone());
        }
        let known = self.state_at.get(&id).copied();
        let is_new = known.map_or(commit.transfer.is_some(), |known| known.is_new);
        let states = if is_new { &mut self.new_states } else { &mut self.states };
        if let Some(StatePlace { index, .. }) = known {
            states.replace(index, commit.state.clone());
        } else {
            self.state_at.insert(id, StatePlace { is_new, index: states.len() });
            states.push(commit.state.clone());
        }
    }

    /// Moves the due time of a transfer, in its state if the batch writes that.
    pub(crate) fn postpone(&mut self, id: TransferId, due: Timestamp) {
        match self.state_at.get(&id).copied() {
            Some(StatePlace { is_new, index }) => {
                let states = if is_new { &mut self.new_states } else { &mut self.states };
                states.set(index, DUE, due.as_micros().into());
            }
            None => drop(self.postponed.insert(id, due)),
        }
    }

    fn put_cases(&mut self, decision: &Decision, had_some: bool) {
        let open = open_after(decision);
        let id = decision.transfer.id();
        if open.is_empty() && !had_some && !self.transfer_cases.contains_key(&id) {
            return;
        }
        let row = |(subject, case): (String, CaseRow)| {
            let CaseRow { kind, step, detail, provider, opened_at, .. } = case;
            let step = step.map(|step| step.as_str().to_owned()).into();
            let (kind, at) = (kind.as_str().into(), opened_at.as_micros().into());
            [subject.into(), id.into(), kind, step, detail.into(), (&provider).into(), at]
        };
        self.transfer_cases.insert(id, open.into_iter().map(row).collect());
    }

    /// A transfer lets go of the account that it held.
    pub(crate) fn release_account_lock(
        &mut self,
        holder: TransferId,
        taken_in_batch: Option<&AccountLock>,
    ) {
        if let Some(lock) = taken_in_batch {
            self.account_locks.remove(lock);
        }
        self.account_locks_left.insert(holder);
    }

    /// A total of a day as it is to stand; `stored` tells whether it had a row before. A total that
    /// the batch itself made is new, also after further changes in the batch.
    pub(crate) fn put_total(&mut self, counter: Counter, total: Total, stored: bool) {
        let known = self.totals.get(&counter);
        let stored = known.map_or(stored, |known| known.stored);
        self.totals.insert(counter, NewTotal { total, stored });
    }

    /// Adds a receipt.
    pub(crate) fn put_receipt(&mut self, claim: &ReceiptClaim, owner: TransferId) {
        let receipt = claim.receipt.as_str().to_owned().into();
        let operation = claim.operation.as_str().into();
        self.receipts.push([receipt, (&claim.provider).into(), owner.into(), operation]);
    }

    /// Adds an idempotency key.
    pub(crate) fn put_key(&mut self, key: &IdempotencyKey, holder: TransferId) {
        let IdempotencyKey { client, key, digest } = key.clone();
        self.keys.push([client.into(), key.into(), digest.into(), holder.into()]);
    }

    /// Adds an arrival that is new.
    pub(crate) fn put_arrival(&mut self, id: InboxId, arrival: &NewArrival) {
        let NewArrival { provider, digest, head, body, at } = arrival;
        let (digest, head) = (digest.clone().into(), head.clone().into());
        let body = Cell::Bytes(body.clone());
        self.arrivals.push([id.into(), provider.into(), digest, head, body, at.as_micros().into()]);
    }

    /// Moves an inbox item, whose case opens and closes with where it stands.
    pub(crate) fn move_item(&mut self, id: InboxId, state: &InboxState, had_case: bool) {
        let (word, due, note) = match state {
            InboxState::Waiting { due, concern } => ("waiting", Some(*due), concern.clone()),
            InboxState::Handled { note } => ("handled", None, Some(note.clone())),
            InboxState::Quarantined { reason } => ("quarantined", None, Some(reason.clone())),
        };
        let before = self.inbox.get(&id).map_or(0, |known| known.postponed);
        let postponed = before + u32::from(due.is_some());
        self.inbox.insert(id, InboxMove { state: word, due, note, postponed });
        let subject = inbox_subject(id);
        match state.case() {
            Some((kind, detail)) => {
                let (named, detail) = (subject.clone().into(), detail.to_owned().into());
                let row = [named, id.into(), kind.as_str().into(), detail];
                self.inbox_cases.insert(subject, Some(row));
            }
            None if had_case => drop(self.inbox_cases.insert(subject, None)),
            None => {}
        }
    }
}

/// The rows of a decision's events.
pub(crate) fn event_rows(decision: &Decision) -> Result<Vec<EventRow>, StoreError> {
    let id = decision.transfer.id();
    let row = |entry: &Entry| {
        let at = entry.at.as_micros().into();
        Ok([id.into(), entry.seq.into(), at, event_text(entry)?.into()])
    };
    decision.entries.iter().map(row).collect()
}

fn event_text(entry: &Entry) -> Result<String, StoreError> {
    let failed = |error| StoreError::Corrupt(format!("an event cannot be written: {error}"));
    entry.event.to_stored().map_err(failed)
}

/// The row of what never changes of a transfer, but for its number.
pub(crate) fn transfer_row(summary: &Summary) -> Result<TransferRow, StoreError> {
    Ok([
        summary.id.into(),
        summary.msisdn.as_ref().map(|msisdn| msisdn.digits().to_owned()).into(),
        summary.client_reference.clone().into(),
        summary.received_at.as_micros().into(),
        json(&summary.facts())?.into(),
    ])
}

/// The row of a transfer's state; `state` is the changing part of the summary as it is stored.
pub(crate) fn state_row(
    summary: &Summary,
    slot: Slot,
    due: Option<Timestamp>,
    state: Cell,
) -> StateRow {
    let (collecting, label) = match summary.collecting() {
        Some(collecting) => (Some(collecting.amount), collecting.label),
        None => (None, None),
    };
    [
        summary.id.into(),
        summary.version.into(),
        summary.kind.as_str().into(),
        (&summary.provider).into(),
        summary.status.as_str().into(),
        (!summary.status.is_final()).into(),
        summary.case.is_some().into(),
        summary.holds_account.into(),
        summary.unknown_since.map(Timestamp::as_micros).into(),
        summary.core_receipt.as_ref().map(|receipt| receipt.as_str().to_owned()).into(),
        summary.updated_at.as_micros().into(),
        due.map(Timestamp::as_micros).into(),
        u32::from(slot.number()).into(),
        collecting.into(),
        label.into(),
        state,
    ]
}

/// The outbox rows that a decision leads to.
#[derive(Debug)]
pub(crate) struct OutboxRows {
    /// Told if the status differs from the one before.
    pub(crate) status: OutboxRow,
    /// The cases that open.
    pub(crate) cases: Vec<OutboxRow>,
}

/// The rows of the outbox; `state` is the cell of the state's row.
pub(crate) fn outbox_rows(decision: &Decision, state: &Cell) -> Result<OutboxRows, StoreError> {
    let transfer = &decision.transfer;
    let row = |at: Timestamp, event: &OutboxEvent| {
        Ok([transfer.id().into(), at.as_micros().into(), json(event)?.into(), state.clone()])
    };
    let cases = OutboxEvent::cases(decision).map(|(at, event)| row(at, &event));
    let cases = cases.collect::<Result<_, StoreError>>()?;
    Ok(OutboxRows { status: row(transfer.updated_at(), &OutboxEvent::Status)?, cases })
}

/// The JSON that a database reads back.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    let failed = |error| StoreError::Corrupt(format!("cannot be written as JSON: {error}"));
    serde_json::to_string(value).map_err(failed)
}

fn too_large() -> StoreError {
    StoreError::Corrupt("a ledger balance would not fit into 64 bits".to_owned())
}

#[cfg(test)]
impl Rows {
    /// A batch that writes to every table, with stand-ins for the rows that are only passed on.
    pub(crate) fn of_every_kind() -> Self {
        const ID: &str = "0198f2a4-7c31-8d02-9b5e-3f1a6c7d0000";
        const OTHER: &str = "0198f2a4-7c31-8d02-9b5e-3f1a6c7e0000";
        let id = TransferId::parse(ID).unwrap();
        let provider = ProviderId::new("p").unwrap();
        let text = |column: &str| [Cell::Text(column.to_owned())];
        let one = |cell: &str| Table::of(&[Text], [text(cell)]);
        let day = Timestamp::from_micros(0);
        let operation = kiungo_store::codec::wallet_operation("collect").unwrap();
        let currency = Currency::from_code("TZS").unwrap();
        let counter = |wallet: &str| Counter {
            day,
            provider: provider.clone(),
            operation,
            currency,
            wallet: wallet.to_owned(),
        };
        let total = |stored| NewTotal { total: Total { minor: 1, count: 1 }, stored };
        let account = kiungo_domain::CoreAccount {
            kind: kiungo_store::codec::account_kind("savings").unwrap(),
            id: kiungo_store::codec::account_id("7").unwrap(),
        };
        let lock = AccountLock { core: kiungo_domain::CoreId::new("c").unwrap(), account };
        let waiting = InboxMove { state: "handled", due: None, note: None, postponed: 0 };
        let case = std::array::from_fn(|_| Cell::Null);
        let used = Use { day, wallet: true, organisation: true };
        Self {
            events: one("e"),
            transfers: one("t"),
            new_states: one("n"),
            states: one("s"),
            account_locks_left: [id].into(),
            account_locks: [(lock, id)].into(),
            postponed: [(id, day)].into(),
            counts: [(("deposit", provider.clone(), "completed"), 1)].into(),
            ledger: one("l"),
            balances: [(("a".to_owned(), currency), 1)].into(),
            receipts: one("r"),
            keys: one("k"),
            terms: one("m"),
            uses: [(id, Some(used)), (TransferId::parse(OTHER).unwrap(), None)].into(),
            totals: [(counter("w"), total(true)), (counter("x"), total(false))].into(),
            outbox: one("o"),
            arrivals: one("i"),
            seen: [(InboxId(1), 1)].into(),
            inbox: [(InboxId(1), waiting)].into(),
            transfer_cases: [(id, vec![case])].into(),
            inbox_cases: [
                ("a".to_owned(), None),
                ("b".to_owned(), Some(std::array::from_fn(|_| Cell::Null))),
            ]
            .into(),
            ..Self::default()
        }
    }
}
