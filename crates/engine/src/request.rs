//! The requests of users to the engine, and its answers.

use std::time::Duration;

use kiungo_domain::numbering::NumberError;
use kiungo_domain::outcome::Rejection;
use kiungo_domain::policy::Side;
use kiungo_domain::{AccountRef, CoreId, Kind, Money, Msisdn, ProviderId, TransferId};
use kiungo_provider::{CallbackReply, ReadError};
use kiungo_store::{Hold, IdempotencyKey, KeyHolder, StoreError, Summary};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A transfer that a client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTransfer {
    /// The kind.
    pub kind: Kind,
    /// The provider.
    pub provider: ProviderId,
    /// The core; the provider's own if absent.
    pub core: Option<CoreId>,
    /// The wallet, as [`crate::Engine::read_wallet`] reads it.
    pub msisdn: Msisdn,
    /// The account as the client names it.
    pub account: AccountRef,
    /// The gross amount.
    pub amount: Money,
    /// The client's own id for it.
    pub client_reference: Option<String>,
    /// A text for people.
    pub note: Option<String>,
}

/// The client that asks, and its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The name of the API key.
    pub client: String,
    /// The idempotency key as sent.
    pub key: String,
    /// SHA-256 of the request's content, hexadecimal.
    pub digest: String,
}

impl From<Caller> for IdempotencyKey {
    fn from(Caller { client, key, digest }: Caller) -> Self {
        Self { client, key, digest }
    }
}

/// A transfer is durable and on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The transfer as it was when it was first answered.
    pub first: Summary,
    /// True if this repeats an earlier answer to the same key.
    pub replayed: bool,
}

/// The reason that a transfer was not accepted; nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SubmitError {
    /// No such provider is configured.
    #[error("no provider `{0}` is configured")]
    UnknownProvider(ProviderId),
    /// No such core is configured.
    #[error("no core `{0}` is configured")]
    UnknownCore(CoreId),
    /// Limits, currency or decimals of the provider forbid it.
    #[error("{}", .0.message)]
    Rejected(Rejection),
    /// The provider has no wallet with this number.
    #[error(transparent)]
    Wallet(#[from] NumberError),
    /// The key was used with another content.
    #[error("the idempotency key was used before with another content, for transfer {0}")]
    KeyReused(TransferId),
    /// The backlog is full: try again later with the same key.
    #[error("the backlog is full; try again in {} s with the same key", .retry_after.as_secs())]
    Busy {
        /// The wait before the next try.
        retry_after: Duration,
    },
    /// Kiungo is stopping: try again later with the same key.
    #[error("Kiungo is stopping; try again with the same key")]
    Stopping,
    /// The database failed: try again with the same key, which tells whether it was stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The reason that something asked about a transfer was not done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    /// There is no such transfer.
    #[error("there is no transfer {0}")]
    NotFound(TransferId),
    /// Its state does not allow it.
    #[error("transfer {id} is {status}: {why}")]
    Conflict {
        /// The transfer.
        id: TransferId,
        /// Its status.
        status: &'static str,
        /// The condition that would allow it.
        why: &'static str,
    },
    /// The key was used before; nothing was done now. The digest tells whether it was for the same
    /// request.
    #[error("the idempotency key was used before, for transfer {}", .0.transfer)]
    KeyTaken(KeyHolder),
    /// The transfer is being worked on right now: try again in a moment.
    #[error("transfer {0} is being worked on; try again in a moment")]
    Busy(TransferId),
    /// A side was not asked: it is held by its breaker, or as many questions are put to it as may be
    /// beside transfers.
    #[error("the {} is not asked at the moment; try again in {} s", party(*.side), seconds_up(*.retry_after))]
    Shed {
        /// The side.
        side: Side,
        /// The time after which to try again.
        retry_after: Duration,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

const fn party(side: Side) -> &'static str {
    match side {
        Side::Wallet => "provider",
        Side::Core => "core",
    }
}

/// The reason why a question to a provider has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AskError {
    /// The provider was not asked: it is held by its breaker, closed, or as many questions are put to
    /// it as may be beside transfers.
    #[error("the provider is not asked at the moment; try again in {} s", seconds_up(*.retry_after))]
    Shed {
        /// The time after which to try again.
        retry_after: Duration,
    },
    /// The provider was asked, and gave no usable answer.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// A wait in whole seconds, never too short.
fn seconds_up(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// The reason that a callback was turned away; nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallbackRefused {
    /// No such provider is configured.
    #[error("no provider `{0}` is configured")]
    UnknownProvider(ProviderId),
    /// The callback could not be stored: the provider is to send it again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The answer to a callback, in the provider's form. It was stored before this was made.
pub type CallbackAnswer = Result<CallbackReply, CallbackRefused>;

/// A provider and how it is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderStatus {
    /// Its name.
    pub id: ProviderId,
    /// The core that its customers' payments go to.
    pub core: CoreId,
    /// Its currency.
    pub currency: kiungo_domain::Currency,
    /// Its operations that are held as a whole.
    pub holds: Vec<Hold>,
    /// The state of its breaker.
    pub breaker: BreakerState,
    /// Operations in flight.
    pub in_flight: usize,
    /// The operations that it offers.
    pub offers: Offers,
}

/// The operations that a provider offers beyond collecting and paying out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, listed for people")]
pub struct Offers {
    /// Reversals.
    pub reversal: bool,
    /// The float's balance.
    pub balance: bool,
    /// Holders' names.
    pub holder_name: bool,
}

/// The state of a breaker: it lets work through, or holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Work flows.
    Closed,
    /// Work is held.
    Open,
    /// One probe is let through.
    HalfOpen,
}

impl BreakerState {
    /// The word used in the API and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}
