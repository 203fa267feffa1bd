//! The findings of the doctor.

use serde::Serialize;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Ok,
    Warning,
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) state: State,
    /// The subject that was looked at.
    subject: String,
    found: String,
    /// The remedy; empty if none is needed.
    #[serde(skip_serializing_if = "String::is_empty")]
    advice: String,
}

impl Finding {
    pub(super) fn ok(subject: &str, found: &str) -> Self {
        Self::new(State::Ok, subject, found, "")
    }

    pub(super) fn warning(subject: &str, found: &str, advice: &str) -> Self {
        Self::new(State::Warning, subject, found, advice)
    }

    pub(super) fn failed(subject: &str, found: &str, advice: &str) -> Self {
        Self::new(State::Failed, subject, found, advice)
    }

    fn new(state: State, subject: &str, found: &str, advice: &str) -> Self {
        let (subject, found) = (subject.to_owned(), found.to_owned());
        Self { state, subject, found, advice: advice.to_owned() }
    }

    /// As a row of a table.
    pub(super) fn row(&self) -> Vec<String> {
        let state = match self.state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Failed => "FAILED",
        };
        vec![state.to_owned(), self.subject.clone(), self.found.clone(), self.advice.clone()]
    }
}
