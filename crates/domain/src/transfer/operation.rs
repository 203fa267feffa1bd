//! The operations that the steps of transfers are, as data, and values that are kept for each of
//! them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::policy::Side;

/// An idempotent order to a provider or a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A wallet pays us.
    Collect,
    /// We pay a wallet.
    PayOut,
    /// A wallet operation is reversed.
    Reverse,
    /// Money into a savings account.
    Deposit,
    /// Money towards a loan.
    Repay,
    /// Money out of a savings account.
    Withdraw,
    /// A loan is paid out.
    Disburse,
    /// A booking in the core is undone.
    Undo,
}

impl Operation {
    /// All operations.
    pub const ALL: [Self; 8] = [
        Self::Collect,
        Self::PayOut,
        Self::Reverse,
        Self::Deposit,
        Self::Repay,
        Self::Withdraw,
        Self::Disburse,
        Self::Undo,
    ];

    /// The operations that a provider carries out.
    pub const ON_WALLETS: [Self; 3] = [Self::Collect, Self::PayOut, Self::Reverse];

    /// The table: for each operation, the side that carries it out, and its word.
    const fn entry(self) -> (Side, &'static str) {
        match self {
            Self::Collect => (Side::Wallet, "collect"),
            Self::PayOut => (Side::Wallet, "pay_out"),
            Self::Reverse => (Side::Wallet, "reverse"),
            Self::Deposit => (Side::Core, "deposit"),
            Self::Repay => (Side::Core, "repay"),
            Self::Withdraw => (Side::Core, "withdraw"),
            Self::Disburse => (Side::Core, "disburse"),
            Self::Undo => (Side::Core, "undo"),
        }
    }

    /// The side that carries it out.
    pub const fn side(self) -> Side {
        self.entry().0
    }

    /// The word used in mapping files, tables, metrics and texts.
    pub const fn as_str(self) -> &'static str {
        self.entry().1
    }
}

/// A value for each of some operations, in the order of [`Operation`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByOperation<T>(BTreeMap<Operation, T>);

impl<T> ByOperation<T> {
    /// The value for an operation; `None` if it has none.
    pub fn get(&self, operation: Operation) -> Option<&T> {
        self.0.get(&operation)
    }

    /// The operations that have a value, with it.
    pub fn iter(&self) -> impl Iterator<Item = (Operation, &T)> {
        self.0.iter().map(|(operation, value)| (*operation, value))
    }

    /// The same, to change the values.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Operation, &mut T)> {
        self.0.iter_mut().map(|(operation, value)| (*operation, value))
    }
}

impl<T> Default for ByOperation<T> {
    /// No operation has a value.
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> FromIterator<(Operation, T)> for ByOperation<T> {
    /// An operation that occurs twice has the later value.
    fn from_iter<I: IntoIterator<Item = (Operation, T)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::Error as WordError;

    use super::*;

    #[test]
    fn all_operations_stand_in_the_lists_under_the_words_of_the_journal() {
        // The refusal of a word names every variant.
        let refusal: Result<_, WordError> = Operation::deserialize("gift".into_deserializer());
        let words = Operation::ALL.map(|operation| format!("`{}`", operation.as_str()));
        let expected = format!("unknown variant `gift`, expected one of {}", words.join(", "));
        assert_eq!(refusal.unwrap_err().to_string(), expected);
        let on_wallets = Operation::ALL.into_iter().filter(|it| it.side() == Side::Wallet);
        assert!(on_wallets.eq(Operation::ON_WALLETS));
    }

    #[test]
    fn a_value_belongs_to_its_operation_alone() {
        let mut values: ByOperation<u8> =
            [(Operation::PayOut, 2), (Operation::Collect, 1)].into_iter().collect();
        for (_, value) in values.iter_mut() {
            *value += 10;
        }
        assert_eq!(values.get(Operation::Collect), Some(&11));
        assert_eq!(values.get(Operation::Reverse), None);
        let listed: Vec<_> = values.iter().collect();
        assert_eq!(listed, [(Operation::Collect, &11), (Operation::PayOut, &12)]);
        assert_eq!(ByOperation::<u8>::default().iter().count(), 0);
    }
}
