//! Actions of persons, as they are asked for and as they are shown.

use kiungo_domain::outcome::Confirmation;
use kiungo_domain::transfer::{CaseKind, Operation, PersonDecision, StepName};
use kiungo_domain::{AccountRef, Currency, Money, ProviderId, Receipt, TransferId};
use kiungo_engine::actions::{PersonAction, stored_action};
use kiungo_engine::{HELD_OPERATIONS, PaymentClaim};
use kiungo_store::{Action, ActionQuery, Cursor, Judgement, Page};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::check::{Checks, text};
use super::filter::limit;
use super::transfer::{NamedAccountView, money};
use super::viewer::Viewer;
use super::{time, words};
use crate::problem::Problem;
use crate::service::Wallets;

/// The longest reason, in characters.
const REASON_MAX: usize = 200;

/// A decision about a transfer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferDecision, examples(json!({
    "decision": "accept_executed", "step": "second", "receipt": "QX12AB34CD",
    "reason": "the provider's portal shows it as paid", "version": 9
})))]
pub struct TransferDecisionRequest {
    #[schema(schema_with = words::decision_schema)]
    decision: String,
    /// The step that it is about; for `accept_executed`, `accept_not_executed`, and for `close_case`
    /// where the case is about a step.
    #[schema(schema_with = words::step_schema, required = false)]
    step: Option<String>,
    /// The other side's receipt; for `accept_executed`.
    #[schema(min_length = 1, max_length = 256)]
    receipt: Option<String>,
    /// The kind of case; for `close_case`.
    #[schema(schema_with = words::case_schema, required = false)]
    case: Option<String>,
    /// The reason, for the journal: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
    /// The version of the transfer that you saw. If it has changed since, nothing is done.
    version: Option<u64>,
}

/// A decision as it comes in by the API or by a command.
#[derive(Debug, Default)]
pub struct DecisionInput {
    /// The word.
    pub decision: String,
    /// The step.
    pub step: Option<String>,
    /// The receipt.
    pub receipt: Option<String>,
    /// The kind of case.
    pub case: Option<String>,
}

