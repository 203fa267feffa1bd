//! The rows that a change writes, in the form in which the store's statements take them. They are
//! compared with those that the store writes after every measurement.

use kiungo_domain::party::label_of;
use kiungo_domain::transfer::{Origin, Status};
use kiungo_domain::{Currency, Transfer};
use kiungo_store::{Change, OutboxEvent, Summary, terms};

/// One value of a row.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Text(Option<String>),
    Integer(Option<i64>),
}

/// A row with its values. The rows are made before the measurement, so that the floor spends no
/// time on it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) cells: Vec<Cell>,
}

impl Row {
    const fn new(cells: Vec<Cell>) -> Self {
        Self { cells }
    }
}

/// The state of a transfer before a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    status: Status,
    holds_account: bool,
}

impl Standing {
    pub(super) fn of(transfer: &Transfer) -> Self {
        Self { status: transfer.status(), holds_account: transfer.holds_account() }
    }
}

/// The rows of one change.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pub(super) events: Vec<Row>,
    /// The transfer as it never changes, if it begins.
    pub(super) transfer: Vec<Row>,
    /// Its state, if it begins.
    pub(super) new_state: Vec<Row>,
    /// Its state, if it is stored.
    pub(super) state: Vec<Row>,
    /// The transfer, if it lets go of its account.
    pub(super) account_locks_left: Vec<Row>,
    pub(super) account_locks: Vec<Row>,
    pub(super) ledger: Vec<Row>,
    pub(super) receipts: Vec<Row>,
    pub(super) keys: Vec<Row>,
    pub(super) terms: Vec<Row>,
    pub(super) outbox: Vec<Row>,
    /// The change of the number of transfers of each kind, provider and status.
    pub(super) counts: Vec<((&'static str, String, &'static str), i64)>,
    /// The sums that are added to ledger accounts.
    pub(super) balances: Vec<((String, Currency), i64)>,
}

impl Rows {
    /// The rows of a change to a transfer that stood as in `before`; with outbox rows, if there is
    /// an outbox.
    pub(super) fn of(
        change: &Change,
        before: Option<Standing>,
        outbox: bool,
    ) -> serde_json::Result<Self> {
        let decision = &change.decision;
        let id = || text(&decision.transfer.id());
        let mut rows = Self::default();
        for entry in &decision.entries {
            let event = entry.event.to_stored()?;
            let cells = vec![id(), number(entry.seq), micros(entry.at), text(&event)];
            rows.events.push(Row::new(cells));
        }
        let summary = Summary::of(&decision.transfer);
        let json = serde_json::to_string(&summary.state())?;
        let state = state(change, &summary, &json);
        if decision.base_version == 0 {
            rows.transfer.push(transfer(&summary)?);
            rows.new_state.push(state);
        } else {
            rows.state.push(state);
        }
        for posting in &decision.postings {
            let account = posting.account.to_string();
            let currency = text(posting.currency.code());
            let minor = Cell::Integer(Some(posting.minor));
            rows.ledger.push(Row::new(vec![id(), text(&account), currency, minor]));
            rows.balances.push(((account, posting.currency), posting.minor));
        }
        for claim in &decision.receipts {
            let operation = text(claim.operation.as_str());
            let receipt = text(claim.receipt.as_str());
            let cells = vec![receipt, text(&claim.provider), id(), operation];
            rows.receipts.push(Row::new(cells));
        }
        if let Some(key) = &change.key {
            let cells = vec![text(&key.client), text(&key.key), text(&key.digest), id()];
            rows.keys.push(Row::new(cells));
        }
        if terms::are_new(decision) {
            let received = summary.received_at;
            for term in terms::terms(&summary) {
                rows.terms.push(Row::new(vec![text(&term), micros(received), id()]));
            }
        }
        rows.lock(&decision.transfer, before);
        rows.count(&decision.transfer, before);
        if outbox && before.is_none_or(|before| before.status != summary.status) {
            let event = serde_json::to_string(&OutboxEvent::Status)?;
            let cells = vec![id(), micros(summary.updated_at), text(&event), text(&json)];
            rows.outbox.push(Row::new(cells));
        }
        Ok(rows)
    }

