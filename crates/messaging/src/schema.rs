//! The schemas that the documents are made of: of the data, generated from the types; of the
//! envelopes around it, as [`crate::cloud_event`] reads and [`crate::event`] writes them.

use kiungo_api::wire::check::KEY_CHARS_MAX;
use kiungo_api::wire::request::TransferRequest;
use kiungo_domain::transfer::Status;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::command::CommandType;
use crate::command_data::{
    ApprovalData, ArrivalData, AssignmentData, ClaimData, DecisionData, DeclineData, InquiryData,
    OperationData, ReversalData,
};
use crate::event::{SEQUENCE_DIGITS, TYPE_PREFIX};
use crate::event_payload::{CommandAccepted, CommandRejected, ProviderPayload, TransferPayload};

/// The prefix of a reference from one schema to another.
pub(crate) const COMPONENTS: &str = "#/components/schemas/";

/// The events, by the names of their schemas and messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventType {
    /// A transfer has another status.
    TransferStatus,
    /// A person is needed.
    CaseOpened,
    /// A provider is available, or not any more.
    ProviderState,
    /// A command was accepted.
    CommandAccepted,
    /// A command was rejected.
    CommandRejected,
}

impl EventType {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [
        Self::TransferStatus,
        Self::CaseOpened,
        Self::ProviderState,
        Self::CommandAccepted,
        Self::CommandRejected,
    ];

    /// Its name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::TransferStatus => "transfer.status",
            Self::CaseOpened => "case.opened",
            Self::ProviderState => "provider.state",
            Self::CommandAccepted => "command.accepted",
            Self::CommandRejected => "command.rejected",
        }
    }

    /// The types that its `CloudEvent` may have.
    pub(crate) fn types(self) -> Vec<String> {
        let named = |names: &[&str]| names.iter().map(|n| format!("{TYPE_PREFIX}{n}")).collect();
        match self {
            Self::TransferStatus => {
                let typed = |status: Status| format!("{TYPE_PREFIX}transfer.{}", status.as_str());
                Status::ALL.map(typed).into()
            }
            Self::CaseOpened => named(&["case.opened"]),
            Self::ProviderState => named(&["provider.available", "provider.unavailable"]),
            Self::CommandAccepted => named(&["command.accepted"]),
            Self::CommandRejected => named(&["command.rejected"]),
        }
    }

    /// True if its events have a sequence.
    pub(crate) const fn is_of_transfer(self) -> bool {
        matches!(self, Self::TransferStatus | Self::CaseOpened)
    }

    fn data(self) -> String {
        match self {
            Self::TransferStatus | Self::CaseOpened => TransferPayload::name(),
            Self::ProviderState => ProviderPayload::name(),
            Self::CommandAccepted => CommandAccepted::name(),
            Self::CommandRejected => CommandRejected::name(),
        }
        .into_owned()
    }
}

/// The name of the schema of a command's data.
pub(crate) fn command_data(kind: CommandType) -> String {
    match kind {
        CommandType::Create => TransferRequest::name(),
        CommandType::Inquire => InquiryData::name(),
        CommandType::Reverse => ReversalData::name(),
        CommandType::Assign => AssignmentData::name(),
        CommandType::Decide => DecisionData::name(),
        CommandType::Hold | CommandType::Release => OperationData::name(),
        CommandType::Claim => ClaimData::name(),
        CommandType::HandleAgain | CommandType::Dismiss => ArrivalData::name(),
        CommandType::Approve => ApprovalData::name(),
        CommandType::Decline => DeclineData::name(),
    }
    .into_owned()
}