/// An operation of a provider, to be held or released.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProviderOperation, examples(json!({ "operation": "pay_out", "reason": "the float is being moved" })))]
pub struct OperationRequest {
    #[schema(schema_with = words::held_operation_schema)]
    operation: String,
    /// The reason: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// A payment to be brought in by its receipt.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PaymentClaim, examples(json!({
    "receipt": "QX12AB34CD", "amount": "12500", "currency": "TZS", "msisdn": "255712345678",
    "account_reference": "000000042", "reason": "it stands in the statement of 21 November"
})))]
pub struct ClaimRequest {
    /// The provider's receipt.
    #[schema(min_length = 1, max_length = 256)]
    receipt: String,
    /// The gross amount; the provider's answer is compared with it. Where it states none, a second person
    /// has to approve.
    #[schema(examples("12500.00"), pattern = r"^[0-9]+(\.[0-9]+)?$")]
    amount: String,
    /// ISO 4217, upper case.
    #[schema(examples("TZS"), pattern = "^[A-Z]{3}$")]
    currency: String,
    /// The payer's wallet, where it is known.
    #[schema(pattern = "^[^0-9]*([0-9][^0-9]*){6,17}$")]
    msisdn: Option<String>,
    /// The account as the payer typed it, where it is known: 1 to 100 characters. Without it the money
    /// waits in suspense.
    #[schema(min_length = 1, max_length = 100)]
    account_reference: Option<String>,
    /// The reason: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// A payment to be claimed, as it comes in by the API or by a command.
#[derive(Debug)]
pub struct ClaimInput {
    /// The provider's receipt.
    pub receipt: String,
    /// The amount.
    pub amount: String,
    /// Its currency.
    pub currency: String,
    /// The payer.
    pub msisdn: Option<String>,
    /// The account as typed.
    pub account_reference: Option<String>,
}

/// A reason.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Reason, examples(json!({ "reason": "the mapping has been mended" })))]
pub struct ReasonRequest {
    /// The reason: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// An approval.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ActionApproval, examples(json!({ "reason": "seen in the portal as well", "version": 9 })))]
pub struct ApprovalRequest {
    /// The reason: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
    /// The version of the transfer that was shown (`transfer_version`); required for an action about a
    /// transfer.
    version: Option<u64>,
}

/// A choice of actions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ActionFilter {
    /// `open` (can be approved or declined; if left out) or `all`.
    #[param(example = "open", pattern = "^(open|all)$")]
    state: Option<String>,
    /// `next` of the page before.
    #[param(min_length = 3, max_length = 101)]
    cursor: Option<String>,
    /// Rows at most: 1 to 500, 50 if left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500)]
    limit: Option<String>,
}

/// A page of actions, the one asked for last first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActionPage)]
pub struct ActionPageView {
    actions: Vec<ActionView>,
    /// The beginning of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// An action of a person. A member without a value is left out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Action)]
pub struct ActionView {
    /// Its id.
    #[schema(examples("019354a0-5c1e-8d3a-9d3c-8a6f0e1b2c00"))]
    id: String,
    /// The kind of action.
    #[schema(examples("accept_executed"))]
    action: String,
    #[schema(schema_with = words::action_state_schema)]
    state: &'static str,
    /// The thing that it is done to, in words.
    subject: String,
    #[serde(flatten)]
    details: ActionDetails,
    /// The version of the transfer now, for the approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer_version: Option<u64>,
    /// The person who asked for it: the name of the key used.
    by: String,
    /// The reason.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    /// The time at which it was asked for.
    #[schema(format = DateTime)]
    at: String,
    /// The second person's judgement.
    #[serde(skip_serializing_if = "Option::is_none")]
    judgement: Option<JudgementView>,
    /// The outcome.
    #[serde(skip_serializing_if = "String::is_empty")]
    outcome: String,
    /// The time of its last change.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// Everything that would be done, member by member.
#[derive(Debug, Default, Serialize, ToSchema)]
struct ActionDetails {
    /// The transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<String>,
    /// The step of the transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<&'static str>,
    /// The receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
    /// The kind of case.
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<&'static str>,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<NamedAccountView>,
    /// The provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    /// The provider's operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'static str>,
    /// The amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    /// ISO 4217.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// The payer's wallet.
    #[serde(skip_serializing_if = "Option::is_none")]
    msisdn: Option<String>,
    /// The account as the payer typed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_reference: Option<String>,
    /// The arrival.
    #[serde(skip_serializing_if = "Option::is_none")]
    arrival: Option<i64>,
}

/// A second person's judgement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Judgement)]
struct JudgementView {
    /// The time.
    #[schema(format = DateTime)]
    at: String,
    /// The name of the key used.
    by: String,
    /// True if the action was approved.
    approved: bool,
    /// The reason.
    reason: String,
}

/// A reason, if it is one.
pub fn reason(text_of: &str, checks: &mut Checks) -> Option<String> {
    checks.member("/reason", text(text_of, REASON_MAX))
}

impl TransferDecisionRequest {
    /// The decision, the reason and the version seen, if every member is right.
    pub fn read(self) -> Result<(PersonDecision, String, Option<u64>), Problem> {
        let mut checks = Checks::default();
        let Self { decision, step, receipt, case, .. } = self;
        let decision = DecisionInput { decision, step, receipt, case }.read(&mut checks);
        let why = reason(&self.reason, &mut checks);
        checks.give(decision.zip(why)).map(|(decision, why)| (decision, why, self.version))
    }
}

impl DecisionInput {
    /// The decision, if every member is right and none is too much.
    pub fn read(self, checks: &mut Checks) -> Option<PersonDecision> {
        let step = match self.step.as_deref() {
            Some(word) => Some(checks.member("/step", step(word))?),
            None => None,
        };
        let receipt = match self.receipt.as_deref() {
            Some(text) => Some(checks.member("/receipt", Receipt::new(text))?),
            None => None,
        };
        let case = match self.case.as_deref() {
            Some(word) => Some(checks.member("/case", case(word))?),
            None => None,
        };
        let decision = self.decision.as_str();
        let needs = |member: &str| format!("`{decision}` needs `{member}`");
        let (decision, used) = match (decision, step, receipt) {
            ("try_again", ..) => (PersonDecision::TryAgain, [false, false, false]),
            ("give_up", ..) => (PersonDecision::GiveUp, [false, false, false]),
            ("accept_executed", Some(step), Some(receipt)) => {
                let confirmation = Confirmation::bare(receipt);
                (PersonDecision::AcceptExecuted { step, confirmation }, [true, true, false])
            }
            ("accept_not_executed", Some(step), _) => {
                (PersonDecision::AcceptNotExecuted { step }, [true, false, false])
            }
            ("accept_executed" | "accept_not_executed", None, _) => {
                return checks.member("/step", Err(needs("step")));
            }
            ("accept_executed", Some(_), None) => {
                return checks.member("/receipt", Err(needs("receipt")));
            }
            ("close_case", step, _) => {
                let case = checks.member("/case", case.ok_or_else(|| needs("case")))?;
                (PersonDecision::CloseCase { case, step }, [true, false, true])
            }
            _ => return checks.member("/decision", Err("this is not a decision about a transfer")),
        };
        let given = [
            ("/step", self.step.is_some()),
            ("/receipt", self.receipt.is_some()),
            ("/case", self.case.is_some()),
        ];
        for ((member, given), used) in given.into_iter().zip(used) {
            let fits =
                if given && !used { Err("this decision has no such member") } else { Ok(()) };
            checks.member(member, fits)?;
        }
        Some(decision)
    }
}

fn step(word: &str) -> Result<StepName, &'static str> {
    let known = StepName::ALL.into_iter().find(|step| step.as_str() == word);
    known.ok_or("this is not a step of a transfer")
}

fn case(word: &str) -> Result<CaseKind, &'static str> {
    let known = CaseKind::ALL.into_iter().find(|case| case.as_str() == word);
    known.ok_or("this is not a kind of case")
}

/// The operation of a provider that this word names, if it can be held.
pub fn held_operation(word: &str) -> Result<Operation, &'static str> {
    let known = HELD_OPERATIONS.into_iter().find(|operation| operation.as_str() == word);
    known.ok_or("an operation that can be held is collect, pay_out or reverse")
}

