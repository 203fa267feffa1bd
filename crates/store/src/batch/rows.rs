//! What a batch writes, as rows of the tables. Each row is a tuple that becomes a JSON array, so
//! that one parameter carries all rows of a table to the database.

use std::collections::BTreeMap;

use kiungo_domain::transfer::{Decision, Entry, Kind, Posting, Status};
use kiungo_domain::{Currency, ProviderId, Timestamp, TransferId};
use serde::Serialize;

use super::facts::Standing;
use super::request::Commit;
use crate::case::CaseMove;
use crate::page::{inbox_subject, transfer_subject};
use crate::{IdempotencyKey, InboxId, InboxState, NewArrival, StoreError, Summary};

/// `transfer_id, seq, at_us, event`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EventRow(TransferId, u64, i64, String);

/// `transfer_id, account, currency, minor`.
pub(crate) type LedgerRow = (TransferId, String, Currency, i64);
/// `receipt, provider, transfer_id, operation`.
pub(crate) type ReceiptRow = (String, ProviderId, TransferId, &'static str);
/// `client, key, digest, transfer_id`.
pub(crate) type KeyRow = (String, String, String, TransferId);
/// `id, provider, digest, head, body in hexadecimal, at_us`.
pub(crate) type ArrivalRow = (InboxId, ProviderId, String, String, String, i64);

/// A row of `transfers` but for its number. Its fields are in the order of the statement.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TransferRow(
    /* id */ pub(crate) TransferId,
    /* version */ u64,
    /* kind */ &'static str,
    /* provider */ ProviderId,
    /* status */ &'static str,
    /* is_open */ u8,
    /* has_case */ u8,
    /* holds_account */ u8,
    /* unknown_us */ Option<i64>,
    /* msisdn */ Option<String>,
    /* client_reference */ Option<String>,
    /* core_receipt */ Option<String>,
    /* received_us */ i64,
    /* updated_us */ i64,
    /* due_us */ Option<i64>,
    /* summary */ String,
);

/// What a batch adds to each ledger account and currency.
pub(crate) type Balances = BTreeMap<(String, Currency), i64>;

/// An open case, or `None` where there is none any more.
pub(crate) type CaseRows = BTreeMap<String, Option<OpenCaseRow>>;

/// A row of `cases`: `subject, transfer_id, inbox_id, kind, detail, provider, opened_us`.
/// A quarantined inbox item leaves provider and time to the statement, which knows the item.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OpenCaseRow(
    pub(crate) String,
    pub(crate) Option<TransferId>,
    pub(crate) Option<InboxId>,
    pub(crate) &'static str,
    pub(crate) String,
    pub(crate) Option<ProviderId>,
    pub(crate) Option<i64>,
);

/// Where an inbox item is to stand.
#[derive(Debug, Clone)]
pub(crate) struct InboxMove {
    pub(crate) state: &'static str,
    pub(crate) due: Option<Timestamp>,
    pub(crate) note: Option<String>,
    /// How many postponements the batch holds.
    pub(crate) postponed: u32,
}

/// Everything that a batch writes.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) events: Vec<EventRow>,
    pub(crate) transfers: Vec<TransferRow>,
    transfer_at: BTreeMap<TransferId, usize>,
    pub(crate) postponed: BTreeMap<TransferId, Timestamp>,
    pub(crate) counts: BTreeMap<(&'static str, ProviderId, &'static str), i64>,
    pub(crate) ledger: Vec<LedgerRow>,
    pub(crate) balances: Balances,
    pub(crate) receipts: Vec<ReceiptRow>,
    pub(crate) keys: Vec<KeyRow>,
    pub(crate) arrivals: Vec<ArrivalRow>,
    pub(crate) seen: BTreeMap<InboxId, u32>,
    pub(crate) inbox: BTreeMap<InboxId, InboxMove>,
    pub(crate) cases: CaseRows,
}

