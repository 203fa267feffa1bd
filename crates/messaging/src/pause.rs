//! The waits between tries: growing, bounded.

use std::time::Duration;

/// Long enough that a restarting database is not asked a thousand times.
const FIRST: Duration = Duration::from_millis(100);
/// Short enough that the wait is not much longer than the failure.
const LONGEST: Duration = Duration::from_secs(5);

/// The waits between tries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Pauses {
    /// The next wait: twice the last.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST);
        pause
    }

    /// It went well: the next failure begins anew.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}
