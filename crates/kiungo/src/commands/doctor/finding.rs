//! The findings of the doctor.

use kiungo_core_banking::Observation;
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
    /// The kind of finding: a stable word for programs.
    pub(super) name: &'static str,
    /// The subject that was looked at.
    pub(super) subject: String,
    pub(super) found: String,
    /// The remedy; empty if none is needed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) advice: String,
}

impl Finding {
    pub(super) fn ok(name: &'static str, subject: &str, found: impl Into<String>) -> Self {
        Self::new(State::Ok, name, subject, found, "")
    }

    pub(super) fn warning(
        name: &'static str,
        subject: &str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(State::Warning, name, subject, found, advice)
    }

    pub(super) fn failed(
        name: &'static str,
        subject: &str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::new(State::Failed, name, subject, found, advice)
    }

    /// A finding of a core's adapter.
    pub(super) fn observed(subject: &str, observation: Observation) -> Self {
        let Observation { name, text, remedy } = observation;
        match remedy {
            None => Self::ok(name, subject, text),
            Some(remedy) => Self::warning(name, subject, text, remedy),
        }
    }

    fn new(
        state: State,
        name: &'static str,
        subject: &str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let (subject, found, advice) = (subject.to_owned(), found.into(), advice.into());
        Self { state, name, subject, found, advice }
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
