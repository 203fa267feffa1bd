//! The data of commands, as clients send it.

use kiungo_api::Wallets;
use kiungo_api::problem::Problem;
use kiungo_api::wire::action::{ClaimInput, DecisionInput, held_operation};
use kiungo_api::wire::check::{Checks, text};
use kiungo_api::wire::request::{AccountInput, AccountSchema};
use kiungo_api::wire::{NamedTransfer, Object, words};
use kiungo_domain::ProviderId;
use kiungo_domain::transfer::Operation;
use kiungo_engine::PersonAction;
use kiungo_store::{ActionId, InboxId};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::command::Request;

/// The longest reason, in characters.
const REASON_MAX: usize = 200;

/// A transfer whose counterparty is to be asked again, now instead of at the next scheduled inquiry. It
/// moves nothing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferInquiry, examples(json!({ "transfer": "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00" })))]
pub(crate) struct InquiryData {
    /// Its id, or the reference of one of its operations.
    #[schema(pattern = "^[0-9A-Fa-f-]{32,36}$")]
    transfer: String,
}

/// A transfer that is to be given back, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferReversal, examples(json!({
    "transfer": "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00",
    "reason": "The customer paid into the wrong account"
})))]
pub(crate) struct ReversalData {
    /// Its id, or the reference of one of its operations.
    #[schema(pattern = "^[0-9A-Fa-f-]{32,36}$")]
    transfer: String,
    /// For the journal: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// Suspended money and the account that it is for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuspenseAssignment, examples(json!({
    "transfer": "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00",
    "account": { "type": "savings", "account_no": "000000042" }
})))]
pub(crate) struct AssignmentData {
    /// The suspended transfer's id, or the reference of one of its operations.
    #[schema(pattern = "^[0-9A-Fa-f-]{32,36}$")]
    transfer: String,
    #[schema(value_type = AccountSchema)]
    account: Object<AccountInput>,
}

/// A decision of a person about a transfer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferDecision, examples(json!({
    "transfer": "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00",
    "decision": "accept_executed", "step": "second", "receipt": "QX12AB34CD",
    "reason": "the provider's portal shows it as paid", "version": 9
})))]
pub(crate) struct DecisionData {
    /// Its id, or the reference of one of its operations.
    #[schema(pattern = "^[0-9A-Fa-f-]{32,36}$")]
    transfer: String,
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
    /// The version of the transfer that the person saw. If it has changed since, nothing is done.
    version: Option<u64>,
}

/// An operation of a provider that is to be held, or to go on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProviderOperation, examples(json!({
    "provider": "mpesa-tz", "operation": "pay_out", "reason": "the float is being moved"
})))]
pub(crate) struct OperationData {
    /// The provider, as configured.
    #[schema(pattern = "^[a-z0-9-]{1,32}$")]
    provider: String,
    #[schema(schema_with = words::held_operation_schema)]
    operation: String,
    /// The reason: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// A payment that is to be brought in by its receipt.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PaymentClaim, examples(json!({
    "provider": "mpesa-tz", "receipt": "QX12AB34CD", "amount": "12500", "currency": "TZS",
    "account_reference": "000000042", "reason": "it stands in the statement of 21 November"
})))]
pub(crate) struct ClaimData {
    /// The provider, as configured.
    #[schema(pattern = "^[a-z0-9-]{1,32}$")]
    provider: String,
    /// The provider's receipt.
    #[schema(min_length = 1, max_length = 256)]
    receipt: String,
    /// The gross amount; the provider's answer is compared with it. Where it states none, a second person
    /// has to approve.
    #[schema(pattern = r"^[0-9]+(\.[0-9]+)?$")]
    amount: String,
    /// ISO 4217, upper case.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
    /// The payer's wallet, where it is known.
    #[schema(pattern = "^[^0-9]*([0-9][^0-9]*){6,17}$")]
    msisdn: Option<String>,
    /// The account as the payer typed it, where it is known: 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    account_reference: Option<String>,
    /// The reason: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// A quarantined arrival.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuarantinedArrival, examples(json!({
    "arrival": 17, "reason": "the mapping has been mended"
})))]
pub(crate) struct ArrivalData {
    /// Its number.
    arrival: i64,
    /// The reason: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// An approval of an action.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ActionApproval, examples(json!({
    "action": "019354a0-5c1e-8d3a-9d3c-8a6f0e1b2c00",
    "reason": "seen in the portal as well", "version": 9
})))]
pub(crate) struct ApprovalData {
    /// The action's id.
    #[schema(pattern = "^[0-9A-Fa-f-]{32,36}$")]
    action: String,
    /// The reason: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
    /// The version of the transfer that the person saw; required for an action about a transfer.
    version: Option<u64>,
}