    fn lock(&mut self, transfer: &Transfer, before: Option<Standing>) {
        let (held, holds) =
            (before.is_some_and(|before| before.holds_account), transfer.holds_account());
        if held && !holds {
            self.account_locks_left.push(Row::new(vec![text(&transfer.id())]));
        }
        if let Some(account) = transfer.account().filter(|_| holds && !held) {
            let core = text(&transfer.instruction().core);
            let (kind, number) = (text(account.kind.as_str()), text(&account.id));
            self.account_locks.push(Row::new(vec![core, kind, number, text(&transfer.id())]));
        }
    }

    fn count(&mut self, transfer: &Transfer, before: Option<Standing>) {
        let kind = transfer.kind().as_str();
        let provider = transfer.instruction().provider.to_string();
        let counted = |status: Status, by| ((kind, provider.clone(), status.as_str()), by);
        self.counts.extend(before.map(|before| counted(before.status, -1)));
        self.counts.push(counted(transfer.status(), 1));
    }

    /// The number of rows: of tables that grow, of the transfer, and of those that come and go.
    pub(super) fn len(&self) -> usize {
        let grow = self.events.len() + self.ledger.len() + self.receipts.len() + self.keys.len();
        let grow = grow + self.terms.len();
        let of_transfer = self.transfer.len() + self.new_state.len() + self.state.len();
        of_transfer + grow + self.account_locks.len() + self.outbox.len()
    }
}

fn optional(value: Option<&str>) -> Cell {
    Cell::Text(value.map(str::to_owned))
}

fn transfer(summary: &Summary) -> serde_json::Result<Row> {
    Ok(Row::new(vec![
        text(&summary.id),
        optional(summary.msisdn.as_ref().map(kiungo_domain::Msisdn::digits)),
        optional(summary.client_reference.as_deref()),
        micros(summary.received_at),
        text(&serde_json::to_string(&summary.facts())?),
    ]))
}

fn state(change: &Change, summary: &Summary, json: &str) -> Row {
    let time = |at: Option<kiungo_domain::Timestamp>| {
        Cell::Integer(at.map(kiungo_domain::Timestamp::as_micros))
    };
    let truth = |truth: bool| Cell::Integer(Some(i64::from(truth)));
    let amount = summary.amount;
    let collecting = summary.kind.is_inbound()
        && matches!(summary.origin, Origin::Api { .. })
        && summary.wallet_receipt.is_none()
        && summary.merged_into.is_none()
        && !summary.status.is_final();
    let number_shown = summary.account_no.as_deref().filter(|_| collecting);
    let label = number_shown.and_then(label_of).map(|label| label.to_ascii_uppercase());
    Row::new(vec![
        text(&summary.id),
        number(summary.version),
        text(summary.kind.as_str()),
        text(&summary.provider),
        text(summary.status.as_str()),
        truth(!summary.status.is_final()),
        truth(summary.case.is_some()),
        truth(summary.holds_account),
        time(summary.unknown_since),
        optional(summary.core_receipt.as_ref().map(kiungo_domain::Receipt::as_str)),
        micros(summary.updated_at),
        time(change.due),
        Cell::Integer(Some(i64::from(change.decision.transfer.slot().number()))),
        optional(
            collecting.then(|| format!("{} {}", amount.currency(), amount.minor())).as_deref(),
        ),
        optional(label.as_deref()),
        text(json),
    ])
}

fn text<T: ToString + ?Sized>(value: &T) -> Cell {
    Cell::Text(Some(value.to_string()))
}

fn number(value: u64) -> Cell {
    Cell::Integer(i64::try_from(value).ok())
}

const fn micros(at: kiungo_domain::Timestamp) -> Cell {
    Cell::Integer(Some(at.as_micros()))
}
