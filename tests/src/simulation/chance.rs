//! Chance, from a seed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kiungo_simulator::faults::hash;

/// A stream of numbers that depends on the seed and on how often it was asked; all clones draw from
/// the same stream. In one order on one thread, so the same seed draws the same.
#[derive(Debug, Clone)]
pub struct Chance {
    seed: u64,
    drawn: Arc<Mutex<u64>>,
}

impl Chance {
    /// The stream of this seed and purpose.
    pub fn new(seed: u64, purpose: &str) -> Self {
        Self { seed: hash(seed, &[purpose.as_bytes()]), drawn: Arc::default() }
    }

    /// The next number.
    pub fn number(&self) -> u64 {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        *drawn += 1;
        hash(self.seed, &[&drawn.to_le_bytes()])
    }

    /// A number below `bound`; 0 if the bound is 0.
    pub fn below(&self, bound: u64) -> u64 {
        self.number() % bound.max(1)
    }

    /// True this number of times in 10,000.
    pub fn happens(&self, per_10_000: u64) -> bool {
        per_10_000 > 0 && self.below(10_000) < per_10_000
    }

    /// A wait below `bound`.
    pub fn wait(&self, bound: Duration) -> Duration {
        let micros = u64::try_from(bound.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.below(micros.max(1)))
    }

    /// One of several.
    pub fn pick<'a, T>(&self, from: &'a [T]) -> Option<&'a T> {
        let index = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
        from.get(index)
    }
}
