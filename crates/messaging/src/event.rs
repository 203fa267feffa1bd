//! Events as messages. Pure: the same fact always makes the same message, with the same id.
//!
//! | topic | type | id |
//! | --- | --- | --- |
//! | `transfer.{kind}.{status}` | `kiungo.transfer.{status}` | `{transfer}/{version}/{status}` |
//! | `case.opened` | `kiungo.case.opened` | `{transfer}/{version}/case/{kind of case}` |
//! | `provider.{id}.available`, `….unavailable` | `kiungo.provider.available`, `….unavailable` | `provider/{id}/{microseconds}/{state}` |
//! | `command.accepted` | `kiungo.command.accepted` | `command/{client}/{id}/accepted` |
//! | `command.rejected` | `kiungo.command.rejected` | `command/{client}/{id}/rejected/{digest of the body}` |

use bytes::Bytes;
use kiungo_api::sha256_hex;
use kiungo_api::wire::time;
use kiungo_api::wire::transfer::TransferView;
use kiungo_api::wire::viewer::Viewer;
use kiungo_domain::typed::legible_json;
use kiungo_domain::{ProviderId, Timestamp};
use kiungo_engine::ExpectedFee;
use kiungo_queue::EventMessage;
use kiungo_store::{OutboxEvent, OutboxRow};
use serde::Serialize;

use crate::MessagingOptions;
use crate::event_payload::{
    CasePayload, CommandAccepted, CommandRejected, FaultPayload, ProviderPayload, TransferPayload,
};
use crate::refusal::Refusal;

/// The prefix of our event types, which distinguishes them from other systems' types.
pub(crate) const TYPE_PREFIX: &str = "kiungo.";

/// Digits of a sequence: as texts they sort as numbers do, which the standard asks for. No transfer
/// has as many events.
pub(crate) const SEQUENCE_DIGITS: usize = 10;

/// Encodes events, with the members that are the same in all events of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventEncoder {
    source: String,
    viewer: Viewer,
}

/// A `CloudEvent`. The order of its members is the order in which they are read by people.
#[derive(Serialize)]
struct Envelope<'a, D> {
    specversion: &'static str,
    id: &'a str,
    source: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    time: String,
    datacontenttype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<String>,
    data: D,
}

/// The members that differ between events.
struct Fact<'a> {
    id: String,
    topic: String,
    kind: String,
    at: Timestamp,
    subject: Option<&'a str>,
    version: Option<u64>,
}

/// A command, as far as it could be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) id: Option<&'a str>,
    /// Its type.
    pub(crate) kind: Option<&'a str>,
    /// The name of the client that sent it.
    pub(crate) client: Option<&'a str>,
    /// The whole body.
    pub(crate) body: &'a [u8],
}

/// Shortens an id of another system for use in an id of ours, which has to fit into 255 bytes of
/// AMQP.
fn short(id: &str) -> String {
    if id.len() <= 100 { id.to_owned() } else { sha256_hex(id.as_bytes()) }
}

impl EventEncoder {
    /// The encoder that the options describe.
    pub fn new(options: &MessagingOptions) -> Self {
        let viewer = Viewer::new(options.full_phone_numbers);
        Self { source: options.source.clone(), viewer }
    }

    /// The event about a transfer. `expected` is the fee that its provider is expected to charge,
    /// as the API shows it.
    pub fn transfer(&self, row: &OutboxRow, expected: Option<ExpectedFee>) -> EventMessage {
        let summary = &row.transfer;
        let (id, version, status) = (summary.id, summary.version, summary.status.as_str());
        let subject = id.to_string();
        let (fact_id, topic, kind, case) = match &row.event {
            OutboxEvent::Status => (
                format!("{id}/{version}/{status}"),
                format!("transfer.{}.{status}", summary.kind.as_str()),
                format!("{TYPE_PREFIX}transfer.{status}"),
                None,
            ),
            OutboxEvent::CaseOpened { kind, detail } => (
                format!("{id}/{version}/case/{}", kind.as_str()),
                "case.opened".to_owned(),
                format!("{TYPE_PREFIX}case.opened"),
                Some(CasePayload { kind: kind.as_str(), detail: detail.clone() }),
            ),
        };
        let transfer = TransferView::new(summary, expected, self.viewer);
        let subject = Some(subject.as_str());
        let fact = Fact { id: fact_id, topic, kind, at: row.at, subject, version: Some(version) };
        self.message(fact, TransferPayload { transfer, case })
    }

