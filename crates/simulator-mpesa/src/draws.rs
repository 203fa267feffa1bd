//! Draws of the market's conduct, each anew for the same content.

use std::collections::HashMap;

use kiungo_simulator::faults::hash;

/// The number of times that each business content was drawn.
#[derive(Debug, Default)]
pub(super) struct Draws {
    drawn: HashMap<u64, u32>,
}

impl Draws {
    /// True if what `name` stands for happens to `key` this time, at `rate` parts per 10,000.
    pub(super) fn happens(&mut self, seed: u64, name: &str, key: &str, rate: u16) -> bool {
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

    #[test]
    fn a_rate_is_kept_and_a_content_is_drawn_anew_each_time() {
        let mut draws = Draws::default();
        let hits = (0..10_000).filter(|_| draws.happens(7, "late", "one", 1_000)).count();
        assert!((800..1_200).contains(&hits), "{hits}");
        assert!((0..100).all(|_| !draws.happens(7, "late", "one", 0)));
        assert!((0..100).all(|_| draws.happens(7, "late", "one", 10_000)));
    }
}
