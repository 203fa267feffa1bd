//! Chance from a seed.

use std::collections::HashMap;

use crate::faults::hash;

/// A sequence of numbers from a seed (`SplitMix64`). Recorded seeds mean this sequence: it never
/// changes.
#[derive(Debug, Clone)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// The sequence of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }
}

/// The conduct that is drawn for a business content, and the number of times that each was drawn: a
/// draw depends on the seed, the content, and that number.
#[derive(Debug, Default)]
pub struct Draws {
    drawn: HashMap<u64, u32>,
}

impl Draws {
    /// True if what `name` stands for happens to `key` this time, at `rate` parts per 10,000.
    pub fn happens(&mut self, seed: u64, name: &str, key: &str, rate: u16) -> bool {
        if rate == 0 {
            return false;
        }
        let what = hash(seed, &[b"conduct", name.as_bytes(), key.as_bytes()]);
        let times = self.drawn.entry(what).or_insert(0);
        *times += 1;
        hash(what, &[&times.to_le_bytes()]) % 10_000 < u64::from(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of the reference implementation, for the seed 0.
    #[test]
    fn the_sequence_is_that_of_the_reference() {
        let mut sequence = SplitMix64::new(0);
        let first = [sequence.roll(), sequence.roll(), sequence.roll()];
        let known = [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f];
        assert_eq!(first, known);
    }

    #[test]
    fn a_rate_is_kept_and_a_content_is_drawn_anew_each_time() {
        let mut draws = Draws::default();
        let hits = (0..10_000).filter(|_| draws.happens(7, "late", "one", 1_000)).count();
        assert!((800..1_200).contains(&hits), "{hits}");
        assert!((0..100).all(|_| !draws.happens(7, "late", "one", 0)));
        assert!((0..100).all(|_| draws.happens(7, "late", "one", 10_000)));
    }
}
