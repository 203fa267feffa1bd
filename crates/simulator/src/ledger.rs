//! The e-money of each party at a provider: the state behind its books.

use std::collections::HashMap;

use crate::books::{Books, Movement};

/// The organisation's party in the books.
pub const FLOAT: &str = "float";

/// The reason that money did not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    /// There is no such account.
    UnknownParty,
    /// The payer has too little.
    Insufficient,
    /// The balance would not fit.
    Overflow,
}

/// Balances and movements. The sum of the balances never changes except by [`Ledger::open`].
#[derive(Debug)]
pub struct Ledger {
    balances: HashMap<Box<str>, i64>,
    opening: HashMap<Box<str>, i64>,
    movements: Vec<Movement>,
    /// The balance that an unknown customer is found to have; `None`: unknown customers do not
    /// exist.
    implicit: Option<i64>,
}

impl Ledger {
    /// An organisation with `float`, and customers who have `implicit` when first seen.
    pub fn new(float: i64, implicit: Option<i64>) -> Self {
        let mut ledger = Self {
            balances: HashMap::new(),
            opening: HashMap::new(),
            movements: Vec::new(),
            implicit,
        };
        ledger.open(FLOAT, float);
        ledger
    }

    /// Opens a wallet with `minor`, or adds `minor` to an open one, as brought in from outside.
    pub fn open(&mut self, party: &str, minor: i64) {
        for side in [&mut self.balances, &mut self.opening] {
            let entry = side.entry(party.into()).or_insert(0);
            *entry = entry.saturating_add(minor);
        }
    }

    /// The balance; `None` if there is no such account. A phone number exists by being asked for,
    /// where the options say so.
    pub fn balance(&mut self, party: &str) -> Option<i64> {
        if let Some(minor) = self.balances.get(party) {
            return Some(*minor);
        }
        let phone = party.bytes().all(|byte| byte.is_ascii_digit());
        let minor = self.implicit.filter(|_| phone)?;
        self.open(party, minor);
        Some(minor)
    }

    /// Moves the movement's amount from `from` to `to`, or leaves all as it was.
    pub fn transfer(&mut self, from: &str, to: &str, movement: Movement) -> Result<(), Hindrance> {
        let amount = movement.amount_minor;
        let has = self.balance(from).ok_or(Hindrance::UnknownParty)?;
        let credited = self.balance(to).ok_or(Hindrance::UnknownParty)?;
        if has < amount {
            return Err(Hindrance::Insufficient);
        }
        let credited = credited.checked_add(amount).ok_or(Hindrance::Overflow)?;
        if from != to {
            self.balances.insert(from.into(), has - amount);
            self.balances.insert(to.into(), credited);
        }
        self.movements.push(movement);
        Ok(())
    }

    /// Notes that nobody asked for this movement now.
    pub fn mark_unasked(&mut self, receipt: &str) {
        if let Some(movement) =
            self.movements.iter_mut().rev().find(|movement| movement.receipt == receipt)
        {
            movement.unasked = true;
        }
    }

    /// The books as an audit sees them.
    pub fn books(&self) -> Books {
        let sorted = |side: &HashMap<Box<str>, i64>| {
            side.iter().map(|(party, minor)| (party.to_string(), *minor)).collect()
        };
        Books {
            balances: sorted(&self.balances),
            opening: sorted(&self.opening),
            movements: self.movements.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn movement(amount_minor: i64) -> Movement {
        Movement {
            receipt: "R1".into(),
            reference: String::new(),
            operation: "collect".into(),
            party: "255700000001".into(),
            amount_minor,
            currency: "TZS".into(),
            ..Movement::default()
        }
    }

    #[test]
    fn money_moves_whole_or_not_at_all() {
        let mut ledger = Ledger::new(1_000, Some(500));
        assert_eq!(ledger.transfer("255700000001", FLOAT, movement(200)), Ok(()));
        assert_eq!(
            ledger.transfer("255700000001", FLOAT, movement(301)),
            Err(Hindrance::Insufficient)
        );
        assert_eq!(ledger.transfer("walletid:9", FLOAT, movement(1)), Err(Hindrance::UnknownParty));
        let books = ledger.books();
        assert_eq!(books.balances["255700000001"], 300);
        assert_eq!(books.balances[FLOAT], 1_200);
        assert_eq!(books.opening["255700000001"], 500);
        assert_eq!(books.movements.len(), 1);
    }
}
