//! Loans and the rows of their history, as data (`fineract.md` §10).

use std::collections::BTreeSet;

use jiff::civil::Date;
use kiungo_domain::Currency;

use crate::payment::Payment;

/// A loan. Interest is one sum, due as a whole; a payment takes interest first.
#[derive(Debug, Clone)]
pub(crate) struct Loan {
    pub(crate) id: u64,
    pub(crate) account_no: String,
    pub(crate) external_id: String,
    pub(crate) client_id: u64,
    pub(crate) currency: Currency,
    pub(crate) status: u16,
    pub(crate) submitted_on: Date,
    pub(crate) approved_on: Option<Date>,
    pub(crate) disbursed_on: Option<Date>,
    /// The amount that was applied for, then the one that was approved.
    pub(crate) approved: i64,
    pub(crate) product: u64,
    pub(crate) expected_on: Option<Date>,
    pub(crate) tranches: bool,
    /// The amount that is kept back when it is paid out.
    pub(crate) kept_back: i64,
    /// The interest that is charged when the loan is paid out.
    pub(crate) interest: i64,
    /// The amount with which the books started.
    pub(crate) opening: i64,
    pub(crate) state: State,
    /// Every row by value date and id.
    pub(crate) by_date: BTreeSet<(Date, u64)>,
}

/// The amounts of a loan: sums over its live rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) disbursed: i64,
    pub(crate) interest_charged: i64,
    pub(crate) principal_paid: i64,
    pub(crate) interest_paid: i64,
    pub(crate) overpaid: i64,
}

impl State {
    pub(crate) const fn principal_outstanding(&self) -> i64 {
        self.disbursed - self.principal_paid
    }

    pub(crate) const fn interest_outstanding(&self) -> i64 {
        self.interest_charged - self.interest_paid
    }

    pub(crate) const fn outstanding(&self) -> i64 {
        self.principal_outstanding() + self.interest_outstanding()
    }
}

/// The kind of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Disbursement,
    Repayment,
    CreditBalanceRefund,
}

impl Kind {
    /// The type's number on the wire.
    pub(crate) const fn number(self) -> u16 {
        match self {
            Self::Disbursement => 1,
            Self::Repayment => 2,
            Self::CreditBalanceRefund => 20,
        }
    }
}

/// The parts into which a row was split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Portions {
    pub(crate) principal: i64,
    pub(crate) interest: i64,
    pub(crate) overpayment: i64,
}

/// A row of a loan's history.
#[derive(Debug, Clone)]
pub(crate) struct LoanTransaction {
    pub(crate) id: u64,
    pub(crate) loan: u64,
    /// The id under which the money was first booked: replaying changes `id`, never this.
    pub(crate) origin: u64,
    pub(crate) kind: Kind,
    pub(crate) date: Date,
    pub(crate) submitted_on: Date,
    pub(crate) amount: i64,
    pub(crate) portions: Portions,
    /// The principal outstanding after this row.
    pub(crate) balance: i64,
    pub(crate) external_id: String,
    pub(crate) reversal_external_id: String,
    pub(crate) manually_reversed: bool,
    pub(crate) reversed_on: Option<Date>,
    pub(crate) payment: Option<Box<Payment>>,
}

impl LoanTransaction {
    /// True if it counts.
    pub(crate) const fn is_live(&self) -> bool {
        self.reversed_on.is_none()
    }
}

impl Loan {
    /// The books' balance: what is owed, negative when overpaid.
    pub(crate) const fn balance(&self) -> i64 {
        self.state.outstanding() - self.state.overpaid
    }

    /// The status that follows from the money, once paid out.
    pub(crate) fn settle_status(&mut self) {
        self.status = match (self.state.outstanding(), self.state.overpaid) {
            (_, overpaid) if overpaid > 0 => 700,
            (0, _) => 600,
            _ => 300,
        };
    }
}
