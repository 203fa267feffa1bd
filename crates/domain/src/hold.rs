//! Conditions under which an operation of a provider is held as a whole: work waits, nothing fails.

use serde::{Deserialize, Serialize};

use crate::outcome::{Reason, Rejection, Retry};
use crate::policy::Side;
use crate::transfer::Operation;

/// The reason for which an operation of a provider is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// A person stopped it; only a person releases it.
    Person,
    /// The organisation's float is empty.
    FloatEmpty,
    /// Login, permission or configuration is refused.
    NeedsRepair,
    /// The provider has closed our session because a limit was reached.
    SessionBlocked,
    /// The provider cannot be reached, or no session with it can be had.
    Unreachable,
}

impl Condition {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Person,
        Self::FloatEmpty,
        Self::NeedsRepair,
        Self::SessionBlocked,
        Self::Unreachable,
    ];

    /// True if a person is called because of it: everything but what ends by itself with the next
    /// connection.
    pub const fn is_case(self) -> bool {
        match self {
            Self::Person | Self::FloatEmpty | Self::NeedsRepair | Self::SessionBlocked => true,
            Self::Unreachable => false,
        }
    }

    /// The condition that a refusal shows; `None` if it says something about this one operation
    /// only. The payer of a payout is the organisation itself: where it has too little money, no
    /// payout of that size can be made.
    pub fn of(operation: Operation, rejection: &Rejection) -> Option<Self> {
        if operation.side() != Side::Wallet {
            return None;
        }
        match (rejection.retry, rejection.reason) {
            (Retry::AfterRepair, _) => Some(Self::NeedsRepair),
            (Retry::NewReference, Reason::SessionBlocked) => Some(Self::SessionBlocked),
            (Retry::NewReference, Reason::InsufficientFunds) if operation == Operation::PayOut => {
                Some(Self::FloatEmpty)
            }
            (Retry::NewReference | Retry::Never, _) => None,
        }
    }

    /// The word used in the API, in tables and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::FloatEmpty => "float_empty",
            Self::NeedsRepair => "needs_repair",
            Self::SessionBlocked => "session_blocked",
            Self::Unreachable => "unreachable",
        }
    }

    /// True if an attempt may be made now and then to see if it is over.
    pub const fn is_probed(self) -> bool {
        match self {
            Self::Person => false,
            Self::FloatEmpty | Self::NeedsRepair | Self::SessionBlocked | Self::Unreachable => true,
        }
    }
}
