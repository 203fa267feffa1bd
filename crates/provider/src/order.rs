//! The orders and questions to a provider.

use kiungo_domain::outcome::Awaiting;
use kiungo_domain::transfer::{Operation, StepName};
use kiungo_domain::{Money, Msisdn, Receipt, Reference, Timestamp};
use kiungo_mapping::Answered;

/// Collecting from a wallet, or paying one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletOrder {
    /// Our id for this operation: the provider's idempotency key and correlation id.
    pub reference: Reference,
    /// The customer's wallet.
    pub msisdn: Msisdn,
    /// The gross amount.
    pub amount: Money,
    /// The account as the customer and the statement see it: 1 to 20 of `A-Z`, `a-z`, `0-9`.
    pub label: String,
    /// A text for the customer; the adapter restricts it to what its provider accepts.
    pub description: String,
    /// The time at which it is sent.
    pub at: Timestamp,
}

/// Reversing an executed operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReverseOrder {
    /// Our id for the reversal itself.
    pub reference: Reference,
    /// Our id for the operation that is reversed.
    pub original: Reference,
    /// The provider's id for the operation that is reversed.
    pub receipt: Receipt,
    /// The whole amount.
    pub amount: Money,
    /// The time at which it is sent.
    pub at: Timestamp,
}

/// An operation that a provider carries out: those of [`Operation`] on wallets, so that an adapter
/// decides about these and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WalletOperation {
    /// A collection.
    Collect,
    /// A payout.
    PayOut,
    /// A reversal.
    Reverse,
}

impl WalletOperation {
    /// The thing that an accepted operation waits for: a collection for the customer's PIN; the
    /// others have nobody to wait for.
    pub const fn awaiting(self) -> Awaiting {
        match self {
            Self::Collect => Awaiting::Customer,
            Self::PayOut | Self::Reverse => Awaiting::Processing,
        }
    }

    /// The wallet operation of an operation; `None` for one of a core.
    pub const fn of(operation: Operation) -> Option<Self> {
        match operation {
            Operation::Collect => Some(Self::Collect),
            Operation::PayOut => Some(Self::PayOut),
            Operation::Reverse => Some(Self::Reverse),
            Operation::Deposit
            | Operation::Repay
            | Operation::Withdraw
            | Operation::Disburse
            | Operation::Undo => None,
        }
    }

    /// The wallet operation that this step of a transfer is, if it is one. A reference names no kind
    /// of transfer: the step says it for all kinds alike.
    pub const fn of_step(step: StepName) -> Self {
        match step {
            StepName::First => Self::Collect,
            StepName::Second => Self::PayOut,
            StepName::UndoSecond | StepName::UndoFirst => Self::Reverse,
        }
    }

    /// The word used in mapping files, tables and texts.
    pub const fn as_str(self) -> &'static str {
        self.operation().as_str()
    }

    const fn operation(self) -> Operation {
        match self {
            Self::Collect => Operation::Collect,
            Self::PayOut => Operation::PayOut,
            Self::Reverse => Operation::Reverse,
        }
    }
}

impl From<WalletOperation> for Operation {
    fn from(operation: WalletOperation) -> Self {
        operation.operation()
    }
}

impl From<WalletOperation> for Answered {
    fn from(operation: WalletOperation) -> Self {
        Self::Operation(operation.operation())
    }
}

/// Asking about an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletInquiry {
    /// Our id for the operation asked about.
    pub reference: Reference,
    /// The kind of operation.
    pub operation: WalletOperation,
    /// The other side's id to ask with, where its acceptance gave one.
    pub handle: Option<String>,
    /// For a reversal: the receipt of the operation that is reversed.
    pub original: Option<Receipt>,
    /// The amount that was asked for, and its currency.
    pub amount: Money,
    /// The wallet; `None` where the provider hid a payer's number.
    pub msisdn: Option<Msisdn>,
    /// The time at which it is asked.
    pub at: Timestamp,
}

/// One page of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodQuery {
    /// First moment, inclusive.
    pub from: Timestamp,
    /// Last moment, inclusive; keep it fixed over all pages of one walk.
    pub to: Timestamp,
    /// The number of lines to skip.
    pub offset: u32,
    /// The largest number of lines.
    pub limit: u32,
}

/// A page of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementPage {
    /// The lines, newest first.
    pub lines: Vec<StatementLine>,
    /// The number of lines in the whole period, where the provider says so.
    pub available: Option<u64>,
}

/// One movement of the organisation's e-money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// The provider's id.
    pub receipt: Receipt,
    /// Our reference, echoed.
    pub reference: Option<Reference>,
    /// True if the organisation received, false if it paid.
    pub incoming: bool,
    /// The gross amount.
    pub amount: Money,
    /// The other party's wallet.
    pub msisdn: Option<Msisdn>,
    /// The time at which the provider recorded it.
    pub at: Option<Timestamp>,
    /// The provider's own word for the state.
    pub status: String,
}

#[cfg(test)]
mod tests {
    use kiungo_domain::Kind;

    use super::*;

    #[test]
    fn the_operations_of_a_provider_are_those_on_wallets() {
        let known = Operation::ALL.into_iter().filter_map(WalletOperation::of);
        assert!(known.map(Operation::from).eq(Operation::ON_WALLETS));
    }

    #[test]
    fn a_step_names_its_wallet_operation_for_every_kind() {
        for kind in Kind::ALL {
            for step in StepName::ALL {
                let operation = WalletOperation::of(kind.operation(step));
                let named = WalletOperation::of_step(step);
                assert!(operation.is_none_or(|it| it == named), "{kind:?}, {step:?}");
            }
        }
    }
}
