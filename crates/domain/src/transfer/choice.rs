//! The decisions that a person can take about a transfer, as they are offered and recorded.

use serde::{Deserialize, Serialize};

use crate::outcome::Confirmation;

use super::case::CaseKind;
use super::step_name::StepName;

/// A decision of a person about a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum PersonDecision {
    /// Try the open step again now, or ask about it now; a refused compensation, or an operation
    /// that provably never arrived, is sent again under a new reference.
    TryAgain,
    /// Stop trying what could not be sent, and give back what has moved.
    GiveUp,
    /// The step was executed: the person has seen it at the other side.
    AcceptExecuted {
        /// The step.
        step: StepName,
        /// The other side's receipt.
        confirmation: Confirmation,
    },
    /// The step was not executed, or was reversed at the other side: the person has seen it
    /// there.
    AcceptNotExecuted {
        /// The step.
        step: StepName,
    },
    /// The question is answered; nothing else follows, and the steps that waited for it go on.
    CloseCase {
        /// The kind of question.
        case: CaseKind,
        /// The step that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepName>,
    },
}

impl PersonDecision {
    /// The word used in the API, the journal and in configuration.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::TryAgain => "try_again",
            Self::GiveUp => "give_up",
            Self::AcceptExecuted { .. } => "accept_executed",
            Self::AcceptNotExecuted { .. } => "accept_not_executed",
            Self::CloseCase { .. } => "close_case",
        }
    }
}

/// The person who decides, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deciding {
    /// The person or system.
    pub by: String,
    /// The second person, where the configuration asks for one.
    pub approved_by: Option<String>,
    /// The reason, in the person's words.
    pub reason: String,
}

/// A kind of decision that the state of a transfer allows now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// [`PersonDecision::TryAgain`].
    TryAgain,
    /// [`PersonDecision::GiveUp`].
    GiveUp,
    /// [`PersonDecision::AcceptExecuted`] of this step.
    AcceptExecuted(StepName),
    /// [`PersonDecision::AcceptNotExecuted`] of this step.
    AcceptNotExecuted(StepName),
    /// [`PersonDecision::CloseCase`] of any open case but suspense, which ends by itself.
    CloseCase,
    /// Giving suspended money its account.
    Assign,
    /// Giving a completed or suspended transfer back.
    Reverse,
}

impl Choice {
    /// The word used in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TryAgain => "try_again",
            Self::GiveUp => "give_up",
            Self::AcceptExecuted(_) => "accept_executed",
            Self::AcceptNotExecuted(_) => "accept_not_executed",
            Self::CloseCase => "close_case",
            Self::Assign => "assign",
            Self::Reverse => "reverse",
        }
    }

    /// The step that it is about, where it is about one.
    pub const fn step(self) -> Option<StepName> {
        match self {
            Self::AcceptExecuted(step) | Self::AcceptNotExecuted(step) => Some(step),
            Self::TryAgain | Self::GiveUp | Self::CloseCase | Self::Assign | Self::Reverse => None,
        }
    }
}
