//! The conduct of a market that no request asks for: late and double approvals, reversals of its
//! own, an empty float, charges, statements that differ from the books.
//!
//! Rates are parts per 10,000. A draw depends on the seed, the business content, and how often that
//! content was drawn before, as with [`kiungo_simulator::faults`].

use kiungo_domain::Timestamp;
use serde::Deserialize;

use super::Simulator;

/// The conduct of the market beyond its answers; nothing of it happens unless an option says so.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conduct {
    /// True if a conversation id that was used before is refused (INS-10). If not, the operation is
    /// carried out again; queries then find the latest.
    pub deduplicates: bool,
    /// The charge for each collection, payout and payment, in minor units, taken from the float.
    /// The API has no field for it: it stands in the books (operation `fee`) and in the statement.
    pub charge_minor: i64,
    /// From when until when payouts are refused because the float is empty (INS-2006), in
    /// milliseconds since the simulator's start, whatever the float holds.
    pub float_empty_ms: Option<(u64, u64)>,
    /// Collections that are refused (INS-6) and nevertheless approved `late_ms` afterwards.
    pub approved_late: u16,
    /// Collections that the customer approves once more `late_ms` afterwards: a second movement
    /// with a receipt of its own under the same conversation id. Queries by that id find the first.
    pub approved_twice: u16,
    /// Completed collections and payouts that the operator takes back `late_ms` afterwards, unasked
    /// and without telling.
    pub reversed_later: u16,
    /// The delay of "late".
    pub late_ms: u64,
    /// Answers and results that state another receipt than the books and the queries.
    pub other_receipt: u16,
    /// Notified payments whose confirmation states another amount: the API's own answers state
    /// none.
    pub other_amount: u16,
    /// Notified payments whose confirmation states another wallet (where it is written in full).
    pub other_wallet: u16,
    /// Collections that are told as payments, too, by a confirmation of the C2B form; the number is
    /// written as `paybill.msisdn` says.
    pub collections_told: u16,
    /// True if such a confirmation carries our conversation id and the label that we sent.
    pub told_with_reference: bool,
    /// Sessions that become live only after `activated_late_ms`.
    pub activated_late: u16,
    /// The time that the activation of such a session takes.
    pub activated_late_ms: u64,
}

impl Default for Conduct {
    fn default() -> Self {
        Self {
            deduplicates: true,
            charge_minor: 0,
            float_empty_ms: None,
            approved_late: 0,
            approved_twice: 0,
            reversed_later: 0,
            late_ms: 60_000,
            other_receipt: 0,
            other_amount: 0,
            other_wallet: 0,
            collections_told: 0,
            told_with_reference: true,
            activated_late: 0,
            activated_late_ms: 90_000,
        }
    }
}

impl Simulator {
    /// True if a piece of conduct befalls `key` this time.
    pub(super) fn happens(&self, name: &str, key: &str, rate: u16) -> bool {
        let seed = self.faults().seed();
        self.state().draws.happens(seed, name, key, rate)
    }

    /// True if the float is empty now, by the options.
    pub(super) fn float_is_empty(&self, began: Timestamp) -> bool {
        let Some((from, to)) = self.options().conduct.float_empty_ms else { return false };
        let since = self.now().as_micros().saturating_sub(began.as_micros()).max(0) / 1_000;
        let since = u64::try_from(since).unwrap_or(0);
        (from..to).contains(&since)
    }
}

#[cfg(test)]
mod tests {
    use kiungo_simulator::chance::Draws;

    #[test]
    fn a_rate_is_kept_and_a_content_is_drawn_anew_each_time() {
        let mut draws = Draws::default();
        let hits = (0..10_000).filter(|_| draws.happens(7, "late", "one", 1_000)).count();
        assert!((800..1_200).contains(&hits), "{hits}");
        assert!((0..100).all(|_| !draws.happens(7, "late", "one", 0)));
        assert!((0..100).all(|_| draws.happens(7, "late", "one", 10_000)));
    }
}
