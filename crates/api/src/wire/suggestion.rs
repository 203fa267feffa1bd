//! Accounts that suspended money may be for, as they are shown.

use kiungo_core_banking::{Suggestion, Suggestions};
use kiungo_domain::TransferId;
use kiungo_domain::typed::Likeness;
use serde::Serialize;
use utoipa::ToSchema;

use super::transfer::AccountView;
use super::words;

/// Accounts that a payer may have meant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Suggestions)]
pub struct SuggestionsView {
    /// The suspended transfer.
    transfer: String,
    /// Best first, ten at most.
    suggestions: Vec<SuggestionView>,
    /// False if the core could not be asked everything, so that an account may be missing.
    complete: bool,
}

/// An account that a payer may have meant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Suggestion)]
pub struct SuggestionView {
    account: AccountView,
    /// ISO 4217.
    #[schema(examples("TZS"))]
    currency: String,
    /// The holder's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
    /// The reasons for it, the strongest first.
    #[schema(schema_with = words::likenesses_schema)]
    reasons: Vec<&'static str>,
}

impl SuggestionsView {
    /// The suggestions for this transfer.
    pub fn new(id: TransferId, found: Suggestions) -> Self {
        let Suggestions { accounts, complete } = found;
        let suggestions =
            accounts.into_iter().map(|Suggestion { account, reasons }| SuggestionView {
                account: AccountView::new(account.account, Some(account.account_no)),
                currency: account.currency.to_string(),
                holder: account.holder,
                reasons: reasons.into_iter().map(Likeness::as_str).collect(),
            });
        Self { transfer: id.to_string(), suggestions: suggestions.collect(), complete }
    }
}
