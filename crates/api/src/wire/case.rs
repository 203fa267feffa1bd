//! Open cases, as they are shown: everything that a person needs in order to decide.

use kiungo_domain::Timestamp;
use kiungo_domain::transfer::{CaseKind, Choice, StepName, Transfer};
use kiungo_store::CaseRow;
use serde::Serialize;
use utoipa::ToSchema;

use super::transfer::{AccountView, money};
use super::viewer::Viewer;
use super::{time, words};

/// A page of open cases, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CasePage)]
pub struct CasePageView {
    /// The cases, newest first.
    pub cases: Vec<CaseView>,
    /// The beginning of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Something that a person has to decide. A member without a value is left out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Case)]
pub struct CaseView {
    #[schema(schema_with = words::case_schema)]
    kind: &'static str,
    /// The transfer, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<String>,
    /// The number of the arrival, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    inbox: Option<i64>,
    provider: String,
    /// The provider's operation, where it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'static str>,
    /// The step of the transfer, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = words::step_schema, required = false)]
    step: Option<&'static str>,
    /// The evidence.
    detail: String,
    /// The start of the case.
    #[schema(format = DateTime)]
    opened_at: String,
    /// The age of the case in seconds.
    age_s: u64,
    // Its members are left out with it: as an `Option`, the document would demand the value null.
    #[serde(flatten)]
    #[schema(value_type = CaseMoney)]
    money: Option<CaseMoney>,
    /// The actions that a person can take.
    choices: Vec<ChoiceView>,
}

/// The money that a case is about; absent where it is about no transfer.
#[derive(Debug, Serialize, ToSchema)]
struct CaseMoney {
    /// The version of the transfer, for a decision.
    #[schema(required = false)]
    version: u64,
    #[schema(schema_with = words::status_schema, required = false)]
    status: &'static str,
    /// The gross amount.
    #[schema(required = false)]
    amount: String,
    /// ISO 4217.
    #[schema(required = false)]
    currency: String,
    /// The wallet; masked for keys without the role `operate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    msisdn: Option<String>,
    /// The account, once the core has found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<AccountView>,
    /// The reference under which the other side knows the step, or the one that is open: to look for
    /// in its portal.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// The provider's receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    wallet_receipt: Option<String>,
    /// The core's transaction id.
    #[serde(skip_serializing_if = "Option::is_none")]
    core_receipt: Option<String>,
    /// The time since which the money is in transit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    in_transit_since: Option<String>,
}

/// An action that a person can take.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Choice)]
pub struct ChoiceView {
    /// The word for it: a decision, or `assign`, `reverse`, `release`, `handle_again`, `dismiss`.
    #[schema(examples("accept_executed"))]
    action: &'static str,
    /// The step that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = words::step_schema, required = false)]
    step: Option<&'static str>,
}

impl ChoiceView {
    fn bare(action: &'static str) -> Self {
        Self { action, step: None }
    }
}

/// The actions that the state of a transfer allows.
pub fn choices(transfer: &Transfer) -> Vec<ChoiceView> {
    let view = |choice: Choice| ChoiceView {
        action: choice.as_str(),
        step: choice.step().map(StepName::as_str),
    };
    transfer.choices().into_iter().map(view).collect()
}

impl CaseView {
    /// The case, beside the transfer that it is about.
    pub fn new(row: CaseRow, transfer: Option<&Transfer>, now: Timestamp, viewer: Viewer) -> Self {
        let choices = match (transfer, row.kind) {
            (Some(transfer), _) => choices(transfer),
            (None, CaseKind::OperationHeld) => vec![ChoiceView::bare("release")],
            (None, CaseKind::Quarantined) => {
                vec![ChoiceView::bare("handle_again"), ChoiceView::bare("dismiss")]
            }
            // It is being asked about, and ends by itself once the provider answers.
            (None, _) => vec![ChoiceView::bare("dismiss")],
        };
        Self {
            kind: row.kind.as_str(),
            transfer: row.transfer.map(|id| id.to_string()),
            inbox: row.inbox.map(|id| id.0),
            provider: row.provider.to_string(),
            operation: row.operation.map(kiungo_domain::transfer::Operation::as_str),
            step: row.step.map(StepName::as_str),
            detail: row.detail,
            opened_at: time::to_text(row.opened_at),
            age_s: now.since(row.opened_at).as_secs(),
            money: transfer.map(|transfer| CaseMoney::new(transfer, row.step, viewer)),
            choices,
        }
    }
}

impl CaseMoney {
    fn new(transfer: &Transfer, step: Option<StepName>, viewer: Viewer) -> Self {
        let (amount, currency) = money(transfer.amount());
        let number = transfer.account_no().map(str::to_owned);
        let msisdn = transfer.instruction().msisdn.as_ref();
        Self {
            version: transfer.version(),
            status: transfer.status().as_str(),
            amount,
            currency,
            msisdn: msisdn.map(|msisdn| viewer.msisdn(msisdn)),
            account: transfer.account().map(|account| AccountView::new(account, number)),
            reference: step
                .or_else(|| transfer.open_step())
                .map(|step| transfer.reference(step).to_string()),
            wallet_receipt: transfer.wallet_receipt().map(ToString::to_string),
            core_receipt: transfer.core_receipt().map(ToString::to_string),
            in_transit_since: transfer.transit_since().map(time::to_text),
        }
    }
}
