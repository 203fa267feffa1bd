//! What waits for a person, as it is shown: suspense and cases.

use kiungo_core_banking::{Suggestion, Suggestions};
use kiungo_domain::TransferId;
use kiungo_domain::typed::Likeness;
use kiungo_store::{CaseRow, Page};
use serde::Serialize;
use utoipa::ToSchema;

use super::transfer::AccountView;
use super::{time, words};

/// Accounts that a payer may have meant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Suggestions)]
pub(crate) struct SuggestionsView {
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
pub(crate) struct SuggestionView {
    account: AccountView,
    /// ISO 4217.
    #[schema(examples("TZS"))]
    currency: String,
    /// The holder's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
    /// What speaks for it, the strongest first.
    #[schema(schema_with = words::likenesses_schema)]
    reasons: Vec<&'static str>,
}

/// A page of open cases, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CasePage)]
pub(crate) struct CasePageView {
    cases: Vec<CaseView>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Something that a person has to decide.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Case)]
pub(crate) struct CaseView {
    #[schema(schema_with = words::case_schema)]
    kind: &'static str,
    /// The transfer, unless it is about something that arrived and fits none.
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<String>,
    /// The number of what arrived, unless it is about a transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    inbox: Option<i64>,
    provider: String,
    /// The evidence.
    detail: String,
    /// Since when.
    #[schema(format = DateTime)]
    opened_at: String,
}

impl SuggestionsView {
    pub(crate) fn new(id: TransferId, found: Suggestions) -> Self {
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

impl CasePageView {
    pub(crate) fn new(page: Page<CaseRow>) -> Self {
        let cases = page.rows.into_iter().map(|row| CaseView {
            kind: row.kind.as_str(),
            transfer: row.transfer.map(|id| id.to_string()),
            inbox: row.inbox.map(|id| id.0),
            provider: row.provider.to_string(),
            detail: row.detail,
            opened_at: time::to_text(row.opened_at),
        });
        Self { cases: cases.collect(), next: page.next.map(|cursor| cursor.0) }
    }
}
