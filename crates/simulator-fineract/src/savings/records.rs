//! Savings accounts and the rows of their history, as data (`fineract.md` §9).

use std::collections::BTreeSet;

use jiff::civil::Date;
use kiungo_domain::Currency;

use crate::payment::Payment;

/// A savings account.
#[derive(Debug, Clone)]
pub(crate) struct Savings {
    pub(crate) id: u64,
    pub(crate) account_no: String,
    pub(crate) external_id: String,
    pub(crate) client_id: u64,
    pub(crate) currency: Currency,
    pub(crate) status: u16,
    pub(crate) sub_status: u16,
    pub(crate) activated_on: Date,
    pub(crate) locked_in_until: Option<Date>,
    /// The amount with which the books started.
    pub(crate) opening: i64,
    /// The ledger balance, holds not deducted.
    pub(crate) balance: i64,
    pub(crate) on_hold: i64,
    /// Kept back from withdrawals if `enforce_minimum`.
    pub(crate) minimum: i64,
    pub(crate) enforce_minimum: bool,
    pub(crate) overdraft_limit: Option<i64>,
    /// Charged with every withdrawal, as a row of its own.
    pub(crate) withdrawal_fee: i64,
    pub(crate) totals: Totals,
    /// Every row by value date and id: what searches and running balances walk.
    pub(crate) by_date: BTreeSet<(Date, u64)>,
}

/// Sums of the rows that are not reversed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    pub(crate) deposits: i64,
    pub(crate) withdrawals: i64,
    pub(crate) fees: i64,
}

/// The kind of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Deposit,
    Withdrawal,
    WithdrawalFee,
    Hold,
    Release,
}

impl Kind {
    /// The type's number on the wire.
    pub(crate) const fn number(self) -> u16 {
        match self {
            Self::Deposit => 1,
            Self::Withdrawal => 2,
            Self::WithdrawalFee => 4,
            Self::Hold => 20,
            Self::Release => 21,
        }
    }

    /// True if `credit=true` finds it.
    pub(crate) const fn is_credit(self) -> bool {
        matches!(self, Self::Deposit | Self::Release)
    }

    /// The change of the ledger balance by `amount` of it.
    pub(crate) const fn effect(self, amount: i64) -> i64 {
        match self {
            Self::Deposit => amount,
            Self::Withdrawal | Self::WithdrawalFee => -amount,
            Self::Hold | Self::Release => 0,
        }
    }
}

/// A row of an account's history.
#[derive(Debug, Clone)]
pub(crate) struct SavingsTransaction {
    pub(crate) id: u64,
    pub(crate) account: u64,
    pub(crate) kind: Kind,
    pub(crate) date: Date,
    pub(crate) submitted_on: Date,
    pub(crate) amount: i64,
    /// The ledger balance after this row; for holds what is available after it.
    pub(crate) running_balance: i64,
    pub(crate) reversed: bool,
    pub(crate) is_reversal: bool,
    /// The row that a reversal takes back; 0 if none.
    pub(crate) original: u64,
    /// The row that released a hold; 0 if none.
    pub(crate) release: u64,
    pub(crate) payment: Option<Box<Payment>>,
    pub(crate) note: String,
    pub(crate) reason: String,
    pub(crate) external_id: String,
    pub(crate) submitted_by: String,
}

impl Savings {
    /// True if it is active.
    pub(crate) const fn is_active(&self) -> bool {
        self.status == 300
    }

    /// The amount below which the balance must not fall.
    pub(crate) fn floor(&self) -> i64 {
        let minimum = if self.enforce_minimum { self.minimum } else { 0 };
        minimum + self.on_hold - self.overdraft_limit.unwrap_or(0)
    }

    /// Ledger balance less holds. Neither the minimum nor the overdraft is in it.
    pub(crate) const fn available(&self) -> i64 {
        self.balance - self.on_hold
    }

    /// The value date of the last row.
    pub(crate) fn last_date(&self) -> Option<Date> {
        self.by_date.last().map(|(date, _)| *date)
    }
}
