//! What a person did by hand, and why: kept for whoever asks later.

use kiungo_domain::Timestamp;

/// How many are listed at most, as of everything that is listed.
pub(crate) const LISTED_MAX: u32 = 500;

/// Something that a person did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// When.
    pub at: Timestamp,
    /// Who: the name given, or of the key used.
    pub by: String,
    /// What, as one word: `redrive`.
    pub what: String,
    /// What it was done to.
    pub subject: String,
    /// Why, in the person's words.
    pub why: String,
}