    /// The event about a provider to which work begins or ceases to flow.
    pub fn provider(&self, provider: &ProviderId, available: bool, at: Timestamp) -> EventMessage {
        let state = if available { "available" } else { "unavailable" };
        let fact = Fact {
            id: format!("provider/{provider}/{}/{state}", at.as_micros()),
            topic: format!("provider.{provider}.{state}"),
            kind: format!("{TYPE_PREFIX}provider.{state}"),
            at,
            subject: Some(provider.as_str()),
            version: None,
        };
        self.message(fact, ProviderPayload { provider: provider.to_string(), available })
    }

    /// A command was accepted.
    pub(crate) fn accepted(&self, accepted: CommandAccepted, at: Timestamp) -> EventMessage {
        let subject = accepted.transfer.clone().or_else(|| accepted.action.clone());
        let fact = Fact {
            id: format!("command/{}/{}/accepted", accepted.client, short(&accepted.command)),
            topic: "command.accepted".to_owned(),
            kind: format!("{TYPE_PREFIX}command.accepted"),
            at,
            subject: subject.as_deref(),
            version: None,
        };
        self.message(fact, accepted)
    }

    /// A command was rejected. The id holds a digest of the body: a command that was repaired and
    /// rejected again under the same id is another fact.
    pub(crate) fn rejected(
        &self,
        about: About<'_>,
        refusal: &Refusal,
        at: Timestamp,
    ) -> EventMessage {
        let digest = sha256_hex(about.body);
        let id = format!(
            "command/{}/{}/rejected/{digest:.16}",
            about.client.unwrap_or_default(),
            about.id.map(short).unwrap_or_default()
        );
        let faults = refusal
            .faults
            .iter()
            .map(|fault| FaultPayload { path: fault.path.clone(), detail: fault.detail.clone() });
        let several = refusal.faults.len() > 1;
        let data = CommandRejected {
            command: about.id.map(str::to_owned),
            kind: about.kind.map(str::to_owned),
            client: about.client.map(str::to_owned),
            code: refusal.code.as_str(),
            reason: refusal.reason.clone(),
            path: refusal.path().map(str::to_owned),
            faults: if several { faults.collect() } else { Vec::new() },
            rule: refusal.rule.clone(),
            transfer: refusal.transfer.clone(),
        };
        let fact = Fact {
            id,
            topic: "command.rejected".to_owned(),
            kind: format!("{TYPE_PREFIX}command.rejected"),
            at,
            subject: refusal.transfer.as_deref(),
            version: None,
        };
        self.message(fact, data)
    }

    fn message(&self, fact: Fact<'_>, data: impl Serialize) -> EventMessage {
        let sequence = fact.version.map(|version| format!("{version:0SEQUENCE_DIGITS$}"));
        let envelope = Envelope {
            specversion: "1.0",
            id: &fact.id,
            source: &self.source,
            kind: &fact.kind,
            subject: fact.subject,
            time: time::to_text(fact.at),
            datacontenttype: "application/json",
            sequence,
            data,
        };
        // Structs of plain values always have a JSON form.
        let body = serde_json::to_string(&envelope).unwrap_or_default();
        let body = Bytes::from(legible_json(&body).into_owned());
        EventMessage { id: fact.id, topic: fact.topic, body }
    }
}
