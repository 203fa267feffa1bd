//! The books of one tenant as an audit compares them, and the names of its accounts there.

use kiungo_simulator::books::Books;

use super::bank::Bank;

impl Bank {
    /// The books as an audit compares them.
    pub(crate) fn books(&self) -> Books {
        let mut books = Books { movements: self.movements.clone(), ..Books::default() };
        let savings = self.savings.iter().map(|s| (savings_party(s.id), s.opening, s.balance));
        let loans = self.loans.iter().map(|l| (loan_party(l.id), l.opening, l.balance()));
        for (party, opening, balance) in savings.chain(loans) {
            books.opening.insert(party.clone(), opening);
            books.balances.insert(party, balance);
        }
        books
    }
}

/// The name of a savings account in the books.
pub(crate) fn savings_party(id: u64) -> String {
    format!("savings:{id}")
}

/// The name of a loan in the books.
pub(crate) fn loan_party(id: u64) -> String {
    format!("loan:{id}")
}