/// A refusal of an action.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ActionDecline, examples(json!({
    "action": "019354a0-5c1e-8d3a-9d3c-8a6f0e1b2c00", "reason": "the customer was paid"
})))]
pub(crate) struct DeclineData {
    /// The action's id.
    #[schema(pattern = "^[0-9A-Fa-f-]{32,36}$")]
    action: String,
    /// The reason: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

fn act(action: PersonAction, reason: String, seen: Option<u64>) -> Request {
    Request::Act { action: Box::new(action), named: None, reason, seen }
}

/// The same, about a transfer.
fn act_on(
    named: NamedTransfer,
    action: PersonAction,
    reason: String,
    seen: Option<u64>,
) -> Request {
    Request::Act { action: Box::new(action), named: Some(named), reason, seen }
}

impl InquiryData {
    pub(crate) fn read(self) -> Result<NamedTransfer, Problem> {
        let mut checks = Checks::default();
        let transfer = checks.member("/transfer", NamedTransfer::parse(&self.transfer));
        checks.give(transfer)
    }
}

impl ReversalData {
    pub(crate) fn read(self) -> Result<Request, Problem> {
        let mut checks = Checks::default();
        let transfer = checks.member("/transfer", NamedTransfer::parse(&self.transfer));
        let reason = checks.member("/reason", text(&self.reason, REASON_MAX));
        let whole = transfer.zip(reason);
        checks.give(whole.map(|(named, reason)| {
            act_on(named, PersonAction::Reverse { transfer: named.id() }, reason, None)
        }))
    }
}

impl AssignmentData {
    pub(crate) fn read(self) -> Result<Request, Problem> {
        let mut checks = Checks::default();
        let transfer = checks.member("/transfer", NamedTransfer::parse(&self.transfer));
        let account = self.account.0.read("/account", &mut checks);
        let whole = transfer.zip(account);
        checks.give(whole.map(|(named, account)| {
            let transfer = named.id();
            act_on(named, PersonAction::Assign { transfer, account }, String::new(), None)
        }))
    }
}

impl DecisionData {
    pub(crate) fn read(self) -> Result<Request, Problem> {
        let mut checks = Checks::default();
        let transfer = checks.member("/transfer", NamedTransfer::parse(&self.transfer));
        let reason = checks.member("/reason", text(&self.reason, REASON_MAX));
        let Self { decision, step, receipt, case, .. } = self;
        let decision = DecisionInput { decision, step, receipt, case }.read(&mut checks);
        let whole = transfer.zip(decision).zip(reason);
        checks.give(whole.map(|((named, decision), reason)| {
            let transfer = named.id();
            act_on(named, PersonAction::Decide { transfer, decision }, reason, self.version)
        }))
    }
}

impl OperationData {
    pub(crate) fn read(
        self,
        action: impl FnOnce(ProviderId, Operation) -> PersonAction,
    ) -> Result<Request, Problem> {
        let mut checks = Checks::default();
        let provider = checks.member("/provider", ProviderId::new(&self.provider));
        let operation = checks.member("/operation", held_operation(&self.operation));
        let reason = checks.member("/reason", text(&self.reason, REASON_MAX));
        let whole = provider.zip(operation).zip(reason);
        checks.give(
            whole.map(|((provider, operation), reason)| {
                act(action(provider, operation), reason, None)
            }),
        )
    }
}

impl ClaimData {
    pub(crate) fn read(self, wallets: &dyn Wallets) -> Result<Request, Problem> {
        let mut checks = Checks::default();
        let reason = checks.member("/reason", text(&self.reason, REASON_MAX));
        let provider = checks.member("/provider", ProviderId::new(&self.provider));
        let Self { receipt, amount, currency, msisdn, account_reference, .. } = self;
        let input = ClaimInput { receipt, amount, currency, msisdn, account_reference };
        let claim = provider.and_then(|provider| {
            let claim = input.read(wallets, &provider, &mut checks)?;
            Some(PersonAction::Claim { provider, claim })
        });
        checks.give(claim.zip(reason).map(|(action, reason)| act(action, reason, None)))
    }
}

impl ArrivalData {
    pub(crate) fn read(
        self,
        action: impl FnOnce(InboxId) -> PersonAction,
    ) -> Result<Request, Problem> {
        let mut checks = Checks::default();
        let reason = checks.member("/reason", text(&self.reason, REASON_MAX));
        checks.give(reason.map(|reason| act(action(InboxId(self.arrival)), reason, None)))
    }
}

impl ApprovalData {
    pub(crate) fn read(self) -> Result<Request, Problem> {
        review(&self.action, &self.reason, true, self.version)
    }
}

impl DeclineData {
    pub(crate) fn read(self) -> Result<Request, Problem> {
        review(&self.action, &self.reason, false, None)
    }
}

fn review(id: &str, why: &str, approved: bool, seen: Option<u64>) -> Result<Request, Problem> {
    let mut checks = Checks::default();
    let id = ActionId::parse(id).ok_or("this is not the id of an action");
    let action = checks.member("/action", id);
    let reason = checks.member("/reason", text(why, REASON_MAX));
    let whole = action.zip(reason);
    checks.give(whole.map(|(action, reason)| Request::Review { action, approved, reason, seen }))
}
