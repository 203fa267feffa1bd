//! The means to share the work between processes.
//!
//! The queue says who should work; the store decides at each commit who may
//! (`docs/decisions/0008`).

use std::sync::Arc;
use std::time::Duration;

use kiungo_queue::WorkQueue;

/// The means by which a process shares the work with others.
#[derive(Clone)]
pub struct Sharing {
    /// The queue in which work is announced and taken up.
    pub queue: Arc<dyn WorkQueue>,
    /// True if this process takes part in the work; else it only accepts transfers that others work
    /// on.
    pub works: bool,
    /// Its name among the others, never used twice.
    pub name: String,
    /// Bounds and waits.
    pub options: SharingOptions,
}

/// Bounds and waits of sharing (rule 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharingOptions {
    /// After this, what was announced and has not changed since is announced again: an announcement
    /// can be lost with the process that was to make it, and a second one does no harm.
    pub announce_again: Duration,
    /// After this, a transfer that waits for its account is announced again: longer than most
    /// operations, so that it rarely is, and short, should its worker die.
    pub queued_again: Duration,
    /// Announcements that wait for the queue at most; one that finds no place is announced again
    /// later.
    pub announcements_max: usize,
    /// The time for which a silent worker counts as present when shards are divided.
    pub presence: Duration,
}

impl Default for SharingOptions {
    fn default() -> Self {
        Self {
            announce_again: Duration::from_secs(30),
            queued_again: Duration::from_secs(10),
            announcements_max: 65_536,
            presence: Duration::from_secs(6),
        }
    }
}
