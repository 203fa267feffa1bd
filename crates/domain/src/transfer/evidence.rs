//! Evidence about an operation: its channel, and the reference that it speaks about.

use serde::{Deserialize, Serialize};

use crate::identity::Reference;
use crate::outcome::Finding;

/// One piece of evidence (rule 15): it is always compared with what is recorded for the very
/// reference that it names, whatever else is open or running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The channel that it comes from.
    pub channel: Channel,
    /// The operation, with its step and generation, that it speaks about.
    pub reference: Reference,
    /// The claim or answer.
    pub finding: Finding,
}

impl Evidence {
    /// Evidence from asking the other side about `reference`.
    pub const fn inquired(reference: Reference, finding: Finding) -> Self {
        Self { channel: Channel::Inquiry, reference, finding }
    }
}

/// A source of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The answer to a sending.
    Answer,
    /// The answer to an inquiry of ours.
    Inquiry,
    /// A result that the provider reports unasked; a hint, until an inquiry confirms it (rule 6).
    Callback,
    /// A payment that the provider tells us of.
    Notification,
    /// A line of the provider's own record.
    StatementLine,
    /// A hook of the core.
    Hook,
    /// A person.
    Person,
}

impl Channel {
    /// The word used in the journal and in texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Inquiry => "inquiry",
            Self::Callback => "callback",
            Self::Notification => "notification",
            Self::StatementLine => "statement_line",
            Self::Hook => "hook",
            Self::Person => "person",
        }
    }
}
