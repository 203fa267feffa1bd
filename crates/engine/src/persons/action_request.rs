//! The requests of persons for actions, and the answers.

use kiungo_domain::{ProviderId, TransferId};
use kiungo_store::{Action, ActionId, ActionState, InboxId, StoreError, Summary};
use thiserror::Error;

use crate::person_action::PersonAction;
use crate::persons::arrival_actions::ArrivalError;
use crate::request::{Caller, RequestError};

/// A request for an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAction {
    /// The action.
    pub action: PersonAction,
    /// The person: the name of the key used.
    pub by: String,
    /// The reason.
    pub reason: String,
    /// The version of the transfer that the person saw; `None` if nothing depends on it.
    pub seen: Option<u64>,
    /// The key under which the same is done once.
    pub key: Option<Caller>,
}

/// An action that was carried out, or that waits for a second person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acted {
    /// The action.
    pub action: Action,
    /// The transfer afterwards, where the action is about one and was carried out.
    pub transfer: Option<Summary>,
    /// The arrival that a claim became, or that was handled again or dismissed.
    pub arrival: Option<InboxId>,
    /// True if it had been asked for before under the same key, or the same waits for a second
    /// person; then nothing was done now.
    pub replayed: bool,
}

/// The reason why an action was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ActError {
    /// The transfer does not allow it.
    #[error(transparent)]
    Transfer(#[from] RequestError),
    /// The arrival does not allow it.
    #[error(transparent)]
    Arrival(#[from] ArrivalError),
    /// The transfer has changed since the person saw it.
    #[error("transfer {transfer} is at version {now}, and not at {seen} as shown: look again")]
    Changed {
        /// The transfer.
        transfer: TransferId,
        /// The version that was shown.
        seen: u64,
        /// The version now.
        now: u64,
    },
    /// An approval of an action about a transfer names no version.
    #[error("the approval must name the version of transfer {0} that was shown")]
    Unseen(TransferId),
    /// The transaction that the person names is not the booking.
    #[error("{why}: it is not the booking of transfer {transfer}")]
    AnotherTransaction {
        /// The transfer.
        transfer: TransferId,
        /// The difference.
        why: String,
    },
    /// The operation cannot be held as a whole.
    #[error("operation `{0}` is not one of a provider that can be held")]
    NotHoldable(&'static str),
    /// The operation is not held.
    #[error("nothing holds `{operation}` of provider `{provider}`")]
    NotHeld {
        /// The provider.
        provider: ProviderId,
        /// The operation.
        operation: &'static str,
    },
    /// There is no such action.
    #[error("there is no action {0}")]
    NotFound(ActionId),
    /// The action cannot be approved or declined any more.
    #[error("action {id} is {}: it can no longer be decided about", .state.as_str())]
    NotOpen {
        /// The action.
        id: ActionId,
        /// Its state.
        state: ActionState,
    },
    /// The person who proposed it judges it.
    #[error("action {0} was proposed under the same name: a second person has to approve it")]
    SamePerson(ActionId),
    /// The key was used before with another content.
    #[error("the key was used before with another content, for action {0}")]
    KeyReused(ActionId),
    /// The same was asked for before, and could not be carried out.
    #[error("action {id} was {} before: {detail}", .state.as_str())]
    EndedBefore {
        /// The action.
        id: ActionId,
        /// Its state.
        state: ActionState,
        /// The outcome.
        detail: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ActError {
    /// True if the database failed, so that it is unknown if the action was carried out.
    pub(crate) const fn is_of_store(&self) -> bool {
        matches!(
            self,
            Self::Store(_)
                | Self::Transfer(RequestError::Store(_))
                | Self::Arrival(ArrivalError::Store(_))
        )
    }

    /// True if the same may succeed later.
    pub(crate) fn is_for_now(&self) -> bool {
        self.is_of_store() || matches!(self, Self::Transfer(RequestError::Busy(_)))
    }
}
