//! The way in which work reaches its process: this process does all of it, or a broker delivers it
//! to one of several.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::dispatch::announcements::Announcements;
use crate::setup::EngineOptions;
use crate::sharing::Sharing;
use crate::tasks::Tasks;

/// The way in which work reaches its process; chosen at setup.
pub(crate) enum Distribution {
    /// This process does all the work, within its bounds.
    InProcess(Room),
    /// Work is announced, and the broker delivers it to one of several processes.
    Shared {
        announcements: Arc<Announcements>,
        /// The time after which a transfer that waits for its account is announced to other
        /// processes.
        queued_again: Duration,
    },
}

/// The room for work in flight.
pub(crate) struct Room {
    in_flight_max: usize,
    /// True if work could not be taken up for lack of room.
    wanted: AtomicBool,
}

impl Distribution {
    pub(crate) fn new(sharing: Option<&Sharing>, options: &EngineOptions, tasks: &Tasks) -> Self {
        let Some(Sharing { queue, options: shared, .. }) = sharing else {
            let in_flight_max = options.in_flight_max;
            return Self::InProcess(Room { in_flight_max, wanted: AtomicBool::new(false) });
        };
        let (queue, waiting_max) = (Arc::clone(queue), shared.announcements_max);
        let announcements = Arc::new(Announcements::new(queue, waiting_max, tasks.clone()));
        Self::Shared { announcements, queued_again: shared.queued_again }
    }

    /// True if one more transfer can be worked on beside `in_flight` others. Where work is shared,
    /// that is for the process to say to which it is delivered.
    pub(crate) fn has_room_beside(&self, in_flight: usize) -> bool {
        match self {
            Self::InProcess(room) => in_flight < room.in_flight_max,
            Self::Shared { .. } => true,
        }
    }

    /// Notes if work could not be taken up for lack of room.
    pub(crate) fn want_room(&self, wanted: bool) {
        if let Self::InProcess(room) = self {
            room.wanted.store(wanted, Ordering::Release);
        }
    }

    /// True if work could not be taken up for lack of room.
    pub(crate) fn is_room_wanted(&self) -> bool {
        match self {
            Self::InProcess(room) => room.wanted.load(Ordering::Acquire),
            Self::Shared { .. } => false,
        }
    }
}

/// The time after which the store is to bring back a transfer in flight.
pub(crate) fn lease(sharing: Option<&Sharing>, options: &EngineOptions) -> Duration {
    sharing.map_or(options.lease, |sharing| sharing.options.announce_again)
}
