//! Accounts and owners, as far as a request to pay out asks for them.

use serde::Deserialize;

use super::{Currency, Date, Decimal, Enumerated, Text};

/// A loan, listed or read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestedLoan {
    pub(crate) id: u64,
    pub(crate) account_no: String,
    pub(crate) status: Enumerated,
    pub(crate) client_id: Option<u64>,
    pub(crate) client_office_id: Option<u64>,
    pub(crate) loan_product_id: Option<u64>,
    pub(crate) currency: Currency,
    pub(crate) principal: Option<Decimal>,
    pub(crate) approved_principal: Option<Decimal>,
    pub(crate) net_disbursal_amount: Option<Decimal>,
    #[serde(default)]
    pub(crate) multi_disburse_loan: bool,
    pub(crate) timeline: Option<LoanDays>,
}

/// The days of a loan.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoanDays {
    pub(crate) expected_disbursement_date: Option<Date>,
}

/// A savings account.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestedSavings {
    pub(crate) id: u64,
    pub(crate) account_no: String,
    pub(crate) client_id: Option<u64>,
    pub(crate) savings_product_id: Option<u64>,
    pub(crate) currency: Currency,
}

/// A client.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestOwner {
    #[serde(default)]
    pub(crate) mobile_no: Text,
    pub(crate) office_id: Option<u64>,
}
