//! Conversation ids. An operation's is its compact reference; a query has a fresh one of its own
//! (`mpesa-openapi.md` §6), from which the operation asked about can be read back, because an
//! asynchronous answer names nothing else. No id has a hyphen.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use kiungo_domain::Reference;

/// Digits of a reference in base 36: enough for 128 bits.
const REFERENCE_DIGITS: usize = 25;
/// Digits that make a query's id fresh.
const FRESH_DIGITS: usize = 12;
const ALPHABET: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Makes ids of queries: no randomness and no clock, yet unused before. The session's seed differs
/// after each restart, the counter within a session, and `context` (the time of asking, where it is
/// known) makes sure.
#[derive(Debug, Default)]
pub(crate) struct QueryIds {
    count: AtomicU64,
}

impl QueryIds {
    /// An id for a query about an operation of ours: `Q`, the reference, and 12 fresh digits.
    pub(crate) fn about(&self, reference: Reference, seed: &[u8], context: &[u8]) -> String {
        let number = u128::from_str_radix(&reference.compact(), 16).unwrap_or(0);
        format!(
            "Q{}{}",
            base36(number, REFERENCE_DIGITS),
            base36(self.fresh(seed, context), FRESH_DIGITS)
        )
    }

    /// An id for a query about something else: `N` and 25 fresh digits.
    pub(crate) fn other(&self, seed: &[u8], context: &[u8]) -> String {
        format!("N{}", base36(self.fresh(seed, context), REFERENCE_DIGITS))
    }

    fn fresh(&self, seed: &[u8], context: &[u8]) -> u128 {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let hash = digest(&SHA256, &[seed, &count.to_be_bytes(), context].concat());
        hash.as_ref().iter().take(16).fold(0, |number, byte| (number << 8) | u128::from(*byte))
    }
}

/// The operation that an id of [`QueryIds::about`] asks about; `None` if it is no such id.
pub(crate) fn asked_about(id: &str) -> Option<Reference> {
    let digits = id.strip_prefix('Q')?;
    if digits.len() != REFERENCE_DIGITS + FRESH_DIGITS || !digits.is_ascii() {
        return None;
    }
    let number = read_base36(digits.get(..REFERENCE_DIGITS)?)?;
    Reference::parse(&format!("{number:032x}")).ok()
}

/// The number that these digits are in base 36; `None` if they are none, or too large.
pub(crate) fn read_base36(digits: &str) -> Option<u128> {
    digits.bytes().try_fold(0_u128, |number, byte| {
        let digit = ALPHABET.iter().position(|&letter| letter == byte)?;
        number.checked_mul(36)?.checked_add(u128::try_from(digit).ok()?)
    })
}

/// The lowest `width` digits of `number` in base 36.
pub(crate) fn base36(mut number: u128, width: usize) -> String {
    let mut digits = Vec::with_capacity(width);
    for _ in 0..width {
        let digit = usize::try_from(number % 36).unwrap_or(0);
        digits.push(char::from(ALPHABET.get(digit).copied().unwrap_or(b'0')));
        number /= 36;
    }
    digits.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use kiungo_domain::TransferId;
    use kiungo_domain::transfer::StepName;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    proptest! {
        #[test]
        fn a_querys_id_is_fresh_legal_and_names_the_operation(id in any::<u128>(), step in 0_u8..4) {
            let transfer = TransferId::new(Uuid::from_u128(id));
            let reference = Reference::new(transfer, StepName::from_index(step), 3);
            let ids = QueryIds::default();
            let made = [
                ids.about(reference, b"seed", b"1"),
                ids.about(reference, b"seed", b"1"),
                ids.other(b"seed", b"1"),
                ids.other(b"seed", b"1"),
            ];
            for (index, id) in made.iter().enumerate() {
                prop_assert!((1..=40).contains(&id.len()));
                let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
                prop_assert!(id.bytes().all(plain));
                prop_assert!(Reference::parse(id).is_err(), "never an operation's");
                prop_assert!(!made[..index].contains(id));
            }
            prop_assert_eq!(asked_about(&made[0]), Some(reference));
            prop_assert_eq!(asked_about(&made[1]), Some(reference));
            prop_assert_eq!(asked_about(&made[2]), None);
        }

        #[test]
        fn no_text_panics(text in "\\PC*", digits in "Q[0-9A-Z]{37}") {
            let _ = asked_about(&text);
            let _ = asked_about(&digits);
        }
    }

    #[test]
    fn the_same_story_makes_the_same_ids() {
        let make = || QueryIds::default().other(b"seed", b"receipt");
        assert_eq!(make(), make());
        assert_ne!(make(), QueryIds::default().other(b"other seed", b"receipt"));
    }
}
