//! Chance from a seed: what is drawn for one subject does not depend on what was drawn for others.

use kiungo_simulator::chance::SplitMix64;
use kiungo_simulator::faults::hash;

/// A sequence of numbers for one subject.
#[derive(Debug, Clone)]
pub(super) struct Chance {
    sequence: SplitMix64,
}

impl Chance {
    /// The sequence of `subject`'s number `index` under `seed`.
    pub(super) fn of(seed: u64, subject: &str, index: usize) -> Self {
        let index = u64::try_from(index).unwrap_or(u64::MAX).to_le_bytes();
        Self { sequence: SplitMix64::new(hash(seed, &[subject.as_bytes(), &index])) }
    }

    /// A number below `bound`; 0 if that is 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.sequence.roll().checked_rem(bound).unwrap_or(0)
    }

    /// An index into something of this length; 0 if it is empty.
    pub(super) fn index(&mut self, length: usize) -> usize {
        let bound = u64::try_from(length).unwrap_or(u64::MAX);
        usize::try_from(self.below(bound)).unwrap_or(0)
    }

    /// True `percent` times in a hundred.
    pub(super) fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A number from `low` up to and including `high`.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low.saturating_add(self.below(high.saturating_sub(low).saturating_add(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_draws_the_same_under_the_same_seed_only() {
        let draw = |seed, index| {
            let mut chance = Chance::of(seed, "person", index);
            (0..8).map(|_| chance.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(2, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
    }
}
