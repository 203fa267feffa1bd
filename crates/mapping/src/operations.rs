//! The operations on wallets that a mapping file speaks of, as data. The sections that differ by
//! operation are read by this table: a new operation is one more entry.

use kiungo_domain::transfer::{ByOperation, Operation};
use kiungo_settings::Table;

/// The place of an operation in mapping files. Its key there is its word, [`Operation::as_str`].
struct Entry {
    operation: Operation,
    /// True if it has limits and fees of its own: `[limits]` must state them, `[fees]` may.
    has_limits_and_fees: bool,
    /// The default of `core.holder_must_match`; `None` if the file cannot ask for that.
    holder_must_match: Option<bool>,
}

/// The table, in the order in which messages name the operations.
const OPERATIONS: [Entry; 3] = [
    Entry {
        operation: Operation::Collect,
        has_limits_and_fees: true,
        // People pay for others.
        holder_must_match: Some(false),
    },
    Entry {
        operation: Operation::PayOut,
        has_limits_and_fees: true,
        // Money paid to a stranger does not come back.
        holder_must_match: Some(true),
    },
    // It gives back whatever was moved, to where that came from.
    Entry { operation: Operation::Reverse, has_limits_and_fees: false, holder_must_match: None },
];

/// The operations that have code lines and status lines of their own: all of them.
pub(crate) fn all() -> impl Iterator<Item = Operation> {
    OPERATIONS.iter().map(|entry| entry.operation)
}

/// The operations that have limits and fees of their own.
pub(crate) fn with_limits_and_fees() -> impl Iterator<Item = Operation> {
    OPERATIONS.iter().filter(|entry| entry.has_limits_and_fees).map(|entry| entry.operation)
}

/// The defaults of `core.holder_must_match`, for the operations that have such a rule.
pub(crate) fn holder_must_match() -> ByOperation<bool> {
    let rule = |entry: &Entry| Some((entry.operation, entry.holder_must_match?));
    OPERATIONS.iter().filter_map(rule).collect()
}

/// The values of those operations whose keys the table has; `read` reads one of them.
pub(crate) fn values<'a, T>(
    table: &mut Table<'a>,
    operations: impl Iterator<Item = Operation>,
    read: impl Fn(Operation, Table<'a>) -> Option<T>,
) -> ByOperation<T> {
    let mut value = |operation: Operation| read(operation, table.table(operation.as_str())?);
    operations.filter_map(|operation| Some((operation, value(operation)?))).collect()
}

#[cfg(test)]
mod tests {
    use kiungo_domain::Kind;

    use super::*;

    #[test]
    fn a_file_speaks_of_all_that_a_provider_carries_out() {
        assert!(all().eq(Operation::ON_WALLETS));
    }

    #[test]
    fn the_operation_that_moves_a_transfers_money_has_limits_and_a_rule_for_the_holder() {
        for operation in Kind::ALL.map(Kind::wallet_operation) {
            assert!(with_limits_and_fees().any(|it| it == operation), "{operation:?}");
            assert!(holder_must_match().get(operation).is_some(), "{operation:?}");
        }
    }
}
