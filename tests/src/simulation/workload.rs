//! The wishes of the world's people, drawn from the seed.

use std::time::Duration;

use kiungo_domain::transfer::Kind;

use super::chance::Chance;

/// The number of clients of the institution.
const CLIENTS: u64 = 12;

/// An act of the institution or of one of its clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// The time of the act, from the beginning of the day.
    pub at: Duration,
    /// The provider: an index into the world's two.
    pub provider: usize,
    /// The client: an index into the institution's clients.
    pub client: usize,
    /// The amount, in whole shillings.
    pub shillings: u64,
    /// The act.
    pub what: What,
}

/// The kinds of acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The institution starts a transfer.
    Order(Kind),
    /// The customer pays at the wallet and names a savings account (or a loan).
    Pay {
        /// A loan instead of a savings account.
        loan: bool,
        /// Mistyped, so that it fits no account.
        mistyped: bool,
    },
}

/// A day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// The number of clients.
    pub clients: usize,
    /// The length of the day.
    pub day: Duration,
    /// The acts, in order.
    pub acts: Vec<Act>,
}

impl Workload {
    /// The day of a seed.
    pub fn draw(seed: u64, transfers: u32) -> Self {
        let chance = Chance::new(seed, "story");
        let day = Duration::from_secs(u64::from(transfers) * 20);
        let mut acts: Vec<Act> = (0..transfers).map(|_| Self::act(&chance, day)).collect();
        acts.sort_by_key(|act| act.at);
        Self { clients: usize::try_from(CLIENTS).unwrap_or(1), day, acts }
    }

    fn act(chance: &Chance, day: Duration) -> Act {
        let at = chance.wait(day);
        let provider = usize::from(chance.happens(5_000));
        let client = usize::try_from(chance.below(CLIENTS)).unwrap_or(0);
        // Few amounts, so that equal payments of one customer are common.
        let shillings = 1_000 + 500 * chance.below(12);
        let what = if chance.happens(3_000) {
            What::Pay { loan: chance.happens(4_000), mistyped: chance.happens(1_500) }
        } else {
            What::Order(chance.pick(&Kind::ALL).copied().unwrap_or(Kind::Deposit))
        };
        Act { at, provider, client, shillings, what }
    }

    /// The disbursements of a client, whose loans have to be approved before.
    pub fn disbursements(&self, client: usize) -> impl Iterator<Item = &Act> {
        self.acts
            .iter()
            .filter(move |act| act.client == client && act.what == What::Order(Kind::Disbursement))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_tells_the_same_story() {
        assert_eq!(Workload::draw(7, 50), Workload::draw(7, 50));
        assert_ne!(Workload::draw(7, 50), Workload::draw(8, 50));
    }
}
