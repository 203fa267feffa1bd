//! The events of a transfer. They are the truth; every state is folded from them.

use serde::{Deserialize, Serialize};

use crate::identity::{CoreId, ProviderId, Receipt, TransferId};
use crate::money::Money;
use crate::outcome::{Confirmation, Finding, Outcome, Rejection};
use crate::party::{AccountRef, CoreAccount, Msisdn};
use crate::time::Timestamp;

use super::case::CaseKind;
use super::choice::PersonDecision;
use super::evidence::Channel;
use super::{Kind, Status, StepName};

/// A transfer as it was asked for, by a customer or in the customer's name.
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
    /// The way in which it began.
    pub origin: Origin,
}

/// The way in which a transfer began.
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
        /// The text that the payer typed as account.
        account_reference: String,
    },
}

/// An event in the life of a transfer.
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
        /// The reason that the checks failed.
        rejection: Rejection,
    },
    /// An attempt is intended: durable before a byte goes out (rule 1).
    Started {
        /// The step.
        step: StepName,
        /// Its generation.
        generation: u16,
        /// The number of the attempt within the step, from 1.
        attempt: u32,
    },
    /// An attempt came to something, or an inquiry settled what it came to.
    Concluded {
        /// The step.
        step: StepName,
        /// The outcome of the attempt.
        outcome: Outcome,
    },
    /// The other side was asked and its answer settles nothing yet.
    Inquired {
        /// The step.
        step: StepName,
        /// The finding of the inquiry.
        finding: Finding,
        /// True if this is a "not found" that counts.
        counted: bool,
    },
    /// A person or a channel hinted at a result: the other side is asked at once.
    Hinted {
        /// The person or channel that hinted.
        by: String,
    },
    /// A step is to be sent once more.
    Reopened {
        /// The step.
        step: StepName,
        /// Under a new reference, because the old one definitely failed.
        new_reference: bool,
        /// The reason for sending again, for people.
        why: String,
    },
    /// The second leg was definitely refused: the first is reversed.
    Compensating {
        /// The reason that the second leg was refused.
        rejection: Rejection,
    },
    /// Money that was received has no home yet.
    Suspended {
        /// The reason that no account takes the money.
        rejection: Rejection,
    },
    /// A person gave suspended money its account.
    Assigned {
        /// The account, as the person named it.
        account: AccountRef,
        /// The person or system.
        by: String,
    },
    /// A person or system asked for the whole transfer to be reversed.
    ReversalRequested {
        /// The person or system.
        by: String,
        /// The reason, in the words of that person or system.
        reason: String,
    },
    /// Giving it back was refused by the other side: everything stays as it was.
    ReversalRefused {
        /// The reason that the other side refused.
        rejection: Rejection,
    },
    /// The same payment is already carried by another transfer.
    Merged {
        /// The transfer that carries it.
        into: TransferId,
        /// The status of that transfer, and so of this one.
        shows: Status,
    },
    /// The transfer that carries the same payment went on: this one shows what that one shows.
    Followed {
        /// The status that users see.
        shows: Status,
    },
    /// The transfer carries the payment of another one as well.
    Carries {
        /// The other transfer.
        transfer: TransferId,
    },
    /// The transfers whose payment this one carries were told what it shows.
    Told {
        /// The status that users see.
        shows: Status,
    },
    /// Evidence about a reference contradicts what is recorded of it (rule 15).
    Heard {
        /// The step.
        step: StepName,
        /// The generation that the evidence names.
        generation: u16,
        /// The channel that it comes from.
        channel: Channel,
        /// The finding that the evidence supports.
        finding: Finding,
    },
    /// A reference that had been given up was executed after all, and nothing that followed had
    /// been sent: its execution counts.
    Adopted {
        /// The step.
        step: StepName,
        /// The generation that was executed.
        generation: u16,
        /// Its confirmation.
        confirmation: Confirmation,
    },
    /// An execution was reversed by the other side, a person said, and nothing that followed had
    /// been sent: it does not count any more.
    Annulled {
        /// The step.
        step: StepName,
        /// The reason that the other side gave.
        rejection: Rejection,
    },
    /// A payment that a reference of ours stands for beside the one that counts became a transfer
    /// of its own, whose money waits for its account.
    BroughtIn {
        /// The step.
        step: StepName,
        /// The receipt of the payment.
        receipt: Receipt,
        /// The transfer that carries it.
        into: TransferId,
    },
    /// The other side charged the organisation a fee beside the amount (rule 9).
    FeeCharged {
        /// The step that it was charged for.
        step: StepName,
        /// The amount of the fee.
        fee: Money,
    },
    /// A person is needed.
    CaseOpened {
        /// The kind of question.
        case: CaseKind,
        /// The step that it is about; `None` for the transfer as a whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepName>,
        /// The evidence, for people.
        detail: String,
    },
    /// A person decided something; the events that follow it in the same decision carry it out.
    Decided {
        /// The decision.
        decision: PersonDecision,
        /// The person or system.
        by: String,
        /// The second person, where the configuration asks for one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approved_by: Option<String>,
        /// The reason, in the person's words.
        reason: String,
    },
}

/// An event in its place in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number within the transfer, from 1.
    pub seq: u64,
    /// The time at which it was recorded.
    pub at: Timestamp,
    /// The event.
    pub event: Event,
}
