//! What a change writes, in the form in which the store's statements take it: each row a JSON
//! array. That it is the same as what the store writes is compared after every measurement.

use kiungo_domain::Currency;
use kiungo_domain::transfer::Status;
use kiungo_store::{Change, Summary};
use serde::Serialize;
use serde_json::json;

/// The rows of one change.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pub(super) events: Vec<String>,
    pub(super) transfer: String,
    pub(super) ledger: Vec<String>,
    pub(super) receipts: Vec<String>,
    pub(super) keys: Vec<String>,
    /// How many transfers of a kind, provider and status there are more, or fewer.
    pub(super) counts: Vec<((&'static str, String, &'static str), i64)>,
    /// What is added to a ledger account.
    pub(super) balances: Vec<((String, Currency), i64)>,
}

impl Rows {
    /// Those of a change to a transfer whose status was `before`.
    pub(super) fn of(change: &Change, before: Option<Status>) -> serde_json::Result<Self> {
        let decision = &change.decision;
        let id = decision.transfer.id();
        let mut rows = Self { transfer: transfer(change)?, ..Self::default() };
        for entry in &decision.entries {
            let event = serde_json::to_string(&entry.event)?;
            rows.events.push(text(&(id, entry.seq, entry.at.as_micros(), event))?);
        }
        for posting in &decision.postings {
            let account = posting.account.to_string();
            rows.ledger.push(text(&(id, &account, posting.currency, posting.minor))?);
            rows.balances.push(((account, posting.currency), posting.minor));
        }
        for claim in &decision.receipts {
            let operation = claim.operation.as_str();
            rows.receipts.push(text(&(claim.receipt.as_str(), &claim.provider, id, operation))?);
        }
        if let Some(key) = &change.key {
            rows.keys.push(text(&(&key.client, &key.key, &key.digest, id))?);
        }
        let kind = decision.transfer.kind().as_str();
        let provider = decision.transfer.instruction().provider.to_string();
        let counted = |status: Status, by| ((kind, provider.clone(), status.as_str()), by);
        rows.counts.extend(before.map(|status| counted(status, -1)));
        rows.counts.push(counted(decision.transfer.status(), 1));
        Ok(rows)
    }

    /// How many rows of tables that grow, and of the transfer.
    pub(super) fn len(&self) -> usize {
        1 + self.events.len() + self.ledger.len() + self.receipts.len() + self.keys.len()
    }
}

fn transfer(change: &Change) -> serde_json::Result<String> {
    let summary = Summary::of(&change.decision.transfer);
    text(&json!([
        summary.id,
        summary.version,
        summary.kind.as_str(),
        summary.provider,
        summary.status.as_str(),
        u8::from(!summary.status.is_final()),
        u8::from(summary.case.is_some()),
        u8::from(summary.holds_account),
        summary.msisdn.as_ref().map(kiungo_domain::Msisdn::digits),
        summary.client_reference,
        summary.core_receipt.as_ref().map(kiungo_domain::Receipt::as_str),
        summary.received_at.as_micros(),
        summary.updated_at.as_micros(),
        change.due.map(kiungo_domain::Timestamp::as_micros),
        text(&summary)?,
    ]))
}

fn text<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    serde_json::to_string(value)
}
