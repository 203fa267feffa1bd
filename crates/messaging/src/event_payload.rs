//! The data of events, as `CloudEvents` carry them.

use kiungo_api::wire::transfer::TransferView;
use kiungo_api::wire::words;
use serde::Serialize;
use utoipa::ToSchema;

/// A fact about a transfer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TransferPayload)]
pub struct TransferPayload {
    /// The transfer as it was then, in the form in which the API shows it.
    pub transfer: TransferView,
    /// The question, if a person is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<CasePayload>,
}

/// A question that a person has to decide.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CasePayload)]
pub struct CasePayload {
    /// The kind of question.
    #[schema(schema_with = words::case_schema)]
    pub kind: &'static str,
    /// The evidence, for people.
    pub detail: String,
}

/// The state of a provider.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderPayload)]
pub struct ProviderPayload {
    /// The provider, as configured.
    #[schema(examples("mpesa-tz"))]
    pub provider: String,
    /// True if work flows to it. Otherwise its work waits, and does not fail.
    pub available: bool,
}

/// A command was accepted: the requested change is durable, and on its way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CommandAccepted)]
pub struct CommandAccepted {
    /// The id of the command's `CloudEvent`.
    #[schema(examples("7d3a9d3c-0001"))]
    pub command: String,
    /// The command's type.
    #[serde(rename = "type")]
    #[schema(examples("transfer.create"))]
    pub kind: &'static str,
    /// The client that sent it.
    #[schema(examples("erp"))]
    pub client: String,
    /// The transfer that it made, or is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00"))]
    pub transfer: Option<String>,
    /// The id of the action of a person that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("019354a0-5c1e-8d3a-9d3c-8a6f0e1b2c00"))]
    pub action: Option<String>,
    /// The state of that action: `proposed` waits for a second person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("proposed"))]
    pub state: Option<&'static str>,
    /// True if the same command had been accepted before; then nothing was done now.
    pub replayed: bool,
}

/// A command was rejected: nothing was done, and it never will be. It stands whole among the dead
/// letters.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CommandRejected)]
pub struct CommandRejected {
    /// The id of the command's `CloudEvent`, if it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("7d3a9d3c-0001"))]
    pub command: Option<String>,
    /// The command's type, if it could be read.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(examples("transfer.create"))]
    pub kind: Option<String>,
    /// The client that sent it, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("erp"))]
    pub client: Option<String>,
    /// A stable word for programs, from the list of the API's problems.
    #[schema(examples("invalid_request"))]
    pub code: &'static str,
    /// The mistake, and what would be right.
    #[schema(examples("the amount is zero"))]
    pub reason: String,
    /// The place that is wrong, where that is the reason: a JSON Pointer from the root of the
    /// command's `CloudEvent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("/data/amount"))]
    pub path: Option<String>,
    /// Every place that is wrong, if there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub faults: Vec<FaultPayload>,
    /// The provider's rule that refused a transfer, where that is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("amount_above_daily_maximum"))]
    pub rule: Option<String>,
    /// The transfer that it is about, where the reason names one: what a reused key created, what
    /// is in another state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00"))]
    pub transfer: Option<String>,
}

/// A mistake in one part of a command.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CommandFault)]
pub struct FaultPayload {
    /// The place: a JSON Pointer from the root of the command's `CloudEvent`.
    #[schema(examples("/data/amount"))]
    pub path: String,
    /// The mistake.
    #[schema(examples("the amount is zero"))]
    pub detail: String,
}
