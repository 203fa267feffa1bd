//! Rates and percentiles of the steady state: the first and the last tenth of what was completed
//! are warm-up and tail, and do not count.

use std::collections::BTreeMap;

use kiungo_domain::TransferId;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// A measurement with fewer moments says nothing.
const MOMENTS_MIN: usize = 100;

/// The speed at which transfers came to their end in the steady state.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Speed {
    /// The number in each second.
    pub(super) rate: u64,
    /// From their beginning to their end, in microseconds.
    pub(super) p50_us: u64,
    pub(super) p95_us: u64,
    pub(super) p99_us: u64,
}

impl Speed {
    /// The speed of transfers that began and ended at these times.
    pub(super) fn of(began: Vec<(TransferId, Instant)>, ended: &[(TransferId, Instant)]) -> Self {
        let moments: Vec<Instant> = ended.iter().map(|(_, at)| *at).collect();
        let taken = latencies(&began.into_iter().collect(), ended);
        Self {
            rate: rate(&moments),
            p50_us: percentile(&taken, 50),
            p95_us: percentile(&taken, 95),
            p99_us: percentile(&taken, 99),
        }
    }
}

/// The number of these moments per second between their first and their ninth tenth.
pub(super) fn rate(moments: &[Instant]) -> u64 {
    let mut moments = moments.to_vec();
    moments.sort_unstable();
    let Some((from, to)) = window(&moments) else { return 0 };
    let micros = to.duration_since(from).as_micros().max(1);
    let count = moments.iter().filter(|moment| (from..to).contains(*moment)).count();
    u64::try_from(count as u128 * 1_000_000 / micros).unwrap_or(u64::MAX)
}

/// From the first to the ninth tenth of sorted moments.
fn window(sorted: &[Instant]) -> Option<(Instant, Instant)> {
    let tenth = sorted.len() / 10;
    let ends = Some((*sorted.get(tenth)?, *sorted.get(sorted.len() - 1 - tenth)?));
    ends.filter(|_| sorted.len() >= MOMENTS_MIN)
}

/// The times that transfers took which ended in the steady state, sorted, in microseconds.
fn latencies(began: &BTreeMap<TransferId, Instant>, ended: &[(TransferId, Instant)]) -> Vec<u64> {
    let mut moments: Vec<Instant> = ended.iter().map(|(_, at)| *at).collect();
    moments.sort_unstable();
    let Some((from, to)) = window(&moments) else { return Vec::new() };
    let within = ended.iter().filter(|(_, at)| (from..to).contains(at));
    let taken = within.filter_map(|(id, at)| {
        let micros = at.saturating_duration_since(*began.get(id)?).as_micros();
        u64::try_from(micros).ok()
    });
    let mut taken: Vec<u64> = taken.collect();
    taken.sort_unstable();
    taken
}

/// The smallest of sorted values that `percent` of them do not exceed; 0 if there are none.
pub(super) fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;

    fn moments(count: u64, each: Duration) -> Vec<Instant> {
        let begin = Instant::now();
        (0..count).map(|n| begin + each * u32::try_from(n).unwrap()).collect()
    }

    #[test]
    fn warm_up_and_tail_do_not_count() {
        let mut steady = moments(1_000, Duration::from_millis(1));
        assert_eq!(rate(&steady), 1_000);
        let last = *steady.last().unwrap();
        *steady.last_mut().unwrap() = last + Duration::from_secs(60);
        steady.reverse();
        assert_eq!(rate(&steady), 1_000, "a late straggler, and the order, change nothing");
        assert_eq!(rate(&steady[..50]), 0, "too few to say anything");
    }

    #[test]
    fn latencies_are_those_of_the_steady_state() {
        let ids: Vec<TransferId> =
            (0..100).map(|n| TransferId::new(Uuid::from_u128(n << 16))).collect();
        let ends = moments(100, Duration::from_millis(10));
        let began: BTreeMap<_, _> = ids.iter().copied().zip(moments(100, Duration::ZERO)).collect();
        let ended: Vec<_> = ids.iter().copied().zip(ends).collect();
        let taken = latencies(&began, &ended);
        assert_eq!(taken.len(), 79);
        assert!(taken[0] >= 90_000 && taken[78] <= 890_000, "{taken:?}");
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<u64> = (1..=200).collect();
        assert_eq!(percentile(&values, 50), 100);
        assert_eq!(percentile(&values, 99), 198);
        assert_eq!(percentile(&[7], 50), 7);
        assert_eq!(percentile(&[], 50), 0);
    }
}
