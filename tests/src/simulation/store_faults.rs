//! A database that fails now and then: it refuses, it does what was asked and says that it failed,
//! or it is slow.

use std::time::Duration;

use kiungo_store::StoreError;

use super::chance::Chance;
use super::network::NetworkState;

/// The longest time that a slow answer takes.
const SLOW_MAX: Duration = Duration::from_secs(15);

/// The failures of a process's database.
#[derive(Debug, Clone)]
pub struct Trouble {
    chance: Chance,
    network_state: NetworkState,
    /// Parts per 10,000 of each of the three.
    rate: u64,
}

impl Trouble {
    /// The number of times in 10,000 that each of the three happens while faults are on.
    pub const fn new(chance: Chance, network_state: NetworkState, rate: u64) -> Self {
        Self { chance, network_state, rate }
    }

    fn happens(&self) -> bool {
        self.rate > 0 && self.network_state.is_faulty() && self.chance.happens(self.rate)
    }

    /// Refuses or delays the work, at times, before anything is done.
    pub async fn before(&self) -> Result<(), StoreError> {
        if self.happens() {
            return Err(StoreError::Unavailable("it takes no work".to_owned()));
        }
        if self.happens() {
            tokio::time::sleep(self.chance.wait(SLOW_MAX)).await;
        }
        Ok(())
    }

    /// Loses the answer, at times, after everything was done.
    pub fn after(&self) -> Result<(), StoreError> {
        if self.happens() {
            return Err(StoreError::Unavailable("its answer was lost".to_owned()));
        }
        Ok(())
    }
}