/// All schemas by name: of the data, and of each command and event whole.
pub(crate) fn all() -> Map<String, Value> {
    let mut found = Vec::new();
    add::<TransferRequest>(&mut found);
    add::<InquiryData>(&mut found);
    add::<ReversalData>(&mut found);
    add::<AssignmentData>(&mut found);
    add::<DecisionData>(&mut found);
    add::<OperationData>(&mut found);
    add::<ClaimData>(&mut found);
    add::<ArrivalData>(&mut found);
    add::<ApprovalData>(&mut found);
    add::<DeclineData>(&mut found);
    add::<TransferPayload>(&mut found);
    add::<ProviderPayload>(&mut found);
    add::<CommandAccepted>(&mut found);
    add::<CommandRejected>(&mut found);
    let data = found.into_iter().map(|(name, schema)| {
        // Schemas are plain values, which always have a JSON form.
        (name, serde_json::to_value(schema).unwrap_or_default())
    });
    let commands = CommandType::ALL.map(|kind| (kind.as_str().to_owned(), command(kind)));
    let events = EventType::ALL.map(|kind| (kind.as_str().to_owned(), event(kind)));
    data.chain(commands).chain(events).collect()
}

fn add<T: ToSchema>(found: &mut Vec<(String, RefOr<Schema>)>) {
    found.push((T::name().into_owned(), T::schema()));
    T::schemas(found);
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("{COMPONENTS}{name}") })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "minLength": 1, "description": description })
}

/// A command's `CloudEvent`.
fn command(kind: CommandType) -> Value {
    json!({
        "type": "object",
        "description": "A command: a CloudEvent 1.0 in structured mode. A member that comes twice \
                        is refused, and so is anything unknown within data.",
        "required": ["specversion", "id", "source", "type", "data"],
        "properties": {
            "specversion": { "const": "1.0" },
            "id": {
                "type": "string", "minLength": 1, "maxLength": KEY_CHARS_MAX,
                "description": "The idempotency key: unique for each thing that you want, the same \
                                whenever you repeat it. One that is to be repeated by the API has \
                                visible ASCII characters only, as a header has.",
            },
            "source": {
                "type": "string", "minLength": 1, "maxLength": 200, "format": "uri-reference",
                "description": "Which of your systems sends it; for people.",
            },
            "type": { "const": kind.as_str() },
            "datacontenttype": {
                "type": "string",
                "description": "Nothing but application/json, in UTF-8.",
            },
            "dataschema": text("Not looked at."),
            "subject": text("Not looked at."),
            "time": { "type": "string", "format": "date-time", "description": "Not looked at." },
            "data": reference(&command_data(kind)),
            "data_base64": { "type": "null", "description": "Data is given as JSON." },
        },
        "propertyNames": { "pattern": "^([a-z0-9]+|data_base64)$" },
        "additionalProperties": {
            "type": ["string", "boolean", "integer", "null"],
            "description": "Extension attributes are allowed, and not looked at.",
        },
    })
}

/// An event's `CloudEvent`.
fn event(kind: EventType) -> Value {
    let mut required =
        vec!["specversion", "id", "source", "type", "time", "datacontenttype", "data"];
    let mut properties = json!({
        "specversion": { "const": "1.0" },
        "id": text("A second event with the same id tells the same."),
        "source": text("The installation, as its configuration names it."),
        "type": { "type": "string", "enum": kind.types() },
        "subject": text("What it is about: a transfer's id, or a provider's name."),
        "time": {
            "type": "string", "format": "date-time", "description": "When what it tells happened.",
        },
        "datacontenttype": { "const": "application/json" },
        "data": reference(&kind.data()),
    });
    if kind.is_of_transfer() {
        required.extend(["subject", "sequence"]);
        properties["sequence"] = json!({
            "type": "string", "pattern": format!("^[0-9]{{{SEQUENCE_DIGITS}}}$"),
            "description": "The transfer's version, the same for whatever is told of one version. \
                            Within a subject, drop what is smaller than what you know.",
        });
    }
    json!({
        "type": "object",
        "description": "An event: a CloudEvent 1.0 in structured mode. Members may be added: skip \
                        those that you do not know.",
        "required": required,
        "properties": properties,
    })
}
