//! The answer to a command (`fineract.md` §3).

use serde::Deserialize;

use super::{Decimal, Text};

/// The result of a command, in Fineract's own words.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CommandResult {
    pub(crate) command_id: Option<u64>,
    pub(crate) loan_id: Option<u64>,
    pub(crate) savings_id: Option<u64>,
    pub(crate) resource_id: Option<u64>,
    pub(crate) sub_resource_id: Option<u64>,
    pub(crate) changes: Option<Changes>,
    /// Present and true: nothing is posted, a second person must approve (§3.2).
    pub(crate) rollback_transaction: Option<bool>,
    pub(crate) resource_external_id: Text,
    pub(crate) sub_resource_external_id: Text,
}

/// The fields that are echoed of the request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Changes {
    pub(crate) transaction_amount: Option<Decimal>,
    pub(crate) external_id: Text,
    pub(crate) account_number: Text,
    pub(crate) check_number: Text,
    pub(crate) receipt_number: Text,
}
