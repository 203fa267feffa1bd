//! Transactions as they are read back (`fineract.md` §9.4, §10.6).

use serde::Deserialize;

use super::{Currency, Date, Decimal, Enumerated, Text};

/// A posting on a savings account.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SavingsTransaction {
    pub(crate) id: u64,
    pub(crate) transaction_type: Enumerated,
    pub(crate) account_id: Option<u64>,
    pub(crate) date: Option<Date>,
    pub(crate) amount: Decimal,
    pub(crate) currency: Option<Currency>,
    #[serde(default)]
    pub(crate) payment_detail_data: Option<PaymentDetail>,
    #[serde(default)]
    pub(crate) reversed: bool,
    /// A counter row, not a posting of its own.
    #[serde(default)]
    pub(crate) is_reversal: bool,
    #[serde(default)]
    pub(crate) release_transaction_id: u64,
    #[serde(default)]
    pub(crate) external_id: Text,
    #[serde(default)]
    pub(crate) reason_for_block: Text,
}

/// A posting on a loan.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoanTransaction {
    pub(crate) id: u64,
    pub(crate) loan_id: Option<u64>,
    #[serde(rename = "type")]
    pub(crate) kind: Enumerated,
    pub(crate) date: Date,
    pub(crate) amount: Decimal,
    pub(crate) currency: Option<Currency>,
    #[serde(default)]
    pub(crate) payment_detail_data: Option<PaymentDetail>,
    #[serde(default)]
    pub(crate) external_id: Text,
    #[serde(default)]
    manually_reversed: bool,
    #[serde(default)]
    reversed_on_date: Option<Date>,
}

impl LoanTransaction {
    /// There is no single member for it: an undo sets the one, any reversal the other.
    pub(crate) const fn is_reversed(&self) -> bool {
        self.manually_reversed || self.reversed_on_date.is_some()
    }
}

/// A loan with its transactions, as `associations=transactions` gives them.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LoanTransactions {
    pub(crate) status: Enumerated,
    #[serde(default)]
    pub(crate) transactions: Vec<LoanTransaction>,
}

/// The details that were sent along with a posting; a detail that was not sent reads as `""`.
#[allow(clippy::struct_field_names, reason = "the names on the wire")]
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PaymentDetail {
    pub(crate) account_number: Text,
    pub(crate) check_number: Text,
    pub(crate) receipt_number: Text,
}
