//! Remembers the latest reports about an operation, which help to read the next ones. It holds
//! nothing that the journal lacks: after a restart texts are shorter, and a claim that was about to
//! be confirmed waits for a person.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use kiungo_domain::Reference;

/// The number of operations for which a value is kept; the oldest make room.
const KEPT_MAX: usize = 4_096;

/// A value for each of the latest operations.
#[derive(Debug)]
pub(crate) struct Recent<T> {
    kept: Mutex<Kept<T>>,
}

#[derive(Debug)]
struct Kept<T> {
    by_reference: BTreeMap<Reference, T>,
    in_order: VecDeque<Reference>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        let kept = Kept { by_reference: BTreeMap::new(), in_order: VecDeque::new() };
        Self { kept: Mutex::new(kept) }
    }
}

impl<T: Clone> Recent<T> {
    /// Keeps the latest report.
    pub(crate) fn keep(&self, reference: Reference, what: T) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.by_reference.insert(reference, what).is_some() {
            return;
        }
        kept.in_order.push_back(reference);
        if kept.in_order.len() > KEPT_MAX
            && let Some(oldest) = kept.in_order.pop_front()
        {
            kept.by_reference.remove(&oldest);
        }
    }

    pub(crate) fn of(&self, reference: Reference) -> Option<T> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.by_reference.get(&reference).cloned()
    }
}

#[cfg(test)]
mod tests {
    use kiungo_domain::TransferId;
    use kiungo_domain::transfer::StepName;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_last_word_is_kept_and_the_oldest_operations_make_room() {
        let reference =
            |number| Reference::new(TransferId::new(Uuid::from_u128(number)), StepName::Second, 0);
        let recent = Recent::default();
        recent.keep(reference(256), 1);
        recent.keep(reference(256), 2);
        assert_eq!(recent.of(reference(256)), Some(2));
        for number in 1..=KEPT_MAX {
            recent.keep(reference(65_536 * number as u128), 3);
        }
        assert_eq!(recent.of(reference(256)), None);
        assert_eq!(recent.of(reference(65_536)), Some(3));
    }
}
