//! The lines that the market writes into its books.

use kiungo_domain::Money;
use kiungo_simulator::books::Movement;

use super::order::{Kind, Order};

/// The line in the books for an executed order.
pub(super) fn movement(order: &Order, party: &str, amount: Money, receipt: &str) -> Movement {
    Movement {
        receipt: receipt.to_owned(),
        reference: order.third_party.clone(),
        operation: order.kind.operation().to_owned(),
        party: party.to_owned(),
        amount_minor: amount.minor(),
        currency: amount.currency().code().to_owned(),
        takes_back: if order.kind == Kind::Reversal {
            order.original.clone()
        } else {
            String::new()
        },
        label: order.label.clone(),
        ..Movement::default()
    }
}

/// The line in the books for a charge, which is nobody's operation.
pub(super) fn charge(amount: Money, receipt: &str) -> Movement {
    Movement {
        receipt: receipt.to_owned(),
        reference: String::new(),
        operation: "fee".to_owned(),
        party: CHARGES.to_owned(),
        amount_minor: amount.minor(),
        currency: amount.currency().code().to_owned(),
        unasked: true,
        ..Movement::default()
    }
}

/// The party that gets the charges, in the books.
pub(super) const CHARGES: &str = "charges";
