//! The failures of commands, and their exit codes.

use std::process::ExitCode;

use kiungo_settings::Problems;
use thiserror::Error;

/// The reason that a command did not do what it was asked.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// The configuration cannot be used.
    #[error("the configuration cannot be used:\n{0}")]
    Config(#[from] Problems),
    /// Arguments or the environment cannot be used.
    #[error("{0}")]
    Usage(String),
    /// An attempt failed.
    #[error("{0}")]
    Failed(String),
    /// The failure has been reported on standard output.
    #[error("")]
    Said,
}

impl Failure {
    /// A failed attempt, with its reason.
    pub(crate) fn failed(why: impl Into<String>) -> Self {
        Self::Failed(why.into())
    }

    /// 2 for arguments and configuration, 1 for everything else.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) | Self::Said => ExitCode::FAILURE,
        }
    }
}
