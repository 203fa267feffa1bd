//! The four kinds of transfer, as data: which operation each step is.

use serde::{Deserialize, Serialize};

use crate::party::AccountKind;
use crate::policy::Side;

use super::StepName;

/// A kind of transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// From a wallet into a savings account.
    Deposit,
    /// From a wallet towards a loan.
    Repayment,
    /// From a savings account to a wallet.
    Withdrawal,
    /// From an approved loan to a wallet.
    Disbursement,
}

/// One idempotent thing asked of a provider or a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A wallet pays us.
    Collect,
    /// We pay a wallet.
    PayOut,
    /// A wallet operation is given back.
    Reverse,
    /// Money into a savings account.
    Deposit,
    /// Money towards a loan.
    Repay,
    /// Money out of a savings account.
    Withdraw,
    /// A loan is paid out.
    Disburse,
    /// A booking in the core is taken back.
    Undo,
}

impl Operation {
    /// The side that carries it out.
    pub const fn side(self) -> Side {
        match self {
            Self::Collect | Self::PayOut | Self::Reverse => Side::Wallet,
            Self::Deposit | Self::Repay | Self::Withdraw | Self::Disburse | Self::Undo => {
                Side::Core
            }
        }
    }

    /// The word used in tables, metrics and texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Collect => "collect",
            Self::PayOut => "pay_out",
            Self::Reverse => "reverse",
            Self::Deposit => "deposit",
            Self::Repay => "repay",
            Self::Withdraw => "withdraw",
            Self::Disburse => "disburse",
            Self::Undo => "undo",
        }
    }
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] =
        [Self::Deposit, Self::Repayment, Self::Withdrawal, Self::Disbursement];

    /// True if money moves from the wallet to the core.
    pub const fn is_inbound(self) -> bool {
        matches!(self, Self::Deposit | Self::Repayment)
    }

    /// The kind of account that it moves money to or from.
    pub const fn account_kind(self) -> AccountKind {
        match self {
            Self::Deposit | Self::Withdrawal => AccountKind::Savings,
            Self::Repayment | Self::Disbursement => AccountKind::Loan,
        }
    }

    /// The inbound kind that serves this kind of account.
    pub const fn inbound_for(account: AccountKind) -> Self {
        match account {
            AccountKind::Savings => Self::Deposit,
            AccountKind::Loan => Self::Repayment,
        }
    }

    /// The operation that a step of this kind is.
    pub const fn operation(self, step: StepName) -> Operation {
        match (self, step) {
            (Self::Deposit | Self::Repayment, StepName::First) => Operation::Collect,
            (Self::Deposit, StepName::Second) => Operation::Deposit,
            (Self::Repayment, StepName::Second) => Operation::Repay,
            (Self::Withdrawal, StepName::First) => Operation::Withdraw,
            (Self::Disbursement, StepName::First) => Operation::Disburse,
            (Self::Withdrawal | Self::Disbursement, StepName::Second) => Operation::PayOut,
            (Self::Deposit | Self::Repayment, StepName::UndoSecond)
            | (Self::Withdrawal | Self::Disbursement, StepName::UndoFirst) => Operation::Undo,
            (Self::Deposit | Self::Repayment, StepName::UndoFirst)
            | (Self::Withdrawal | Self::Disbursement, StepName::UndoSecond) => Operation::Reverse,
        }
    }

    /// The word used in the API and in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Repayment => "repayment",
            Self::Withdrawal => "withdrawal",
            Self::Disbursement => "disbursement",
        }
    }
}