impl OperationRequest {
    /// The operation and the reason, if both are right.
    pub fn read(self) -> Result<(Operation, String), Problem> {
        let mut checks = Checks::default();
        let operation = checks.member("/operation", held_operation(&self.operation));
        let why = reason(&self.reason, &mut checks);
        checks.give(operation.zip(why))
    }
}

impl ClaimRequest {
    /// The payment and the reason, if every member is right.
    pub fn read(
        self,
        wallets: &dyn Wallets,
        provider: &ProviderId,
    ) -> Result<(PaymentClaim, String), Problem> {
        let mut checks = Checks::default();
        let why = reason(&self.reason, &mut checks);
        let Self { receipt, amount, currency, msisdn, account_reference, .. } = self;
        let input = ClaimInput { receipt, amount, currency, msisdn, account_reference };
        let claim = input.read(wallets, provider, &mut checks);
        checks.give(claim.zip(why))
    }
}

impl ClaimInput {
    /// The payment, if every member is right.
    pub fn read(
        self,
        wallets: &dyn Wallets,
        provider: &ProviderId,
        checks: &mut Checks,
    ) -> Option<PaymentClaim> {
        let receipt = checks.member("/receipt", Receipt::new(&self.receipt));
        let currency = checks.member("/currency", Currency::from_code(&self.currency));
        let amount = currency
            .and_then(|currency| checks.member("/amount", positive(&self.amount, currency)));
        let msisdn = match self.msisdn.as_deref() {
            Some(text) => Some(checks.member("/msisdn", wallets.read_wallet(provider, text))?),
            None => None,
        };
        let account_reference = match self.account_reference.as_deref() {
            Some(typed) => checks.member("/account_reference", text(typed, 100))?,
            None => String::new(),
        };
        let (receipt, amount) = receipt.zip(amount)?;
        Some(PaymentClaim { receipt, amount, msisdn, account_reference })
    }
}

fn positive(text: &str, currency: Currency) -> Result<Money, String> {
    let amount = Money::parse(text, currency).map_err(|error| error.to_string())?;
    if amount.is_zero() { Err("the amount is zero".to_owned()) } else { Ok(amount) }
}

impl ReasonRequest {
    /// The reason, if it is right.
    pub fn read(self) -> Result<String, Problem> {
        let mut checks = Checks::default();
        let why = reason(&self.reason, &mut checks);
        checks.give(why)
    }
}

impl ApprovalRequest {
    /// The reason and the version seen, if they are right.
    pub fn read(self) -> Result<(String, Option<u64>), Problem> {
        let mut checks = Checks::default();
        let why = reason(&self.reason, &mut checks);
        checks.give(why).map(|why| (why, self.version))
    }
}

