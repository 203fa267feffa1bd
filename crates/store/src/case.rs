//! The open question of a transfer, as a decision moves it.

use kiungo_domain::Timestamp;
use kiungo_domain::transfer::{CaseKind, Decision, Event};

/// What a decision does to the transfer's open question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CaseMove {
    /// It stays as it was, open or not.
    Stays,
    /// It opens, or another takes its place.
    Opens { kind: CaseKind, detail: String, at: Timestamp },
    /// Nothing is open any more.
    Closes,
}

impl CaseMove {
    /// The move of `decision`. The last word counts: a case that an event opened and a later one
    /// of the same decision settled is closed.
    pub(crate) fn of(decision: &Decision) -> Self {
        if decision.transfer.case().is_none() {
            return Self::Closes;
        }
        let opened = decision.entries.iter().rev().find_map(|entry| match &entry.event {
            Event::CaseOpened { case, detail } => {
                Some(Self::Opens { kind: *case, detail: detail.clone(), at: entry.at })
            }
            _ => None,
        });
        opened.unwrap_or(Self::Stays)
    }
}
