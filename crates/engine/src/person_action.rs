//! The actions that persons can take, and their kinds.

use kiungo_domain::transfer::{Operation, PersonDecision};
use kiungo_domain::{AccountRef, ProviderId, TransferId};
use kiungo_store::InboxId;
use serde::{Deserialize, Serialize};

use crate::claims::PaymentClaim;

/// An action that a person takes by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum PersonAction {
    /// A decision about a transfer.
    Decide {
        /// The transfer.
        transfer: TransferId,
        /// The decision.
        decision: PersonDecision,
    },
    /// Suspended money is given its account.
    Assign {
        /// The transfer.
        transfer: TransferId,
        /// The account.
        account: AccountRef,
    },
    /// A completed or suspended transfer is reversed.
    Reverse {
        /// The transfer.
        transfer: TransferId,
    },
    /// An operation of a provider is held until a person releases it.
    Hold {
        /// The provider.
        provider: ProviderId,
        /// The operation.
        operation: Operation,
    },
    /// An operation of a provider goes on, whatever holds it.
    Release {
        /// The provider.
        provider: ProviderId,
        /// The operation.
        operation: Operation,
    },
    /// A payment is brought in by its receipt.
    Claim {
        /// The provider.
        provider: ProviderId,
        /// The payment.
        claim: PaymentClaim,
    },
    /// A quarantined arrival is handled again.
    HandleAgain {
        /// The arrival.
        arrival: InboxId,
    },
    /// A quarantined arrival is dismissed.
    Dismiss {
        /// The arrival.
        arrival: InboxId,
    },
}

/// A kind of action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// [`PersonDecision::TryAgain`].
    TryAgain,
    /// [`PersonDecision::GiveUp`].
    GiveUp,
    /// [`PersonDecision::AcceptExecuted`].
    AcceptExecuted,
    /// [`PersonDecision::AcceptNotExecuted`].
    AcceptNotExecuted,
    /// [`PersonDecision::CloseCase`].
    CloseCase,
    /// [`PersonAction::Assign`].
    Assign,
    /// [`PersonAction::Reverse`].
    Reverse,
    /// [`PersonAction::Hold`].
    Hold,
    /// [`PersonAction::Release`].
    Release,
    /// [`PersonAction::Claim`].
    Claim,
    /// [`PersonAction::HandleAgain`].
    HandleAgain,
    /// [`PersonAction::Dismiss`].
    Dismiss,
}

impl ActionKind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::TryAgain,
        Self::GiveUp,
        Self::AcceptExecuted,
        Self::AcceptNotExecuted,
        Self::CloseCase,
        Self::Assign,
        Self::Reverse,
        Self::Hold,
        Self::Release,
        Self::Claim,
        Self::HandleAgain,
        Self::Dismiss,
    ];

    /// The word used in the API and in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TryAgain => "try_again",
            Self::GiveUp => "give_up",
            Self::AcceptExecuted => "accept_executed",
            Self::AcceptNotExecuted => "accept_not_executed",
            Self::CloseCase => "close_case",
            Self::Assign => "assign",
            Self::Reverse => "reverse",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Claim => "claim",
            Self::HandleAgain => "handle_again",
            Self::Dismiss => "dismiss",
        }
    }
}

impl PersonAction {
    /// Its kind.
    pub const fn kind(&self) -> ActionKind {
        match self {
            Self::Decide { decision, .. } => match decision {
                PersonDecision::TryAgain => ActionKind::TryAgain,
                PersonDecision::GiveUp => ActionKind::GiveUp,
                PersonDecision::AcceptExecuted { .. } => ActionKind::AcceptExecuted,
                PersonDecision::AcceptNotExecuted { .. } => ActionKind::AcceptNotExecuted,
                PersonDecision::CloseCase { .. } => ActionKind::CloseCase,
            },
            Self::Assign { .. } => ActionKind::Assign,
            Self::Reverse { .. } => ActionKind::Reverse,
            Self::Hold { .. } => ActionKind::Hold,
            Self::Release { .. } => ActionKind::Release,
            Self::Claim { .. } => ActionKind::Claim,
            Self::HandleAgain { .. } => ActionKind::HandleAgain,
            Self::Dismiss { .. } => ActionKind::Dismiss,
        }
    }

    /// The transfer that it is about, where it is about one.
    pub const fn transfer(&self) -> Option<TransferId> {
        match self {
            Self::Decide { transfer, .. }
            | Self::Assign { transfer, .. }
            | Self::Reverse { transfer } => Some(*transfer),
            Self::Hold { .. }
            | Self::Release { .. }
            | Self::Claim { .. }
            | Self::HandleAgain { .. }
            | Self::Dismiss { .. } => None,
        }
    }

    pub(crate) fn subject(&self) -> String {
        match self {
            Self::Decide { transfer, .. }
            | Self::Assign { transfer, .. }
            | Self::Reverse { transfer } => transfer.to_string(),
            Self::Hold { provider, operation } | Self::Release { provider, operation } => {
                format!("{provider}/{}", operation.as_str())
            }
            Self::Claim { provider, claim } => format!("{provider}/{}", claim.receipt),
            Self::HandleAgain { arrival } | Self::Dismiss { arrival } => {
                format!("arrival {arrival}")
            }
        }
    }
}
