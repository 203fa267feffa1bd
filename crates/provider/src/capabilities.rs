//! The promises of an adapter about its provider, as data.

use std::time::Duration;

/// The facts that the engine needs to handle this provider safely.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
pub struct Capabilities {
    /// The provider rejects or replays a second sending of the same reference, for ever: so an
    /// operation that it provably does not know may be sent again under the same reference.
    pub resend_is_idempotent: bool,
    /// [`crate::Provider::inquire`] can find an operation by our reference alone.
    pub inquires_by_reference: bool,
    /// [`crate::Provider::confirm`] can confirm a payment by its receipt.
    pub confirms_payments: bool,
    /// Its answer to that states the amount; if not, the amount is only what we were told.
    pub confirms_amounts: bool,
    /// Callbacks are signed and the adapter checks it; if not, they are hints (rule 6).
    pub signs_callbacks: bool,
    /// True if the provider asks before it takes a customer's payment.
    pub validates_payments: bool,
    /// The time that may pass until a query finds an operation.
    pub indexing_window: Duration,
    /// The longest time that a collection may take: it waits for the customer's PIN.
    pub collect_timeout: Duration,
    /// The longest time that a payout or reversal may take.
    pub pay_out_timeout: Duration,
}
