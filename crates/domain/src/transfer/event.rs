//! What happens to a transfer. Events are the truth; every state is folded from them.

use serde::{Deserialize, Serialize};

use crate::identity::{CoreId, ProviderId, Receipt, TransferId};
use crate::money::Money;
use crate::outcome::{Finding, Outcome, Rejection};
use crate::party::{AccountRef, CoreAccount, Msisdn};
use crate::time::Timestamp;

use super::{Kind, StepName};

/// What a customer, or somebody in his name, wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruction {
    /// The id of the transfer that it becomes.
    pub id: TransferId,
    /// The kind. For a payment started at the wallet it follows the account once that is found.
    pub kind: Kind,
    /// The provider.
    pub provider: ProviderId,
    /// The core.
    pub core: CoreId,
    /// The wallet; `None` where a provider hides a payer's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msisdn: Option<Msisdn>,
    /// The account as it was named, in the order to try; empty if a payer's text fits no pattern.
    pub accounts: Vec<AccountRef>,
    /// The gross amount, never zero.
    pub amount: Money,
    /// The other system's own id for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_reference: Option<String>,
    /// A text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// How it began.
    pub origin: Origin,
}

/// How a transfer began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Origin {
    /// By our API, in the name of this client.
    Api {
        /// The name of the API key.
        client: String,
    },
    /// By the customer at the wallet: the provider already has executed, and confirmed, a payment.
    Wallet {
        /// The provider's receipt.
        receipt: Receipt,
        /// What the payer typed as account.
        account_reference: String,
    },
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The instruction was accepted.
    Received(Instruction),
    /// The checks before the first booking passed, and the account was found.
    Cleared {
        /// The account in the core.
        account: CoreAccount,
        /// The number printed for the customer.
        account_no: String,
    },
    /// The checks failed; nothing has moved.
    Refused {
        /// Why.
        rejection: Rejection,
    },
    /// An attempt is intended: durable before a byte goes out (rule 1).
    Started {
        /// The step.
        step: StepName,
        /// Its generation.
        generation: u8,
        /// The number of the attempt within the step, from 1.
        attempt: u32,
    },
    /// An attempt came to something, or an inquiry settled what it came to.
    Concluded {
        /// The step.
        step: StepName,
        /// What it came to.
        outcome: Outcome,
    },
    /// The other side was asked and its answer settles nothing yet.
    Inquired {
        /// The step.
        step: StepName,
        /// What was found.
        finding: Finding,
        /// Whether this is a "not found" that counts.
        counted: bool,
    },
    /// Somebody hinted at a result (a callback, a person): the other side is asked at once.
    Hinted {
        /// Who or what.
        by: String,
    },
    /// A step is to be sent once more.
    Reopened {
        /// The step.
        step: StepName,
        /// Under a new reference, because the old one definitely failed.
        new_reference: bool,
        /// Why, for people.
        why: String,
    },
    /// The second leg was definitely refused: the first is taken back.
    Compensating {
        /// Why.
        rejection: Rejection,
    },
    /// Money that was received has no home yet.
    Suspended {
        /// Why.
        rejection: Rejection,
    },
    /// A person gave suspended money its account.
    Assigned {
        /// The account, as the person named it.
        account: AccountRef,
        /// The person or system.
        by: String,
    },
    /// Somebody asked for the whole transfer to be given back.
    ReversalRequested {
        /// The person or system.
        by: String,
        /// Why.
        reason: String,
    },
    /// Giving it back was refused by the other side: everything stays as it was.
    ReversalRefused {
        /// Why.
        rejection: Rejection,
    },
    /// The same payment is already carried by another transfer.
    Merged {
        /// That transfer.
        into: TransferId,
    },
    /// A person is needed.
    CaseOpened {
        /// What kind of question.
        case: CaseKind,
        /// The evidence, for people.
        detail: String,
    },
}

/// What kind of question a person has to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    /// An unknown that does not resolve.
    UnknownTooLong,
    /// An operation provably never arrived, and the mapping leaves the decision to a person.
    NeverArrived,
    /// An answer names another amount, currency, account or reference.
    Mismatch,
    /// Evidence contradicts a final state.
    Contradiction,
    /// Two transfers claim one receipt.
    ReceiptTaken,
    /// A compensation was refused.
    CompensationRefused,
    /// Something is refused again and again, or needs repair.
    RepairNeeded,
    /// Money is in suspense.
    Suspense,
    /// A callback that cannot be read or matched.
    Quarantined,
}

impl CaseKind {
    /// The word used in tables and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownTooLong => "unknown_too_long",
            Self::NeverArrived => "never_arrived",
            Self::Mismatch => "mismatch",
            Self::Contradiction => "contradiction",
            Self::ReceiptTaken => "receipt_taken",
            Self::CompensationRefused => "compensation_refused",
            Self::RepairNeeded => "repair_needed",
            Self::Suspense => "suspense",
            Self::Quarantined => "quarantined",
        }
    }
}

/// An event in its place in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number within the transfer, from 1.
    pub seq: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}
