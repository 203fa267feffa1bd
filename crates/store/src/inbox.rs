//! The arrivals from outside, stored before they are acknowledged (rules 6 and 12).

use std::fmt;

use async_trait::async_trait;
use kiungo_domain::transfer::CaseKind;
use kiungo_domain::{ProviderId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::StoreError;

/// The number of an inbox item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InboxId(pub i64);

impl fmt::Display for InboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// An item that has just arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewArrival {
    /// The provider that it came from.
    pub provider: ProviderId,
    /// SHA-256 over what identifies it (method, path, body), hexadecimal: the same arrival again
    /// is the same item.
    pub digest: String,
    /// Method, path and headers, as JSON.
    pub head: String,
    /// The body as it came.
    pub body: Vec<u8>,
    /// The time of arrival.
    pub at: Timestamp,
}

/// The result of storing an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It is new.
    New(InboxId),
    /// It had arrived before.
    Seen(InboxId),
}

impl Arrival {
    /// The item.
    pub const fn id(self) -> InboxId {
        match self {
            Self::New(id) | Self::Seen(id) => id,
        }
    }
}

/// An item of the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxItem {
    /// Its number.
    pub id: InboxId,
    /// The provider that it came from.
    pub provider: ProviderId,
    /// Method, path and headers, as JSON.
    pub head: String,
    /// The body as it came.
    pub body: Vec<u8>,
    /// The time at which it first arrived.
    pub at: Timestamp,
    /// The number of times that it arrived.
    pub arrivals: u32,
    /// The number of times that it was postponed.
    pub attempts: u32,
    /// Its present state.
    pub state: InboxState,
}

/// The state of an inbox item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum InboxState {
    /// To be handled, not before `due`.
    Waiting {
        /// Not before.
        due: Timestamp,
        /// The reason for which a person has been called although it is still being asked about: it
        /// has been unclear for too long.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        concern: Option<String>,
    },
    /// Handled: it became part of a transfer, or added nothing to what was known.
    Handled {
        /// The result of handling it, for people.
        note: String,
    },
    /// Kept whole for a person, with the reason.
    Quarantined {
        /// The reason for keeping it.
        reason: String,
    },
}

impl InboxState {
    /// To be handled, not before `due`.
    pub const fn waiting(due: Timestamp) -> Self {
        Self::Waiting { due, concern: None }
    }

    /// The case that an item in this state makes, with its detail.
    pub fn case(&self) -> Option<(CaseKind, &str)> {
        match self {
            Self::Quarantined { reason } => Some((CaseKind::Quarantined, reason)),
            Self::Waiting { concern: Some(concern), .. } => {
                Some((CaseKind::UnknownTooLong, concern))
            }
            Self::Waiting { concern: None, .. } | Self::Handled { .. } => None,
        }
    }
}

/// The inbox: the arrivals from outside, and where each of them stands.
#[async_trait]
pub trait InboxStore: Send + Sync {
    /// Stores something that arrived. The same thing again is [`Arrival::Seen`] and changes nothing
    /// but a counter.
    async fn arrive(&self, arrival: NewArrival) -> Result<Arrival, StoreError>;

    /// The arrival from a provider with this digest ([`NewArrival::digest`]), in any state: found
    /// by an index.
    async fn arrived(
        &self,
        provider: &ProviderId,
        digest: &str,
    ) -> Result<Option<InboxItem>, StoreError>;

    /// Waiting inbox items whose due time has come, oldest first, `limit` at most.
    async fn inbox_due(&self, now: Timestamp, limit: u32) -> Result<Vec<InboxItem>, StoreError>;

    /// An inbox item.
    async fn inbox_item(&self, id: InboxId) -> Result<Option<InboxItem>, StoreError>;

    /// Changes where an inbox item stands; `attempts` grows by one with each postponement.
    async fn set_inbox_state(&self, id: InboxId, state: InboxState) -> Result<(), StoreError>;

    /// Changes where an inbox item stands as a person decided, if a person is called because of it
    /// at that moment: it is quarantined, or waits with a concern. Judged in the change's own
    /// transaction, so that of two persons who decide at the same moment one is answered with true.
    async fn decide_inbox_state(&self, id: InboxId, state: InboxState) -> Result<bool, StoreError>;

    /// Takes waiting inbox items whose due time has come, the longest due first, as
    /// [`DueStore::take_due`](crate::DueStore::take_due) takes transfers. It does not count as an
    /// attempt.
    async fn take_inbox_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<InboxId>, StoreError>;
}
