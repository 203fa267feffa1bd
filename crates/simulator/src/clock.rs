//! The simulators' wall clock: real, or that of the simulated world.

use std::time::{SystemTime, UNIX_EPOCH};

use kiungo_domain::Timestamp;

/// The source of the time of day for a simulator.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// `epoch` at the moment `origin` of tokio's clock, which the simulated world pauses.
    Virtual {
        /// The time of day at `origin`.
        epoch: Timestamp,
        /// The moment that `epoch` belongs to.
        origin: tokio::time::Instant,
    },
}

impl Clock {
    /// Now.
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }
            Self::Virtual { epoch, origin } => epoch.after(origin.elapsed()),
        }
    }
}
