//! The kinds of transfer, as data: a flow for each of them, which says what operation each step is.

use serde::{Deserialize, Serialize};

use crate::party::AccountKind;
use crate::policy::Side;

use super::{Operation, StepName};

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

/// The course of the transfers of one kind. One forward step is on the wallet and the other in the
/// core; a step backward is on the side of the step that it takes back.
struct Flow {
    /// The word used in the API and in tables.
    word: &'static str,
    /// The kind of account that money moves to or from.
    account: AccountKind,
    /// The operation of [`StepName::First`]. On the wallet: the transfer is inbound.
    first: Operation,
    /// The operation of [`StepName::Second`].
    second: Operation,
    /// The operation of [`StepName::UndoSecond`].
    undo_second: Operation,
    /// The operation of [`StepName::UndoFirst`].
    undo_first: Operation,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] =
        [Self::Deposit, Self::Repayment, Self::Withdrawal, Self::Disbursement];

    /// The table of flows: all that a kind is stands here, and everything else asks.
    const fn flow(self) -> &'static Flow {
        match self {
            Self::Deposit => &Flow {
                word: "deposit",
                account: AccountKind::Savings,
                first: Operation::Collect,
                second: Operation::Deposit,
                undo_second: Operation::Undo,
                undo_first: Operation::Reverse,
            },
            Self::Repayment => &Flow {
                word: "repayment",
                account: AccountKind::Loan,
                first: Operation::Collect,
                second: Operation::Repay,
                undo_second: Operation::Undo,
                undo_first: Operation::Reverse,
            },
            Self::Withdrawal => &Flow {
                word: "withdrawal",
                account: AccountKind::Savings,
                first: Operation::Withdraw,
                second: Operation::PayOut,
                undo_second: Operation::Reverse,
                undo_first: Operation::Undo,
            },
            Self::Disbursement => &Flow {
                word: "disbursement",
                account: AccountKind::Loan,
                first: Operation::Disburse,
                second: Operation::PayOut,
                undo_second: Operation::Reverse,
                undo_first: Operation::Undo,
            },
        }
    }

    /// The operation that a step of this kind is.
    pub const fn operation(self, step: StepName) -> Operation {
        let flow = self.flow();
        match step {
            StepName::First => flow.first,
            StepName::Second => flow.second,
            StepName::UndoSecond => flow.undo_second,
            StepName::UndoFirst => flow.undo_first,
        }
    }

    /// True if money moves from the wallet to the core.
    pub const fn is_inbound(self) -> bool {
        matches!(self.flow().first.side(), Side::Wallet)
    }

    /// The forward step on one side.
    pub const fn leg(self, side: Side) -> StepName {
        match (side, self.is_inbound()) {
            (Side::Wallet, true) | (Side::Core, false) => StepName::First,
            (Side::Wallet, false) | (Side::Core, true) => StepName::Second,
        }
    }

    /// The operation of the forward step on the wallet: limits, fees and other rules of a provider
    /// for a transfer of this kind are those for it.
    pub const fn wallet_operation(self) -> Operation {
        self.operation(self.leg(Side::Wallet))
    }

    /// The kind of account that it moves money to or from.
    pub const fn account_kind(self) -> AccountKind {
        self.flow().account
    }

    /// The inbound kind that serves this kind of account: what a payment that begins at the wallet
    /// becomes. A new kind of account has to name its own, as no other may stand in for it.
    pub const fn inbound_for(account: AccountKind) -> Self {
        match account {
            AccountKind::Savings => Self::Deposit,
            AccountKind::Loan => Self::Repayment,
        }
    }

    /// The word used in the API and in tables.
    pub const fn as_str(self) -> &'static str {
        self.flow().word
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::Error as WordError;

    use super::*;

    #[test]
    fn all_kinds_stand_in_the_list_under_the_words_of_the_journal() {
        // The refusal of a word names every variant.
        let refusal: Result<_, WordError> = Kind::deserialize("gift".into_deserializer());
        let words = Kind::ALL.map(|kind| format!("`{}`", kind.as_str()));
        let expected = format!("unknown variant `gift`, expected one of {}", words.join(", "));
        assert_eq!(refusal.unwrap_err().to_string(), expected);
    }

    #[test]
    fn every_flow_has_a_leg_on_each_side_and_takes_it_back_there() {
        for kind in Kind::ALL {
            let side = |step| kind.operation(step).side();
            for wanted in [Side::Wallet, Side::Core] {
                assert_eq!(side(kind.leg(wanted)), wanted, "{kind:?}");
            }
            assert_ne!(kind.leg(Side::Wallet), kind.leg(Side::Core), "{kind:?}");
            assert_eq!(side(StepName::UndoFirst), side(StepName::First), "{kind:?}");
            assert_eq!(side(StepName::UndoSecond), side(StepName::Second), "{kind:?}");
            let wallet_first = side(StepName::First) == Side::Wallet;
            assert_eq!(kind.is_inbound(), wallet_first, "{kind:?}");
        }
    }

    #[test]
    fn the_kind_that_serves_an_account_is_inbound_and_of_that_account() {
        for account in Kind::ALL.map(Kind::account_kind) {
            let kind = Kind::inbound_for(account);
            assert!(kind.is_inbound(), "{kind:?}");
            assert_eq!(kind.account_kind(), account);
        }
    }
}
