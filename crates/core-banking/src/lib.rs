#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! The abilities of a core banking system, as the engine sees them.
//!
//! An adapter keeps no money state and never retries; its answers follow rule 2: only a listed
//! code completes or rejects.
//!
//! * [`requests`]: the requests of a core for payouts, where it can be asked
//! * [`suggestion`]: accounts that a payer may have meant

pub mod requests;
pub mod suggestion;

use std::time::Duration;

use async_trait::async_trait;
use kiungo_domain::{
    AccountRef, CoreAccount, Currency, Finding, Money, Msisdn, Outcome, Receipt, Reference,
    Timestamp, outcome::Rejection,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use requests::{
    CoreRequest, CoreRequests, Facts, Hint, Listed, PageMark, RawHook, RequestId, RequestIdError,
    RequestKind, RequestPage, RequestsError,
};
pub use suggestion::{Sought, Suggestion, Suggestions};

/// A core (one tenant) as the engine sees it.
#[async_trait]
pub trait Core: Send + Sync {
    /// The abilities of the connected version, probed at start.
    fn capabilities(&self) -> CoreCapabilities;

    /// Finds the account and says whether it would take the operation now. Moves nothing.
    async fn check(&self, check: &AccountCheck) -> CheckAnswer;

    /// Accounts that a payer may have meant, which can take money now or may again. Moves nothing.
    async fn suggest(&self, sought: &Sought) -> Suggestions;

    /// Books the operation. One sending, no retry. If the future is dropped, the outcome is
    /// unknown. Repeating it with the same reference is safe only where
    /// [`CoreCapabilities::resend_is_idempotent`].
    async fn post(&self, order: &CoreOrder) -> Outcome;

    /// Compares the transaction of this id with the booking: its account, kind and amount, and our
    /// reference where it has one. Moves nothing.
    async fn compare(&self, order: &CoreOrder, transaction: &Receipt) -> Comparison;

    /// Asks whether the core would take this booking back now. Moves nothing. A booking that is
    /// called "possible" can still be refused later: a caller that moves money because of it must
    /// be able to let a person resume.
    async fn can_undo(&self, order: &UndoOrder) -> UndoCheck;

    /// Takes a booking back. Same promises as [`Core::post`]. A transaction that is not the booking,
    /// as [`Core::compare`] tells, is not touched: it is refused with the code
    /// [`NOT_THE_BOOKING`](kiungo_domain::outcome::NOT_THE_BOOKING).
    async fn undo(&self, order: &UndoOrder) -> Outcome;

    /// Asks for the result of a booking, by our reference and by the booking's content. Moves
    /// nothing. Answers [`Finding::Absent`] only once [`Core::capabilities`] says what the core
    /// itself has said, because the consequences of an absence depend on it.
    async fn inquire(&self, order: &CoreOrder) -> Finding;

    /// Asks for the outcome of an undo. Moves nothing.
    async fn inquire_undo(&self, order: &UndoOrder) -> Finding;

    /// Checks login, permissions and settings: confirmations and warnings, or what to repair.
    async fn probe(&self) -> Result<Vec<Observation>, ProbeError>;
}

/// The abilities of the connected core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreCapabilities {
    /// A second sending of the same reference is answered with the first result.
    pub resend_is_idempotent: bool,
    /// The time for which a request can still be running after its answer was lost.
    pub indexing_window: Duration,
}

/// The kind of booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Booking {
    /// Money into a savings account.
    Deposit,
    /// Money towards a loan.
    Repay,
    /// Money out of a savings account.
    Withdraw,
    /// A loan paid out.
    Disburse,
}

/// Asking whether an account would take a booking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountCheck {
    /// The account as somebody named it.
    pub account: AccountRef,
    /// The booking; `None` if it follows from the kind of account that is found (savings: deposit,
    /// loan: repay).
    pub booking: Option<Booking>,
    /// The amount.
    pub amount: Money,
    /// The wallet's number, where the mapping asks that the holder's matches.
    pub holder: Option<Msisdn>,
    /// The time at which it is asked.
    pub at: Timestamp,
}

/// The answer to a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckAnswer {
    /// The account exists and would take the booking.
    Allowed(AccountFacts),
    /// The account does not exist, is ambiguous, or would not take the booking.
    Rejected(Rejection),
    /// No usable answer: try later.
    Unclear {
        /// The cause, for people.
        why: String,
    },
}

/// The facts that the core states about an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    /// The account.
    pub account: CoreAccount,
    /// The number printed for the customer.
    pub account_no: String,
    /// Its currency.
    pub currency: Currency,
    /// The holder's name.
    pub holder: Option<String>,
}

/// Booking something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreOrder {
    /// Our id for this operation: the core's idempotency key and, where it has one, external id.
    pub reference: Reference,
    /// The kind of booking.
    pub booking: Booking,
    /// The account on which it is booked.
    pub account: CoreAccount,
    /// The amount.
    pub amount: Money,
    /// The customer's wallet; `None` where the provider hides a payer's number.
    pub msisdn: Option<Msisdn>,
    /// The provider's receipt, where the wallet leg came first.
    pub receipt: Option<Receipt>,
    /// The payment type under which the core books it, from the mapping.
    pub payment_type: Option<u64>,
    /// The time at which it was first sent. The value date is the day of this moment in the
    /// tenant's time zone, by its calendar.
    pub value_at: Timestamp,
    /// The time at which it is sent; for an inquiry, the time at which it was last sent.
    pub at: Timestamp,
}

/// Taking a booking back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoOrder {
    /// Our id for the undo itself.
    pub reference: Reference,
    /// The booking that is undone.
    pub original: CoreOrder,
    /// The core's id for that booking.
    pub transaction: Receipt,
    /// The time at which it is sent.
    pub at: Timestamp,
}

/// The answer to the question whether a transaction is a booking of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// The transaction is the booking, as far as can be read.
    Same,
    /// The transaction is another one.
    Another {
        /// The difference, for people.
        why: String,
    },
    /// No usable answer.
    Unclear {
        /// The cause, for people.
        why: String,
    },
}

/// The answer to the question whether a booking could be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoCheck {
    /// The booking can be reversed, as far as can be read, or has been reversed already.
    Possible,
    /// The core would refuse it.
    Rejected(Rejection),
    /// No usable answer: try later.
    Unclear {
        /// The cause, for people.
        why: String,
    },
}

/// One thing that a probe looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The kind of thing: a stable word for programs.
    pub name: &'static str,
    /// The state that was found, for people.
    pub text: String,
    /// The remedy; `None` if all is well.
    pub remedy: Option<String>,
}

impl Observation {
    /// All is well.
    pub fn good(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, text: text.into(), remedy: None }
    }

    /// Something works otherwise than is meant, or is likely to fail.
    pub fn warning(name: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, text: text.into(), remedy: Some(remedy.into()) }
    }
}

/// The core does not work as configured.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProbeError {
    /// No usable answer.
    #[error("{0}")]
    Unavailable(String),
    /// Login, permissions or settings: a person must repair it.
    #[error("{0}")]
    Repair(String),
}
