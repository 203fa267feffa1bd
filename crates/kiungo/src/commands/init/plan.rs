//! The content of a folder, before it is written.

use kiungo_sandbox::NewFile;

/// The database of a new folder, in that folder.
pub(super) const DATABASE: &str = "sqlite://kiungo.db";

/// The files of a folder, and what is said about them.
pub(super) struct Plan {
    pub(super) files: Vec<NewFile>,
    /// What to do next, for people.
    pub(super) next: String,
    /// The API key, where it is shown and not kept.
    pub(super) api_key: Option<String>,
}
