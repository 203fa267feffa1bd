#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! The abilities of a mobile money provider, as small traits, and the declarations of its adapter,
//! as data.
//!
//! * [`order`]: the orders and questions to a provider
//! * [`capabilities`]: the promises of an adapter about its provider
//! * [`callback`]: the messages that a provider sends unasked
//! * [`details`]: details that only inform, and cannot be read
//! * [`family`]: the seam by which a family of providers is wired, checked and fuzzed
//! * [`salvage`]: the intact parts of a damaged notification
//! * [`terms`]: the terms that a mapping file sets for every adapter alike
//! * [`Provider`]: the traits together, with the optional ones behind accessors, so that what a
//!   provider cannot do is absent and not an error at run time
//!
//! An adapter keeps no money state and never retries: persistence, retries, limits and idempotency
//! are the engine's. Its answers follow rule 2: only a listed code completes or rejects.

pub mod callback;
pub mod capabilities;
pub mod details;
pub mod family;
pub mod order;
pub mod salvage;
pub mod terms;

use async_trait::async_trait;
use kiungo_domain::{Finding, Money, Msisdn, Outcome, Timestamp};
use thiserror::Error;

pub use callback::{
    CallbackContent, CallbackDecision, CallbackError, CallbackReply, Offer, OfferState,
    PaymentNotice, RawCallback, Refusal, RefusedFor, Standing, StateQuery,
};
pub use capabilities::Capabilities;
pub use details::{Detail, Details};
pub use family::{Address, BuildError, Families, Family, Parts, Plan, Secret, Secrets};
pub use kiungo_mapping::{Answered, CodeLine, CodeTables, Meaning, StatusTables};
pub use order::{
    PeriodQuery, ReverseOrder, StatementLine, StatementPage, WalletInquiry, WalletOrder,
};
pub use salvage::Salvage;
pub use terms::Terms;

/// A provider as the engine sees it.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The promises of this provider; constant while the process runs.
    fn capabilities(&self) -> &Capabilities;

    /// Asks the customer's wallet to pay us. One sending, no retry. If the future is dropped, the
    /// outcome is unknown; a repeat with the same reference is a second sending.
    async fn collect(&self, order: &WalletOrder) -> Outcome;

    /// Pays the customer's wallet. Same promises as [`Provider::collect`].
    async fn pay_out(&self, order: &WalletOrder) -> Outcome;

    /// Asks for the outcome of an operation. Moves nothing; may be repeated at will.
    async fn inquire(&self, inquiry: &WalletInquiry) -> Finding;

    /// True if inquiries are answered by callback ([`CallbackContent::Answer`]). If so,
    /// [`Provider::inquire`] finds nothing out by itself, and a callback's claim about an operation
    /// is put before the provider with [`Provider::ask_about`].
    fn inquires_by_callback(&self) -> bool {
        false
    }

    /// Asks for the outcome of an operation about which a callback claims something; the answer
    /// follows as [`CallbackContent::Answer`]. Moves nothing; may be repeated at will.
    ///
    /// # Errors
    /// [`ReadError`] if the question could not be put.
    async fn ask_about(&self, inquiry: &WalletInquiry, claim: &Finding) -> Result<(), ReadError> {
        let _ = (inquiry, claim);
        Err(ReadError::Repair("this provider answers inquiries at once".to_owned()))
    }

    /// Asks whether a payment that we were told of was made, by its receipt. Fields that the
    /// provider does not state are taken over from the notice. Moves nothing.
    async fn confirm(&self, notice: &PaymentNotice) -> PaymentFinding;

    /// Reads a callback: pure, no I/O.
    fn read_callback(&self, callback: &RawCallback) -> Result<CallbackContent, CallbackError>;

    /// The answer to a callback in the provider's own form: pure, no I/O.
    fn reply(&self, callback: &RawCallback, decision: &CallbackDecision) -> CallbackReply;

    /// Reversing an executed operation, where the provider offers it.
    fn reverse(&self) -> Option<&dyn Reverse> {
        None
    }

    /// The organisation's float, where the provider offers it.
    fn balance(&self) -> Option<&dyn Balance> {
        None
    }

    /// The name of a wallet's holder, where the provider offers it.
    fn holder_name(&self) -> Option<&dyn HolderName> {
        None
    }

    /// The provider's own record of its movements, where it offers it by API.
    fn statement(&self) -> Option<&dyn Statement> {
        None
    }

    /// The ability to report the outcome of an offer to the provider, where it can ask for that.
    fn notifier(&self) -> Option<&dyn Notifier> {
        None
    }

    /// Checks credentials and reachability: a line that confirms both, or the repair that is needed.
    async fn probe(&self) -> Result<String, ReadError>;
}

/// The result of asking for a payment that we were told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentFinding {
    /// The payment was made: these are the facts of the provider.
    Made(PaymentNotice),
    /// The payment is not settled yet: ask again.
    NotYet,
    /// The payment failed, or was reversed: there is no money.
    NotMade {
        /// The cause, for people.
        why: String,
    },
    /// The provider does not know it. Counts only after its indexing window, and repeatedly.
    Absent,
    /// Asking failed, or the answer says nothing.
    Unclear {
        /// The cause, for people.
        why: String,
    },
}

/// Giving an executed wallet operation back.
#[async_trait]
pub trait Reverse: Send + Sync {
    /// Reverses an executed operation in full. Same promises as [`Provider::collect`].
    async fn reverse(&self, order: &ReverseOrder) -> Outcome;
}

/// Reading the float.
#[async_trait]
pub trait Balance: Send + Sync {
    /// The organisation's e-money at this provider, available now.
    async fn balance(&self) -> Result<Money, ReadError>;
}

/// Reporting to the provider the outcome of a payment that it offered.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Reports the outcome of an offer, at the address that the offer names. Moves nothing; the
    /// same may be told again.
    async fn notify(&self, state: &OfferState, at: Timestamp) -> Notified;
}

/// The result of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notified {
    /// The provider has taken the notification.
    Taken,
    /// The provider has not taken the notification: repeat it later.
    NotNow {
        /// The reason, for people.
        why: String,
    },
    /// There is no address any more at which the provider may be notified.
    Never,
}

/// Reading a wallet holder's name.
#[async_trait]
pub trait HolderName: Send + Sync {
    /// The name as the provider shows it (often partly masked); `None` if there is no such wallet.
    async fn holder_name(&self, msisdn: &Msisdn) -> Result<Option<String>, ReadError>;
}

/// Reading the provider's record of movements.
#[async_trait]
pub trait Statement: Send + Sync {
    /// One page of the movements of a period, newest first. The same line can appear on two pages
    /// when rows arrive in between: the caller removes duplicates by receipt.
    async fn page(&self, query: &PeriodQuery) -> Result<StatementPage, ReadError>;
}

/// Reading something failed; nothing moved.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    /// No usable answer: try later.
    #[error("{0}")]
    Unavailable(String),
    /// Credentials, permissions or configuration: a person must repair it.
    #[error("{0}")]
    Repair(String),
}
