//! The requests of cores for payouts, as they are shown and decided.

use kiungo_domain::CoreId;
use kiungo_engine::requests::Content;
use kiungo_store::{
    CoreRequestDecision, CoreRequestQuery, CoreRequestRow, Cursor, Page, StoreError,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::check::{Checks, text};
use super::filter::limit;
use super::transfer::{AccountView, money};
use super::viewer::Viewer;
use super::{time, words};
use crate::problem::Problem;

/// A filter of the requests of cores.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CoreRequestFilter {
    /// The core.
    #[param(pattern = "^[a-z0-9-]{1,32}$")]
    core: Option<String>,
    /// `waiting` (for a person; if left out) or `all`.
    #[param(example = "waiting", pattern = "^(waiting|all)$")]
    state: Option<String>,
    /// `next` of the page before.
    #[param(min_length = 3, max_length = 101)]
    cursor: Option<String>,
    /// Rows at most: 1 to 500, 50 if left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<String>,
}

/// An approval of a request of a core.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Approval, examples(json!({ "version": 3, "reason": "the customer was called back" })))]
pub struct ApprovalRequest {
    /// `version` of the request as it was shown. If the request has another version now, nothing is
    /// approved.
    #[schema(minimum = 1)]
    version: u64,
    /// Why: 1 to 200 characters. It is kept with your key's name.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// A decision about a request of a core.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Decision, examples(json!({ "reason": "the customer was called back" })))]
pub struct DecisionRequest {
    /// `version` of the request as it was shown, if another one is to be left alone.
    #[schema(minimum = 1)]
    version: Option<u64>,
    /// Why: 1 to 200 characters. It is kept with your key's name.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// A page of requests of cores, the latest reported one first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CoreRequestPage)]
pub struct CoreRequestPageView {
    requests: Vec<CoreRequestView>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Something that a core asks to be paid out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CoreRequest)]
pub struct CoreRequestView {
    core: String,
    /// Its name within the core.
    #[schema(examples("loan-123"))]
    request: String,
    /// The number of its changes: an approval names the version that was shown.
    version: u64,
    #[schema(schema_with = words::core_request_state_schema)]
    state: &'static str,
    /// `disbursement` or `withdrawal`.
    kind: &'static str,
    account: AccountView,
    /// The gross amount.
    #[schema(examples("125.50"))]
    amount: String,
    /// ISO 4217.
    #[schema(examples("TZS"))]
    currency: String,
    /// The product's id in the core.
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<u64>,
    /// The id of the owner's office in the core.
    #[serde(skip_serializing_if = "Option::is_none")]
    office: Option<u64>,
    /// The provider that it would be paid by.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    /// The wallet; in full for the role `operate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    msisdn: Option<String>,
    /// The transfer that it became last.
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<String>,
    /// The number of the attempt to pay it.
    attempt: u32,
    /// Why it stands there.
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    /// The decisions of persons, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    decisions: Vec<DecisionView>,
    /// When it was first heard of.
    #[schema(format = DateTime)]
    heard_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// A decision of a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CoreRequestDecision)]
pub struct DecisionView {
    #[schema(format = DateTime)]
    at: String,
    /// The name of the key used.
    by: String,
    approved: bool,
    reason: String,
}

impl CoreRequestFilter {
    /// The query, if every parameter is right.
    pub fn read(self) -> Result<CoreRequestQuery, Problem> {
        let mut checks = Checks::default();
        let core = self.core.and_then(|name| checks.parameter("core", CoreId::new(&name)));
        let waiting = match self.state.as_deref() {
            None | Some("waiting") => Ok(true),
            Some("all") => Ok(false),
            Some(_) => Err("a state is waiting or all"),
        };
        let waiting = checks.parameter("state", waiting);
        let why = "a cursor is `next` of the page before, unchanged";
        let cursor = self
            .cursor
            .and_then(|text| checks.parameter("cursor", Cursor::of_transfers(&text).ok_or(why)));
        let limit = limit(self.limit, &mut checks);
        checks.finish()?;
        Ok(CoreRequestQuery { core, waiting: waiting.unwrap_or(true), cursor, limit })
    }
}

impl ApprovalRequest {
    /// The version and the reason, if they are right.
    pub fn read(self) -> Result<(u64, String), Problem> {
        Ok((self.version, reason(&self.reason)?))
    }
}

impl DecisionRequest {
    /// The version, where one is named, and the reason, if they are right.
    pub fn read(self) -> Result<(Option<u64>, String), Problem> {
        Ok((self.version, reason(&self.reason)?))
    }
}

fn reason(given: &str) -> Result<String, Problem> {
    let mut checks = Checks::default();
    let reason = checks.member("/reason", text(given, 200));
    checks.give(reason)
}

impl CoreRequestPageView {
    /// The view of a page of rows.
    ///
    /// # Errors
    /// A stored row that cannot be read.
    pub fn new(page: Page<CoreRequestRow>, viewer: Viewer) -> Result<Self, StoreError> {
        let requests = page.rows.iter().map(|row| CoreRequestView::new(row, viewer));
        Ok(Self {
            requests: requests.collect::<Result<_, _>>()?,
            next: page.next.map(|cursor| cursor.0),
        })
    }
}

impl CoreRequestView {
    /// The view of a row.
    ///
    /// # Errors
    /// A stored row that cannot be read.
    pub fn new(row: &CoreRequestRow, viewer: Viewer) -> Result<Self, StoreError> {
        let content = Content::read(row)?;
        let (amount, currency) = money(content.amount);
        Ok(Self {
            core: row.core.to_string(),
            request: row.request.clone(),
            version: row.version,
            state: row.state.as_str(),
            kind: content.kind.as_str(),
            account: AccountView::new(content.account, Some(content.account_no)),
            amount,
            currency,
            product: content.product,
            office: content.office,
            provider: content.provider.map(|provider| provider.to_string()),
            msisdn: content.msisdn.map(|msisdn| viewer.msisdn(&msisdn)),
            transfer: row.transfer.map(|id| id.to_string()),
            attempt: row.generation,
            detail: row.detail.clone(),
            decisions: row.decisions.iter().map(DecisionView::new).collect(),
            heard_at: time::to_text(row.heard_at),
            updated_at: time::to_text(row.updated_at),
        })
    }
}

impl DecisionView {
    fn new(decision: &CoreRequestDecision) -> Self {
        Self {
            at: time::to_text(decision.at),
            by: decision.by.clone(),
            approved: decision.approved,
            reason: decision.reason.clone(),
        }
    }
}