impl Rows {
    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.transfers.is_empty()
            && self.postponed.is_empty()
            && self.arrivals.is_empty()
            && self.seen.is_empty()
            && self.inbox.is_empty()
    }

    /// What the balances of this batch become with these postings; nothing is added yet, so that
    /// a failure leaves no trace.
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
        before: Option<&Standing>,
        after: &Standing,
        balances: Balances,
    ) {
        let decision = &commit.change.decision;
        let id = decision.transfer.id();
        self.events.extend_from_slice(&commit.events);
        self.balances.extend(balances);
        let postings = decision.postings.iter();
        self.ledger.extend(
            postings
                .map(|posting| (id, posting.account.to_string(), posting.currency, posting.minor)),
        );
        if let Some(before) = before {
            self.count(before.kind, &before.provider, before.status, -1);
        }
        self.count(after.kind, &after.provider, after.status, 1);
        self.put_transfer(commit.transfer.clone());
        self.put_case(decision, before.is_some_and(|before| before.has_case));
    }

    fn count(&mut self, kind: Kind, provider: &ProviderId, status: Status, by: i64) {
        *self.counts.entry((kind.as_str(), provider.clone(), status.as_str())).or_default() += by;
    }

    /// One row for each transfer, the latest: what was first committed keeps its place.
    fn put_transfer(&mut self, row: TransferRow) {
        self.postponed.remove(&row.0);
        if let Some(known) = self.transfer_at.get(&row.0).and_then(|at| self.transfers.get_mut(*at))
        {
            *known = row;
        } else {
            self.transfer_at.insert(row.0, self.transfers.len());
            self.transfers.push(row);
        }
    }

    fn put_case(&mut self, decision: &Decision, was_open: bool) {
        let id = decision.transfer.id();
        let subject = transfer_subject(id);
        let row = match CaseMove::of(decision) {
            CaseMove::Closes if was_open => None,
            CaseMove::Stays | CaseMove::Closes => return,
            CaseMove::Opens { kind, detail, at } => {
                let provider = Some(decision.transfer.instruction().provider.clone());
                let at = Some(at.as_micros());
                let subject = subject.clone();
                Some(OpenCaseRow(subject, Some(id), None, kind.as_str(), detail, provider, at))
            }
        };
        self.cases.insert(subject, row);
    }

    /// Adds an idempotency key.
    pub(crate) fn put_key(&mut self, key: &IdempotencyKey, holder: TransferId) {
        self.keys.push((key.client.clone(), key.key.clone(), key.digest.clone(), holder));
    }

    /// Adds an arrival that is new.
    pub(crate) fn put_arrival(&mut self, id: InboxId, arrival: &NewArrival) {
        let NewArrival { provider, digest, head, body, at } = arrival;
        let (digest, head) = (digest.clone(), head.clone());
        self.arrivals.push((id, provider.clone(), digest, head, hex(body), at.as_micros()));
    }

    /// Moves an inbox item, whose case opens and closes with its quarantine.
    pub(crate) fn move_item(&mut self, id: InboxId, state: &InboxState, was_quarantined: bool) {
        let (word, due, note) = match state {
            InboxState::Waiting { due } => ("waiting", Some(*due), None),
            InboxState::Handled { note } => ("handled", None, Some(note.clone())),
            InboxState::Quarantined { reason } => ("quarantined", None, Some(reason.clone())),
        };
        let before = self.inbox.get(&id).map_or(0, |known| known.postponed);
        let postponed = before + u32::from(due.is_some());
        self.inbox.insert(id, InboxMove { state: word, due, note, postponed });
        let subject = inbox_subject(id);
        match state {
            InboxState::Quarantined { reason } => {
                let (named, reason) = (subject.clone(), reason.clone());
                let row = OpenCaseRow(named, None, Some(id), "quarantined", reason, None, None);
                self.cases.insert(subject, Some(row));
            }
            _ if was_quarantined => drop(self.cases.insert(subject, None)),
            _ => {}
        }
    }
}

impl EventRow {
    pub(crate) fn all_of(decision: &Decision) -> Result<Vec<Self>, StoreError> {
        let id = decision.transfer.id();
        let entries = decision.entries.iter();
        let row =
            |entry: &Entry| Ok(Self(id, entry.seq, entry.at.as_micros(), json(&entry.event)?));
        entries.map(row).collect()
    }
}

impl TransferRow {
    pub(crate) fn of(decision: &Decision, due: Option<Timestamp>) -> Result<Self, StoreError> {
        let summary = Summary::of(&decision.transfer);
        Ok(Self(
            summary.id,
            summary.version,
            summary.kind.as_str(),
            summary.provider.clone(),
            summary.status.as_str(),
            u8::from(!summary.status.is_final()),
            u8::from(summary.case.is_some()),
            u8::from(summary.holds_account),
            summary.unknown_since.map(Timestamp::as_micros),
            summary.msisdn.as_ref().map(|msisdn| msisdn.digits().to_owned()),
            summary.client_reference.clone(),
            summary.core_receipt.as_ref().map(|receipt| receipt.as_str().to_owned()),
            summary.received_at.as_micros(),
            summary.updated_at.as_micros(),
            due.map(Timestamp::as_micros),
            json(&summary)?,
        ))
    }
}

/// The JSON that a database reads back.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    let failed = |error| StoreError::Corrupt(format!("cannot be written as JSON: {error}"));
    serde_json::to_string(value).map_err(failed)
}

fn too_large() -> StoreError {
    StoreError::Corrupt("a ledger balance would not fit into 64 bits".to_owned())
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_in_hexadecimal() {
        assert_eq!(hex(&[0x00, 0x0f, 0xa0, 0xff]), "000fa0ff");
    }
}
