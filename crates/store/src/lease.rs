//! Claims to a task of which there is one, for a time: whoever does not renew its lease loses it.
//!
//! A lease says who should do something. It fences nothing: what its holder writes is judged by the
//! same rules as everybody's.

use kiungo_domain::Timestamp;

/// A lease as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What it is about, for example `relay` or `worker/7f3a`.
    pub name: String,
    /// Who has it.
    pub holder: String,
    /// Until when.
    pub until: Timestamp,
}
