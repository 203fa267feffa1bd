//! Options of a part of the program, as they are refused.

use thiserror::Error;

/// The error in the options; `key` is the place below the section.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{key}: {why}")]
pub struct OptionsError {
    /// The key, for example `keys[2].sha256`.
    pub key: String,
    /// The fault, and a remedy.
    pub why: String,
}
