//! The changes that are committed, and the reasons for refusing one.

use kiungo_domain::transfer::Decision;
use kiungo_domain::{Receipt, Timestamp, TransferId};
use thiserror::Error;

use crate::{Allowance, InboxId, LimitReached, StoreError};

/// One decision with what belongs to it, committed whole.
#[derive(Debug, Clone)]
pub struct Change {
    /// The transfer's new events and what follows from them.
    pub decision: Decision,
    /// The time at which the transfer is to be looked at next; `None` if only when something
    /// happens outside.
    pub due: Option<Timestamp>,
    /// The key under which a client may ask for the same again: with a new transfer, or with what a
    /// client asks of one.
    pub key: Option<IdempotencyKey>,
    /// The inbox item that this change handles.
    pub handles: Option<InboxId>,
    /// The day on which the wallet's operation is executed, and the allowance of that day; `None`
    /// where the transfer goes on counting as it did. A transfer whose operation is definitely not
    /// executed counts no longer, also if there is a day here (rule 19).
    pub allowance: Option<Allowance>,
}

/// A client's idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The name of the API key that the client used.
    pub client: String,
    /// The key as sent.
    pub key: String,
    /// SHA-256 of the request's content, hexadecimal.
    pub digest: String,
}

/// The holder of an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHolder {
    /// The transfer that was created with it.
    pub transfer: TransferId,
    /// The digest of the request that it came with.
    pub digest: String,
}

/// The reason that nothing was committed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommitError {
    /// The transfer has moved on since it was read: read it again and decide anew.
    #[error("the transfer has changed meanwhile")]
    Stale,
    /// A receipt that the decision claims belongs to another transfer (rule 7).
    #[error("receipt {receipt} belongs to transfer {owner}")]
    ReceiptTaken {
        /// The receipt.
        receipt: Receipt,
        /// The transfer that owns it.
        owner: TransferId,
    },
    /// The idempotency key was used before.
    #[error("the idempotency key was used before")]
    KeyTaken(KeyHolder),
    /// The change would make the transfer hold its core account, and another transfer holds it: an
    /// operation of that one may be running (rule 11). Judged after [`CommitError::Stale`] and
    /// before receipts.
    #[error("the core account is held by transfer {owner}")]
    AccountHeld {
        /// The transfer that holds it.
        owner: TransferId,
    },
    /// The inbox item has been handled already.
    #[error("the inbox item has been handled already")]
    AlreadyHandled,
    /// The transfer does not fit into the day that [`Change::allowance`] names. Judged last.
    #[error(transparent)]
    LimitReached(#[from] LimitReached),
    /// The database failed; whether the change was applied is not known.
    #[error(transparent)]
    Store(#[from] StoreError),
}
