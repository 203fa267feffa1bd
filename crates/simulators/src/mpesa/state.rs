//! What the market remembers.

use std::collections::HashMap;
use std::time::Duration;

use kiungo_domain::{Money, Timestamp};

use super::codes::Code;
use super::limits::Customers;
use super::options::Options;
use super::order::{Kind, Order};
use super::session::Sessions;
use crate::books::Movement;
use crate::faults::hash;
use crate::ledger::Ledger;

/// Everything behind the one lock.
pub(super) struct State {
    pub(super) ledger: Ledger,
    pub(super) sessions: Sessions,
    pub(super) customers: Customers,
    pub(super) wrong_acknowledgements: u64,
    operations: Vec<Operation>,
    /// Positions by the client's conversation id, by ours, and by receipt: a query may name any
    /// of the three (`mpesa-openapi.md` §6.6).
    by_third_party: HashMap<String, usize>,
    by_conversation: HashMap<String, usize>,
    by_receipt: HashMap<String, usize>,
    seed: u64,
    counter: u64,
}

/// A money operation and what became of it.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) order: Order,
    pub(super) conversation: String,
    pub(super) status: Status,
    pub(super) reversed: bool,
    pub(super) accepted_at: Timestamp,
    pub(super) ended_at: Timestamp,
    pub(super) visible_at: Timestamp,
    /// The business content that faults are drawn by.
    pub(super) key: String,
}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    Completed { receipt: String },
    Refused(Code),
}

impl State {
    pub(super) fn new(options: &Options, seed: u64) -> Self {
        Self {
            ledger: Ledger::new(options.float_minor, options.opening_balance_minor),
            sessions: Sessions::default(),
            customers: Customers::default(),
            wrong_acknowledgements: 0,
            operations: Vec::new(),
            by_third_party: HashMap::new(),
            by_conversation: HashMap::new(),
            by_receipt: HashMap::new(),
            seed,
            counter: 0,
        }
    }

    fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// A new receipt: three characters of this market, seven that count in base 36.
    pub(super) fn new_receipt(&mut self) -> String {
        const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let mut rest = self.count();
        let mut high = hash(self.seed, &[b"receipt"]);
        let mut letters = [b'0'; 10];
        for (index, letter) in letters.iter_mut().enumerate().rev() {
            let source = if index < 3 { &mut high } else { &mut rest };
            let digit = usize::try_from(*source % 36).unwrap_or(0);
            *letter = DIGITS.get(digit).copied().unwrap_or(b'0');
            *source /= 36;
        }
        String::from_utf8_lossy(&letters).into_owned()
    }

    /// A new conversation id: 32 hexadecimal digits.
    pub(super) fn new_conversation(&mut self) -> String {
        let number = self.count().to_le_bytes();
        let half = |name: &[u8]| hash(self.seed, &[b"conversation", name, &number]);
        format!("{:016x}{:016x}", half(b"high"), half(b"low"))
    }

    /// Whether the client has used this id before.
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

    /// Marks an operation as taken back.
    pub(super) fn mark_reversed(&mut self, position: usize) {
        if let Some(operation) = self.operations.get_mut(position) {
            operation.reversed = true;
        }
    }
}

/// The line in the books for an executed order.
pub(super) fn movement(order: &Order, party: &str, amount: Money, receipt: &str) -> Movement {
    Movement {
        receipt: receipt.to_owned(),
        reference: order.third_party.clone(),
        operation: order.kind.operation().to_owned(),
        party: party.to_owned(),
        amount_minor: amount.minor(),
        currency: amount.currency().code().to_owned(),
        takes_back: if order.kind == Kind::Reversal {
            order.original.clone()
        } else {
            String::new()
        },
        label: order.label.clone(),
    }
}
