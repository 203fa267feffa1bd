//! Actions of persons: each with its reason, and with the second person where one is needed. They
//! are kept for whoever asks later.

use std::fmt;

use async_trait::async_trait;
use kiungo_domain::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Cursor, Page, StoreError};

/// The id of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ActionId(pub Uuid);

impl ActionId {
    /// Reads the hyphenated form, or the same without hyphens.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = matches!(text.len(), 32 | 36);
        Uuid::try_parse(text).ok().filter(|_| plain).map(Self)
    }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// An action of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Its id.
    pub id: ActionId,
    /// The number of times that it was written; 0 before the first.
    pub version: u64,
    /// The time at which it was asked for.
    pub at: Timestamp,
    /// The person: the name given, or that of the key used.
    pub by: String,
    /// The kind of action as one word: `give_up`, `redrive`.
    pub what: String,
    /// The thing that it is done to.
    pub subject: String,
    /// The reason, in the person's words.
    pub reason: String,
    /// Its state.
    pub state: ActionState,
    /// The data needed to carry it out, in the writer's form; empty where it is done already.
    pub content: String,
    /// The second person's judgement, where there is one.
    pub judgement: Option<Judgement>,
    /// The outcome, for people.
    pub detail: String,
    /// The time of its last change.
    pub updated_at: Timestamp,
}

/// The state of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionState {
    /// It waits for a second person.
    Proposed,
    /// It may be carried out, and is not known to have been.
    Approved,
    /// It was carried out.
    Done,
    /// It could not be carried out.
    Refused,
    /// A second person declined it.
    Declined,
}

impl ActionState {
    /// All states.
    pub const ALL: [Self; 5] =
        [Self::Proposed, Self::Approved, Self::Done, Self::Refused, Self::Declined];

    /// The word used in tables and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Declined => "declined",
        }
    }

    /// True if a person can still approve or decline it.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Proposed | Self::Approved)
    }
}

/// A second person's judgement on an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The time.
    pub at: Timestamp,
    /// The second person.
    pub by: String,
    /// True if the action was approved.
    pub approved: bool,
    /// The reason. What is stored keeps the word `why`.
    #[serde(rename = "why")]
    pub reason: String,
    /// The version of the transfer that was shown, where the action is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<u64>,
}

/// A choice of actions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActionQuery {
    /// Only those that can still be approved or declined.
    pub open: bool,
    /// The end of the page before.
    pub cursor: Option<Cursor>,
    /// The number of rows at most; 0 counts as 50, more than 500 as 500.
    pub limit: u32,
}

/// The actions of persons.
#[async_trait]
pub trait ActionStore: Send + Sync {
    /// Writes an action of a person, if it is still at the version that `action` says (0: not
    /// stored yet); true if it was written. Its version is one more then.
    async fn put_action(&self, action: Action) -> Result<bool, StoreError>;

    /// Reads an action of a person.
    async fn action(&self, id: ActionId) -> Result<Option<Action>, StoreError>;

    /// Lists actions of persons, the one asked for last first.
    async fn actions(&self, query: &ActionQuery) -> Result<Page<Action>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CoreRequestDecision;

    /// Rows of former versions are read back by these words.
    #[test]
    fn the_stored_form_of_a_persons_reason_keeps_its_word() {
        let (at, by, reason) = (Timestamp::from_micros(1), "asha".to_owned(), "seen".to_owned());
        let (again, by_whom) = (reason.clone(), by.clone());
        let judgement = Judgement { at, by, approved: true, reason, seen: None };
        let decision = CoreRequestDecision { at, by: by_whom, approved: true, reason: again };
        let stored = r#"{"at":1,"by":"asha","approved":true,"why":"seen"}"#;
        assert_eq!(serde_json::to_string(&judgement).unwrap(), stored);
        assert_eq!(serde_json::to_string(&decision).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Judgement>(stored).unwrap(), judgement);
        assert_eq!(serde_json::from_str::<CoreRequestDecision>(stored).unwrap(), decision);
    }
}
