//! Accounts, clients and search hits (`fineract.md` §8, §9.1, §10.1).

use serde::Deserialize;

use super::{Date, Decimal, Enumerated, SavingsTransaction, Text};

/// A currency as the core has set it up.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Currency {
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) decimal_places: Option<u8>,
    #[serde(default)]
    pub(crate) in_multiples_of: Option<u64>,
}

/// A savings account; members that are zero or null are omitted on the wire.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SavingsAccount {
    pub(crate) id: u64,
    pub(crate) account_no: String,
    #[serde(default)]
    pub(crate) external_id: Text,
    pub(crate) deposit_type: Option<Enumerated>,
    pub(crate) client_id: Option<u64>,
    #[serde(default)]
    pub(crate) client_name: Text,
    #[serde(default)]
    pub(crate) group_name: Text,
    pub(crate) status: Enumerated,
    pub(crate) sub_status: Option<Enumerated>,
    pub(crate) currency: Currency,
    pub(crate) timeline: Option<Timeline>,
    #[serde(default)]
    pub(crate) allow_overdraft: bool,
    pub(crate) overdraft_limit: Option<Decimal>,
    #[serde(default)]
    pub(crate) enforce_min_required_balance: bool,
    pub(crate) min_required_balance: Option<Decimal>,
    pub(crate) lockin_period_frequency: Option<i32>,
    pub(crate) lockin_period_frequency_type: Option<Enumerated>,
    pub(crate) on_hold_funds: Option<Decimal>,
    pub(crate) savings_amount_on_hold: Option<Decimal>,
    pub(crate) summary: Option<SavingsSummary>,
    /// Only with `associations=transactions`.
    #[serde(default)]
    pub(crate) transactions: Vec<SavingsTransaction>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SavingsSummary {
    pub(crate) account_balance: Option<Decimal>,
    pub(crate) available_balance: Option<Decimal>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Timeline {
    pub(crate) activated_on_date: Option<Date>,
}

/// A loan.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Loan {
    pub(crate) id: u64,
    pub(crate) account_no: String,
    #[serde(default)]
    pub(crate) external_id: Text,
    pub(crate) client_id: Option<u64>,
    #[serde(default)]
    pub(crate) client_name: Text,
    pub(crate) group: Option<Named>,
    pub(crate) status: Enumerated,
    pub(crate) currency: Currency,
    pub(crate) principal: Option<Decimal>,
    pub(crate) approved_principal: Option<Decimal>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Named {
    #[serde(default)]
    pub(crate) name: Text,
}

/// A client.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Client {
    pub(crate) status: Enumerated,
    #[serde(default)]
    pub(crate) mobile_no: Text,
}

/// A client's accounts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Accounts {
    pub(crate) loan_accounts: Vec<ListedAccount>,
    pub(crate) savings_accounts: Vec<ListedAccount>,
}

/// An account among a client's.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListedAccount {
    pub(crate) id: u64,
    pub(crate) account_no: String,
    pub(crate) status: Enumerated,
    pub(crate) currency: Option<Currency>,
    pub(crate) deposit_type: Option<Enumerated>,
}

/// A client among the hits of the v2 search.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClientHit {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) display_name: Text,
    #[serde(default)]
    pub(crate) mobile_no: Text,
}

/// Anything among the hits of the general search.
#[allow(clippy::struct_field_names, reason = "the names on the wire")]
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SearchHit {
    pub(crate) entity_id: u64,
    #[serde(default)]
    pub(crate) entity_account_no: Text,
    #[serde(default)]
    pub(crate) entity_name: Text,
    #[serde(default)]
    pub(crate) entity_mobile_no: Text,
    pub(crate) entity_type: String,
}
