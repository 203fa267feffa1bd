//! Warnings about a configuration. Its problems are those of any settings:
//! [`kiungo_settings::Problems`].

use std::fmt;

use serde::Serialize;

/// A setting that is valid and ought to be changed all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Warning {
    /// The kind of warning: a stable word for programs.
    pub(crate) name: &'static str,
    /// The setting, and the harm that it can do. Never a secret.
    pub(crate) message: String,
    pub(crate) remedy: String,
}

impl Warning {
    pub(crate) fn new(
        name: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { name, message: message.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.message, self.remedy)
    }
}
