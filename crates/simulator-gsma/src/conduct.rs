//! The conduct of a provider that no request asks for: charges, late and double approvals,
//! reversals of its own, an empty float, statements that differ from the books.
//!
//! Rates are parts per 10,000. A draw depends on the seed, the business content, and how often that
//! content was drawn before, as with [`kiungo_simulator::faults`].

use std::collections::BTreeMap;

use serde::Deserialize;

/// The conduct of the provider beyond its answers; nothing of it happens unless an option says so.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools)] // They are switches, independent of each other.
pub struct Conduct {
    /// True if a correlation id that was used before is refused. If not, the operation is carried
    /// out again; `/responses` still leads to the first.
    pub deduplicates: bool,
    /// The charge for an operation (`collect`, `pay_out`, `payment`) beside its amount. Answers
    /// state it in `fees`; it stands in the books as operation `fee`.
    pub charges: BTreeMap<String, Charge>,
    /// From when until when payouts are refused because the float is empty (`insufficientFunds`), in
    /// milliseconds since the simulator's start, whatever the float holds.
    pub float_empty_ms: Option<(u64, u64)>,
    /// Collections that are refused or expire, and that the customer nevertheless approves `late_ms`
    /// afterwards: carried out, and called back once more.
    pub approved_late: u16,
    /// Collections that the customer approves once more `late_ms` afterwards: a second transaction
    /// with a reference of its own under the same client reference.
    pub approved_twice: u16,
    /// Completed collections, payouts and payments that the provider takes back `late_ms` afterwards,
    /// unasked. The transaction says `reversed` from then on.
    pub reversed_later: u16,
    /// True if such a reversal is called back to where the result was.
    pub reversals_told: bool,
    /// The delay of "late".
    pub late_ms: u64,
    /// Transactions that are stated with another amount than the books have.
    pub other_amount: u16,
    /// Transactions that are stated with another customer's number.
    pub other_wallet: u16,
    /// Transactions that are stated with another client reference.
    pub other_reference: u16,
    /// Transactions that are stated under another transaction reference.
    pub other_receipt: u16,
    /// The places of such statements.
    pub other_in: Vec<Place>,
    /// Collections that are told as payments, too, in the form of `notify`.
    pub collections_told: u16,
    /// True if such a notification says the customer's number; else it is masked.
    pub told_with_number: bool,
    /// True if such a notification carries the client reference.
    pub told_with_reference: bool,
}

impl Default for Conduct {
    fn default() -> Self {
        Self {
            deduplicates: true,
            charges: BTreeMap::new(),
            float_empty_ms: None,
            approved_late: 0,
            approved_twice: 0,
            reversed_later: 0,
            reversals_told: false,
            late_ms: 60_000,
            other_amount: 0,
            other_wallet: 0,
            other_reference: 0,
            other_receipt: 0,
            other_in: vec![Place::Answers, Place::Inquiries, Place::Callbacks],
            collections_told: 0,
            told_with_number: true,
            told_with_reference: true,
        }
    }
}

/// A charge for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charge {
    /// In minor units of the operation's currency.
    pub minor: i64,
    /// The payer of the charge.
    pub paid_by: PaidBy,
}

/// The payer of a charge. Answers say it as the fee's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaidBy {
    /// The customer, on top of what he pays or out of what he has.
    Customer,
    /// The organisation, out of its float, as far as that goes.
    Organisation,
}

impl PaidBy {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Organisation => "organisation",
        }
    }
}

/// The place where a transaction is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the answer to its creation.
    Answers,
    /// In the answers to inquiries.
    Inquiries,
    /// In callbacks and notifications.
    Callbacks,
}