impl ActionFilter {
    /// The query, if every parameter is right.
    pub fn read(self) -> Result<ActionQuery, Problem> {
        let mut checks = Checks::default();
        let open = match self.state.as_deref() {
            None | Some("open") => Ok(true),
            Some("all") => Ok(false),
            Some(_) => Err("a state is open or all"),
        };
        let open = checks.parameter("state", open);
        let why = "a cursor is `next` of the page before, unchanged";
        let cursor = self
            .cursor
            .and_then(|text| checks.parameter("cursor", Cursor::of_actions(&text).ok_or(why)));
        let limit = limit(self.limit, &mut checks);
        checks.finish()?;
        Ok(ActionQuery { open: open.unwrap_or(true), cursor, limit })
    }
}

impl ActionPageView {
    /// The actions of a page of rows.
    pub fn new(actions: Vec<ActionView>, page: &Page<Action>) -> Self {
        Self { actions, next: page.next.as_ref().map(|cursor| cursor.0.clone()) }
    }
}

impl ActionView {
    /// The action, beside the version that its transfer has now.
    pub fn new(action: &Action, transfer_version: Option<u64>, viewer: Viewer) -> Self {
        let details = stored_action(action);
        Self {
            id: action.id.to_string(),
            action: action.what.clone(),
            state: action.state.as_str(),
            subject: action.subject.clone(),
            details: details.map(|it| ActionDetails::new(it, viewer)).unwrap_or_default(),
            transfer_version,
            by: action.by.clone(),
            reason: action.reason.clone(),
            at: time::to_text(action.at),
            judgement: action.judgement.as_ref().map(JudgementView::new),
            outcome: action.detail.clone(),
            updated_at: time::to_text(action.updated_at),
        }
    }
}

impl ActionDetails {
    fn new(action: PersonAction, viewer: Viewer) -> Self {
        let of =
            |transfer: TransferId| Self { transfer: Some(transfer.to_string()), ..Self::default() };
        let at =
            |provider: ProviderId| Self { provider: Some(provider.to_string()), ..Self::default() };
        match action {
            PersonAction::Decide { transfer, decision } => {
                Self::of_decision(of(transfer), decision)
            }
            PersonAction::Assign { transfer, account } => {
                let account: AccountRef = account;
                Self {
                    account: Some(NamedAccountView::new(&account, None, viewer)),
                    ..of(transfer)
                }
            }
            PersonAction::Reverse { transfer } => of(transfer),
            PersonAction::Hold { provider, operation }
            | PersonAction::Release { provider, operation } => {
                Self { operation: Some(operation.as_str()), ..at(provider) }
            }
            PersonAction::Claim { provider, claim } => {
                let (amount, currency) = money(claim.amount);
                let payer = claim.msisdn.clone();
                let typed = Some(claim.account_reference).filter(|typed| !typed.is_empty());
                Self {
                    receipt: Some(claim.receipt.to_string()),
                    amount: Some(amount),
                    currency: Some(currency),
                    msisdn: claim.msisdn.map(|msisdn| viewer.msisdn(&msisdn)),
                    account_reference: typed
                        .map(|typed| viewer.typed(&typed, false, payer.as_ref())),
                    ..at(provider)
                }
            }
            PersonAction::HandleAgain { arrival } | PersonAction::Dismiss { arrival } => {
                Self { arrival: Some(arrival.0), ..Self::default() }
            }
        }
    }

    fn of_decision(of_transfer: Self, decision: PersonDecision) -> Self {
        match decision {
            PersonDecision::TryAgain | PersonDecision::GiveUp => of_transfer,
            PersonDecision::AcceptExecuted { step, confirmation } => Self {
                step: Some(step.as_str()),
                receipt: Some(confirmation.receipt.to_string()),
                ..of_transfer
            },
            PersonDecision::AcceptNotExecuted { step } => {
                Self { step: Some(step.as_str()), ..of_transfer }
            }
            PersonDecision::CloseCase { case, step } => {
                Self { case: Some(case.as_str()), step: step.map(StepName::as_str), ..of_transfer }
            }
        }
    }
}

impl JudgementView {
    fn new(judgement: &Judgement) -> Self {
        Self {
            at: time::to_text(judgement.at),
            by: judgement.by.clone(),
            approved: judgement.approved,
            reason: judgement.reason.clone(),
        }
    }
}
