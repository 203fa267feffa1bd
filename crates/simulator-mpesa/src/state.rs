//! The memory of the market.

use std::collections::HashMap;
use std::time::Duration;

use kiungo_domain::Timestamp;
use kiungo_simulator::chance::Draws;
use kiungo_simulator::faults::hash;
use kiungo_simulator::ledger::Ledger;

use super::codes::Code;
use super::limits::Customers;
use super::mandates::Mandates;
use super::options::Options;
use super::order::Order;
use super::sessions::Sessions;

/// The state behind the one lock.
pub(super) struct State {
    pub(super) ledger: Ledger,
    pub(super) sessions: Sessions,
    pub(super) customers: Customers,
    pub(super) wrong_acknowledgements: u64,
    pub(super) draws: Draws,
    pub(super) mandates: Mandates,
    operations: Vec<Operation>,
    /// Positions by the client's conversation id, by ours, and by receipt: a query may name any
    /// of the three (`mpesa-openapi.md` §6).
    by_third_party: HashMap<String, usize>,
    by_conversation: HashMap<String, usize>,
    by_receipt: HashMap<String, usize>,
    seed: u64,
    /// The time at which this market began: its numbers differ from those that the one before a
    /// restart gave out.
    began: Timestamp,
    counter: u64,
    /// The last receipt, as the number that it is.
    last_receipt: u64,
}

/// A money operation and what became of it.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) order: Order,
    pub(super) conversation: String,
    pub(super) status: Status,
    pub(super) reversed: bool,
    /// It was refused, and the customer approves it later all the same.
    pub(super) approved_late: bool,
    pub(super) accepted_at: Timestamp,
    pub(super) ended_at: Timestamp,
    pub(super) visible_at: Timestamp,
    /// The business content that faults are drawn by.
    pub(super) key: String,
}

/// The status of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    Completed { receipt: String },
    Refused(Code),
}

impl State {
    pub(super) fn new(options: &Options, seed: u64, began: Timestamp) -> Self {
        Self {
            ledger: Ledger::new(options.float_minor, options.opening_balance_minor),
            sessions: Sessions::default(),
            customers: Customers::default(),
            wrong_acknowledgements: 0,
            draws: Draws::default(),
            mandates: Mandates::default(),
            operations: Vec::new(),
            by_third_party: HashMap::new(),
            by_conversation: HashMap::new(),
            by_receipt: HashMap::new(),
            seed,
            began,
            counter: 0,
            last_receipt: 0,
        }
    }

    /// The time at which this market began.
    pub(super) const fn began(&self) -> Timestamp {
        self.began
    }

    fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// A new receipt: a letter of this market, and nine digits in base 36 that count the time in
    /// units of 32 µs, each at most once. So the market that comes after a restart gives others,
    /// unless it gave more than 31,250 a second over all its life; and the same story under the
    /// same clock gives the same.
    pub(super) fn new_receipt(&mut self, now: Timestamp) -> String {
        const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let time = u64::try_from(now.as_micros() / 32).unwrap_or(0);
        self.last_receipt = time.max(self.last_receipt.saturating_add(1));
        let mut rest = self.last_receipt;
        let mut letters = [b'A'; 10];
        for (index, letter) in letters.iter_mut().enumerate().rev() {
            let digit =
                if index == 0 { 10 + hash(self.seed, &[b"receipt"]) % 26 } else { rest % 36 };
            let digit = usize::try_from(digit).unwrap_or(0);
            *letter = DIGITS.get(digit).copied().unwrap_or(b'0');
            rest /= 36;
        }
        String::from_utf8_lossy(&letters).into_owned()
    }

    /// A new conversation id: 32 hexadecimal digits.
    pub(super) fn new_conversation(&mut self) -> String {
        let number = self.count().to_le_bytes();
        let began = self.began.as_micros().to_le_bytes();
        let half = |name: &[u8]| hash(self.seed, &[b"conversation", name, &began, &number]);
        format!("{:016x}{:016x}", half(b"high"), half(b"low"))
    }

