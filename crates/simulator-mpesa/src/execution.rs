//! Executing what was ordered: moving money, charging for it, taking it back.

use std::time::Duration;

use kiungo_domain::{Money, Timestamp};
use kiungo_simulator::faults::{Fault, hash};
use kiungo_simulator::ledger::{FLOAT, Hindrance};

use super::Simulator;
use super::book_lines::{CHARGES, charge, movement};
use super::codes::{self, Code};
use super::order::{Kind, Order};
use super::state::{State, Status};
use super::triggers::{self, Trigger};

impl Simulator {
    /// The time for which queries do not find an operation.
    pub(super) fn lag(&self, key: &str) -> Duration {
        let lagging = self.faults().strikes("inquire", Fault::IndexingLag, key);
        if lagging { self.faults().indexing_lag() } else { Duration::ZERO }
    }

    /// Moves the money of an accepted operation, or refuses it; once.
    pub(super) fn carry_out(&self, position: usize) -> Option<Status> {
        let mut guard = self.state();
        let state = &mut *guard;
        let operation = state.operation(position)?;
        if operation.status == Status::Pending {
            let (order, key) = (operation.order.clone(), operation.key.clone());
            let late = order.kind == Kind::C2b && {
                let (seed, rate) = (self.faults().seed(), self.options().conduct.approved_late);
                state.draws.happens(seed, "approved_late", &key, rate)
            };
            let status = if late {
                state.will_be_approved(position);
                Status::Refused(codes::FAILED)
            } else {
                self.attempt(state, &order, &key)
            };
            state.end(position, status, self.now());
        }
        state.operation(position).map(|operation| operation.status.clone())
    }

    /// Does what an order asks for, or refuses it.
    pub(super) fn attempt(&self, state: &mut State, order: &Order, key: &str) -> Status {
        match self.execute(state, order, key) {
            Ok(receipt) => Status::Completed { receipt },
            Err(code) => Status::Refused(code),
        }
    }

    /// The receipt of what was done, or why nothing was.
    fn execute(&self, state: &mut State, order: &Order, key: &str) -> Result<String, Code> {
        match triggers::of(order, self.options()) {
            Some(Trigger::Fails(code)) => return Err(code),
            // The magic receipt stands for no real one: there is nothing to move.
            Some(Trigger::Succeeds) if order.kind == Kind::Reversal => {
                return Ok(state.new_receipt(self.now()));
            }
            Some(Trigger::Succeeds) => {
                let minor = order.amount.map_or(0, Money::minor);
                if state.ledger.balance(order.parties().0).is_none_or(|has| has < minor) {
                    state.ledger.open(order.parties().0, minor);
                }
            }
            None => {}
        }
        let refuses = self.faults().strikes(order.kind.operation(), Fault::CustomerRefuses, key);
        if refuses {
            return Err(refusal(order.kind, key));
        }
        if order.kind == Kind::Reversal {
            return reverse(state, order, self.now());
        }
        let leaves = matches!(order.kind, Kind::B2c | Kind::B2b);
        if leaves && self.float_is_empty(state.began()) {
            return Err(codes::INSUFFICIENT);
        }
        let receipt = transfer(state, order, self.now())?;
        self.charge_for(state, order);
        Ok(receipt)
    }

    /// Takes the operator's charge for what was executed, as far as the float goes.
    pub(super) fn charge_for(&self, state: &mut State, order: &Order) {
        let Some(currency) = order.amount.map(Money::currency) else { return };
        let minor = self.options().conduct.charge_minor;
        let amount = Money::from_minor(minor, currency);
        let Some(amount) = amount.filter(|amount| !amount.is_zero()) else { return };
        if state.ledger.balance(CHARGES).is_none() {
            state.ledger.open(CHARGES, 0);
        }
        let receipt = state.new_receipt(self.now());
        let _ = state.ledger.transfer(FLOAT, CHARGES, charge(amount, &receipt));
    }

    /// The operator takes a transaction back, unasked: a query shows it as reversed from then on.
    /// The receipt of the reversal.
    ///
    /// # Errors
    /// The response code, if there is no such transaction, it was taken back already, or its money
    /// has been spent.
    pub fn reverse(&self, receipt: &str) -> Result<String, &'static str> {
        reverse_by_receipt(self, receipt).map_err(|code| code.name)
    }
}

/// Moves the money of an order; the receipt.
pub(super) fn transfer(state: &mut State, order: &Order, now: Timestamp) -> Result<String, Code> {
    let amount = order.amount.ok_or(codes::AMOUNT)?;
    let (from, to) = order.parties();
    if order.kind == Kind::B2b && state.ledger.balance(to).is_none() {
        state.ledger.open(to, 0);
    }
    let receipt = state.new_receipt(now);
    let line = movement(order, &order.party, amount, &receipt);
    state.ledger.transfer(from, to, line).map_err(code_of)?;
    Ok(receipt)
}

/// The operator takes a transaction back, without being asked by the organisation.
fn reverse_by_receipt(simulator: &Simulator, receipt: &str) -> Result<String, Code> {
    let order = Order {
        kind: Kind::Reversal,
        third_party: String::new(),
        party: String::new(),
        amount: None,
        label: String::new(),
        original: receipt.to_owned(),
    };
    let now = simulator.now();
    let mut guard = simulator.state();
    let state = &mut *guard;
    let receipt = reverse(state, &order, now)?;
    state.ledger.mark_unasked(&receipt);
    let (key, conversation) = (order.key(), state.new_conversation());
    let position = state.add(order, conversation, key, now, Duration::ZERO);
    state.end(position, Status::Completed { receipt: receipt.clone() }, now);
    Ok(receipt)
}

/// Takes a transaction back: once, wholly or in part. A reversal in part marks the whole
/// transaction as reversed and a second one is refused with INS-6; neither is documented
/// (`mpesa-openapi.md` §6 knows only that a part can be asked for).
fn reverse(state: &mut State, order: &Order, now: Timestamp) -> Result<String, Code> {
    let (position, original) = state.by_receipt(&order.original).ok_or(codes::NOT_YOURS)?;
    let whole = original.order.amount.ok_or(codes::FAILED)?;
    if original.reversed || original.order.kind == Kind::Reversal {
        return Err(codes::FAILED);
    }
    let amount = order.amount.unwrap_or(whole);
    if amount.minor() > whole.minor() {
        return Err(codes::AMOUNT);
    }
    let party = original.order.party.clone();
    let incoming = original.order.parties().1 == FLOAT;
    let receipt = state.new_receipt(now);
    let line = movement(order, &party, amount, &receipt);
    let (from, to) = if incoming { (FLOAT, &*party) } else { (&*party, FLOAT) };
    state.ledger.transfer(from, to, line).map_err(code_of)?;
    state.mark_reversed(position);
    Ok(receipt)
}

fn code_of(why: Hindrance) -> Code {
    match why {
        Hindrance::UnknownParty => codes::MSISDN,
        Hindrance::Insufficient => codes::INSUFFICIENT,
        Hindrance::Overflow => codes::FAILED,
    }
}

/// A refusal by a listed code: by the payer himself, or by his balance.
fn refusal(kind: Kind, key: &str) -> Code {
    let pick = hash(0, &[b"refusal", key.as_bytes()]).is_multiple_of(2);
    match kind {
        Kind::C2b if pick => codes::FAILED,
        Kind::C2b | Kind::Reversal => codes::INSUFFICIENT,
        _ => codes::FAILED,
    }
}
