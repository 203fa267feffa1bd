//! Requests that the poller has read to no effect, and leaves out for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use kiungo_core_banking::{CoreRequest, Listed};

/// Requests that were read to no effect and are remembered, of one core.
const REMEMBERED_MAX: usize = 20_000;
/// The largest number of rounds after which a request that was read to no effect is read again:
/// staff may have added what was missing where no list shows it.
const ROUNDS_MAX: u32 = 10;

/// The requests of one core that were read to no effect, by name.
#[derive(Debug, Default)]
pub(super) struct InVain(Mutex<BTreeMap<String, ReadInVain>>);

/// A request that was read and led to nothing: no rule wants it, or it lacks what it lacked before.
#[derive(Debug)]
struct ReadInVain {
    /// The request as the list showed it.
    listed: Option<CoreRequest>,
    /// After how many rounds it is read again.
    rounds: u32,
    /// The number of rounds still to come before it is read again.
    left: u32,
}

impl InVain {
    /// Forgets all of them.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// Forgets those that were not listed.
    pub(super) fn keep_only(&self, listed: &BTreeSet<String>) {
        self.lock().retain(|id, _| listed.contains(id));
    }

    /// Notes what was read, but for what had an effect.
    pub(super) fn note<'a>(
        &self,
        read: impl Iterator<Item = &'a Listed>,
        effective: &BTreeSet<String>,
    ) {
        let mut memory = self.lock();
        for one in read {
            let name = one.id.as_str();
            let before = memory.remove(name).filter(|before| before.listed == one.request);
            if effective.contains(name) || memory.len() >= REMEMBERED_MAX {
                continue;
            }
            let rounds = before.map_or(1, |before| before.rounds.saturating_mul(2));
            let rounds = rounds.min(ROUNDS_MAX);
            let listed = one.request.clone();
            memory.insert(name.to_owned(), ReadInVain { listed, rounds, left: rounds });
        }
    }

    /// True if a request was read to no effect lately, and the list shows it as it did then; counts
    /// the round.
    pub(super) fn rests(&self, one: &Listed) -> bool {
        let mut memory = self.lock();
        let Some(known) = memory.get_mut(one.id.as_str()) else { return false };
        if known.listed != one.request || known.left == 0 {
            return false;
        }
        known.left -= 1;
        true
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, ReadInVain>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
