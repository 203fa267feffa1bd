//! The content of a person's action as it is stored: enough to carry it out later, about the version of
//! its transfer that was shown.

use kiungo_domain::transfer::Event;
use kiungo_domain::{Finding, TransferId};
use kiungo_store::{Action, ActionId, StoreError, TransferStore};
use serde::{Deserialize, Serialize};

use crate::person_action::PersonAction;
use crate::request::Caller;

/// The client under whose name the idempotency keys of unkeyed actions are kept; no API key can have
/// a name with a blank.
const OWN_CLIENT: &str = "kiungo actions";

/// The data needed to carry an action out, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) action: PersonAction,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Caller>,
    /// The version of the transfer that the person who asked had seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seen: Option<u64>,
    /// The version that the transfer had when the action was asked for: an interrupted action is
    /// about that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<u64>,
}

impl Content {
    /// The version of the transfer that the action is about: as it was shown to the person who
    /// approved it, or else to the one who asked.
    pub(crate) fn shown(&self, action: &Action) -> Option<u64> {
        action.judgement.as_ref().and_then(|judgement| judgement.seen).or(self.seen)
    }

    /// The same as it was asked for, to be carried out later; `None` if nothing says about which version
    /// of its transfer it is.
    pub(crate) fn when_asked(self, action: &Action) -> Option<Self> {
        let seen = self.shown(action).or(self.version);
        let known = self.action.transfer().is_none() || seen.is_some();
        known.then_some(Self { seen, ..self })
    }

    /// The transfer that it is about, and the version that was shown; `None` where it is about none.
    pub(crate) fn about(&self) -> Option<(TransferId, u64)> {
        self.action.transfer().zip(self.seen)
    }

    /// The same about another version.
    pub(crate) fn at_version(self, version: u64) -> Self {
        Self { seen: Some(version), ..self }
    }

    /// The key under which the action changes its transfer, once.
    pub(crate) fn key(&self, action: &Action) -> Caller {
        self.key.clone().unwrap_or_else(|| own_key(action.id))
    }

    /// The text that is stored.
    pub(crate) fn write(&self) -> Result<String, StoreError> {
        serde_json::to_string(self)
            .map_err(|error| StoreError::Corrupt(format!("an action cannot be written: {error}")))
    }

    /// The content of a stored action.
    pub(crate) fn read(action: &Action) -> Result<Self, StoreError> {
        serde_json::from_str(&action.content).map_err(|_| {
            StoreError::Corrupt(format!("the content of action {} cannot be read", action.id))
        })
    }
}

fn own_key(id: ActionId) -> Caller {
    let (client, key) = (OWN_CLIENT.to_owned(), id.to_string());
    Caller { client, digest: key.clone(), key }
}

/// The action that a stored action is; `None` for one that other tools wrote down.
pub fn stored_action(action: &Action) -> Option<PersonAction> {
    serde_json::from_str::<Content>(&action.content).ok().map(|content| content.action)
}

/// The present version of a transfer if nothing was learnt of it since the one that was shown, or else
/// the one that was shown: while a transfer waits, a question without an answer is recorded again and
/// again, and hinders nobody who decides about it.
pub(crate) async fn latest_alike(
    store: &dyn TransferStore,
    transfer: TransferId,
    shown: u64,
) -> Result<u64, StoreError> {
    let journal = store.journal(transfer).await?;
    let mut since = journal.iter().filter(|entry| entry.seq > shown);
    match journal.last() {
        Some(last) if last.seq > shown && since.all(|entry| says_nothing(&entry.event)) => {
            Ok(last.seq)
        }
        _ => Ok(shown),
    }
}

/// True for a question that was answered with nothing.
const fn says_nothing(event: &Event) -> bool {
    matches!(event, Event::Hinted { .. } | Event::Inquired { finding: Finding::Unclear { .. }, .. })
}
