//! Splitting money over a loan, and replaying later rows when an earlier one changes.

use jiff::civil::Date;

use super::{Kind, LoanTransaction, Portions, State};
use crate::bank::Bank;
use crate::by_id::{next_id, row, row_mut};

/// Applies a row to the state: interest first, then principal, the rest is overpaid.
fn apply(state: &mut State, interest: i64, kind: Kind, amount: i64) -> Portions {
    match kind {
        Kind::Disbursement => {
            state.disbursed += amount;
            state.interest_charged += interest;
            Portions { principal: amount, ..Portions::default() }
        }
        Kind::Repayment => {
            let interest = amount.min(state.interest_outstanding());
            let principal = (amount - interest).min(state.principal_outstanding());
            let overpayment = amount - interest - principal;
            state.interest_paid += interest;
            state.principal_paid += principal;
            state.overpaid += overpayment;
            Portions { principal, interest, overpayment }
        }
        Kind::CreditBalanceRefund => {
            state.overpaid -= amount;
            Portions { overpayment: amount, ..Portions::default() }
        }
    }
}

impl Bank {
    /// Adds a row, allocates it, and replays what lies after it. Gives the row's id.
    pub(crate) fn add_loan_row(&mut self, mut transaction: LoanTransaction) -> u64 {
        let id = next_id(&self.loan_transactions);
        let (loan_id, date) = (transaction.loan, transaction.date);
        transaction.id = id;
        transaction.origin = id;
        let Some(loan) = row_mut(&mut self.loans, loan_id) else { return id };
        let is_last = loan.by_date.last().is_none_or(|(last, _)| *last <= date);
        loan.by_date.insert((date, id));
        if is_last {
            let interest = loan.interest;
            transaction.portions =
                apply(&mut loan.state, interest, transaction.kind, transaction.amount);
            transaction.balance = loan.state.principal_outstanding();
            loan.settle_status();
        }
        if !transaction.external_id.is_empty() {
            self.names.loan_transaction_external_id.insert(transaction.external_id.clone(), id);
        }
        self.loan_transactions.push(transaction);
        if !is_last {
            self.replay_loan(loan_id, (date, id));
        }
        id
    }

    /// Reverses a row by hand and replays what lies after it.
    pub(crate) fn reverse_loan_row(&mut self, id: u64, today: Date) {
        let Some(transaction) = row_mut(&mut self.loan_transactions, id) else { return };
        transaction.manually_reversed = true;
        transaction.reversed_on = Some(today);
        let (loan, key) = (transaction.loan, (transaction.date, id));
        self.replay_loan(loan, key);
    }

    /// Allocates all live rows anew. A row behind `changed` whose split changes is reversed and
    /// loses its external id to a new row with a new id (`fineract.md` §5).
    fn replay_loan(&mut self, loan_id: u64, changed: (Date, u64)) {
        let Some(loan) = row(&self.loans, loan_id) else { return };
        let interest = loan.interest;
        let rows: Vec<(Date, u64)> = loan.by_date.iter().copied().collect();
        let mut state = State::default();
        for key in rows {
            let Some(row) = row_mut(&mut self.loan_transactions, key.1) else { continue };
            if !row.is_live() {
                continue;
            }
            let portions = apply(&mut state, interest, row.kind, row.amount);
            let balance = state.principal_outstanding();
            let split_changed = row.portions != portions && key > changed;
            if split_changed {
                self.replace_loan_row(key.1, portions, balance);
            } else {
                row.portions = portions;
                row.balance = balance;
            }
        }
        if let Some(loan) = row_mut(&mut self.loans, loan_id) {
            loan.state = state;
            loan.settle_status();
        }
    }

    fn replace_loan_row(&mut self, id: u64, portions: Portions, balance: i64) {
        let new_id = next_id(&self.loan_transactions);
        let Some(old) = row_mut(&mut self.loan_transactions, id) else { return };
        let new = LoanTransaction { id: new_id, portions, balance, ..old.clone() };
        old.reversed_on = Some(old.date);
        old.external_id.clear();
        if !new.external_id.is_empty() {
            self.names.loan_transaction_external_id.insert(new.external_id.clone(), new_id);
        }
        if let Some(loan) = row_mut(&mut self.loans, new.loan) {
            loan.by_date.insert((new.date, new_id));
        }
        self.loan_transactions.push(new);
    }
}
