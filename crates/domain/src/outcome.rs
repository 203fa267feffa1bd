//! The outcomes of an attempt and the findings of an inquiry (rule 2: no outcome is invented).

use serde::{Deserialize, Serialize};

use crate::identity::{Receipt, Reference};
use crate::money::Money;
use crate::party::{CoreAccount, Msisdn};

/// The outcome of one sending of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Executed, and the other side says so with a code that the mapping lists. Journals and the API
    /// keep the word `completed`.
    #[serde(rename = "completed")]
    Executed(Confirmation),
    /// Accepted; the result follows by callback or by asking.
    Pending(Acceptance),
    /// Definitely not executed, by a code that the mapping lists.
    Rejected(Rejection),
    /// Surely not executed, and the reference is unused: it failed before the first byte of the
    /// request was written, or was turned away before it was recorded. May be sent again.
    NotSent {
        /// The cause, for people.
        why: String,
        /// True if the other side said so: the request has left, and a copy of it that the network
        /// made may still arrive.
        #[serde(default, skip_serializing_if = "is_false")]
        answered: bool,
    },
    /// All other cases: it may or may not have been executed.
    Unknown {
        /// The cause, for people.
        why: String,
    },
}

impl Outcome {
    /// Shorthand for [`Outcome::Unknown`].
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown { why: why.into() }
    }

    /// Shorthand for [`Outcome::NotSent`] where no request has left.
    pub fn not_sent(why: impl Into<String>) -> Self {
        Self::NotSent { why: why.into(), answered: false }
    }

    /// Shorthand for [`Outcome::NotSent`] where the other side answered that it recorded nothing.
    pub fn not_recorded(why: impl Into<String>) -> Self {
        Self::NotSent { why: why.into(), answered: true }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// The confirmation that an operation was executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The other side's id for it.
    pub receipt: Receipt,
    /// A fee that the other side states beside the amount (rule 9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Money>,
    /// The fields that the other side states as executed, to be compared with those that were asked
    /// for.
    #[serde(default)]
    pub stated: Stated,
}

impl Confirmation {
    /// A confirmation that states nothing but its receipt.
    pub fn bare(receipt: Receipt) -> Self {
        Self { receipt, fee: None, stated: Stated::default() }
    }
}

/// The fields that an answer states about the operation; a field that it does not mention is
/// `None`. A value that is mentioned but cannot be read makes the whole answer
/// [`Outcome::Unknown`], never `None` here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// The gross amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// The customer's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msisdn: Option<Msisdn>,
    /// Our reference, echoed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// The account in the core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<CoreAccount>,
}

/// The acceptance of an operation that is being worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The other side's id to ask with, where it gave one (a server correlation id, a
    /// conversation id). Not a receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// The party or system that it waits for.
    pub awaiting: Awaiting,
}

/// The party or system that an accepted operation waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaiting {
    /// The customer, who approves on the phone.
    Customer,
    /// The other side's processing.
    Processing,
    /// A person at the other side (Fineract's maker-checker).
    Approval,
}

/// The refusal of an operation: it was not executed and will not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The other side's code, as it wrote it; a word of ours, such as `account_not_found`, where it was
    /// not sent, or where we judged by what the other side stated.
    pub code: String,
    /// The meaning of the refusal, in our words.
    pub reason: Reason,
    /// The other side's text, or ours: for people, without phone numbers or secrets.
    pub message: String,
    /// States whether trying again can help.
    pub retry: Retry,
}

impl Rejection {
    /// The rejection of a first leg that could not be sent within its time.
    pub(crate) fn gave_up() -> Self {
        Self {
            code: GAVE_UP.to_owned(),
            reason: Reason::GaveUp,
            message: "nothing could be sent for too long; nothing has moved".to_owned(),
            retry: Retry::Never,
        }
    }
}

/// The reason of a refusal, in our words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The payer has too little money.
    InsufficientFunds,
    /// A limit of the payer, the payee or the organisation.
    LimitExceeded,
    /// The other side has closed our session because a limit was reached: not this operation's fault.
    SessionBlocked,
    /// The wallet or account does not exist.
    AccountNotFound,
    /// The wallet or account is in a state that forbids it.
    AccountState,
    /// The customer refused, or entered a wrong PIN.
    CustomerDeclined,
    /// The customer did not answer in time, or cancelled.
    CustomerTimeout,
    /// The amount or currency is not allowed.
    AmountNotAllowed,
    /// The date is not allowed (closed period, holiday, before activation).
    DateNotAllowed,
    /// Asked repeatedly after its indexing window, the other side does not know the operation.
    NeverArrived,
    /// The transfer was given up before anything moved: for too long nothing could be sent.
    GaveUp,
    /// Our configuration, credentials or permissions: a person must repair something.
    Configuration,
    /// The other side was busy with the same thing; nothing was applied.
    Busy,
    /// The other side said no without a reason that we know by name.
    Other,
}

/// The code of a rejection of ours: the transaction that was to be reversed is not the booking that
/// is meant, by its account, kind, amount or reference.
pub const NOT_THE_BOOKING: &str = "not_the_booking";

/// The code of a rejection by a person who gives an operation up before anything was sent.
pub const GIVEN_UP: &str = "given_up";

/// The code of a rejection by a person who knows that the operation was not executed.
pub const NOT_EXECUTED: &str = "accepted_as_not_executed";

/// The code of the rejection of a first leg that could not be sent within its time.
pub const GAVE_UP: &str = "gave_up";

/// The codes of rejections that Kiungo or a person decides on, and not the other side.
pub const OWN_CODES: [&str; 4] = [NOT_THE_BOOKING, GIVEN_UP, NOT_EXECUTED, GAVE_UP];

/// States whether trying a refused operation again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// No: the refusal is final.
    Never,
    /// Yes, later, as a new attempt with a new reference: the old one is used up.
    NewReference,
    /// Yes, with a new reference, once a person has repaired the configuration.
    AfterRepair,
}

/// The result of asking the other side about an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    /// The operation was executed.
    Executed(Confirmation),
    /// The operation was rejected, or failed, for good. Journals keep the word `refused`.
    #[serde(rename = "refused")]
    Rejected(Rejection),
    /// The operation is being worked on.
    InProgress(Acceptance),
    /// The operation was executed, and later reversed by another party.
    Reversed(Confirmation),
    /// The other side does not know it. Counts only after its indexing window, and repeatedly.
    Absent,
    /// Asking failed, or the answer says nothing.
    Unclear {
        /// The cause, for people.
        why: String,
    },
}

impl Finding {
    /// Shorthand for [`Finding::Unclear`].
    pub fn unclear(why: impl Into<String>) -> Self {
        Self::Unclear { why: why.into() }
    }
}