    /// True if the client has used this id before.
    pub(super) fn is_duplicate(&self, third_party: &str) -> bool {
        self.by_third_party.contains_key(third_party)
    }

    /// Remembers an operation that is not carried out yet, which queries find after `lag`; its
    /// position.
    pub(super) fn add(
        &mut self,
        order: Order,
        conversation: String,
        key: String,
        now: Timestamp,
        lag: Duration,
    ) -> usize {
        let position = self.operations.len();
        if !order.third_party.is_empty() {
            self.by_third_party.insert(order.third_party.clone(), position);
        }
        self.by_conversation.insert(conversation.clone(), position);
        self.operations.push(Operation {
            order,
            conversation,
            status: Status::Pending,
            reversed: false,
            approved_late: false,
            accepted_at: now,
            ended_at: now,
            visible_at: now.after(lag),
            key,
        });
        position
    }

    pub(super) fn operation(&self, position: usize) -> Option<&Operation> {
        self.operations.get(position)
    }

    /// The operation with this receipt, with its position.
    pub(super) fn by_receipt(&self, receipt: &str) -> Option<(usize, &Operation)> {
        let position = *self.by_receipt.get(receipt)?;
        Some((position, self.operations.get(position)?))
    }

    /// The operation that a query names, by any of its three ids.
    pub(super) fn find(&self, reference: &str) -> Option<&Operation> {
        let position = self
            .by_third_party
            .get(reference)
            .or_else(|| self.by_receipt.get(reference))
            .or_else(|| self.by_conversation.get(reference))?;
        self.operations.get(*position)
    }

    /// Ends an operation.
    pub(super) fn end(&mut self, position: usize, status: Status, now: Timestamp) {
        if let Status::Completed { receipt } = &status {
            self.by_receipt.insert(receipt.clone(), position);
        }
        if let Some(operation) = self.operations.get_mut(position) {
            operation.status = status;
            operation.ended_at = now;
        }
    }

    /// Remembers that a customer will approve after all what is refused now.
    pub(super) fn will_be_approved(&mut self, position: usize) {
        if let Some(operation) = self.operations.get_mut(position) {
            operation.approved_late = true;
        }
    }

    /// True if it is this operation's turn to be approved after all: it is under way again then.
    pub(super) fn approve_late(&mut self, position: usize) -> bool {
        let Some(operation) = self.operations.get_mut(position) else { return false };
        let turn = std::mem::take(&mut operation.approved_late);
        if turn {
            operation.status = Status::Pending;
        }
        turn
    }

    /// Remembers what was executed once more under the conversation id of another: found by its own
    /// receipt only.
    pub(super) fn add_beside(&mut self, first: usize, receipt: String, now: Timestamp) {
        let Some(first) = self.operations.get(first) else { return };
        let position = self.operations.len();
        let again = Operation {
            status: Status::Completed { receipt: receipt.clone() },
            reversed: false,
            accepted_at: now,
            ended_at: now,
            visible_at: now,
            ..first.clone()
        };
        self.by_receipt.insert(receipt, position);
        self.operations.push(again);
    }

    /// Marks an operation as taken back.
    pub(super) fn mark_reversed(&mut self, position: usize) {
        if let Some(operation) = self.operations.get_mut(position) {
            operation.reversed = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_and_conversations_differ_after_a_restart_and_repeat_under_the_same_clock() {
        let tell = |began: i64| {
            let began = Timestamp::from_micros(began);
            let mut state = State::new(&Options::default(), 7, began);
            let receipts: Vec<String> = (0..3).map(|_| state.new_receipt(began)).collect();
            (receipts, state.new_conversation())
        };
        let first = tell(1_790_000_000_000_000);
        assert_eq!(first, tell(1_790_000_000_000_000));
        let restarted = tell(1_790_000_001_000_000);
        assert!(first.0.iter().all(|receipt| !restarted.0.contains(receipt)));
        assert_ne!(first.1, restarted.1);
        let mut distinct = first.0.clone();
        distinct.dedup();
        assert_eq!(distinct.len(), 3);
        assert!(first.0.iter().all(|receipt| receipt.len() == 10), "{first:?}");
    }
}
