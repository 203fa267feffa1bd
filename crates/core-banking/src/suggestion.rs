//! Accounts that a payer may have meant: the facts that are known of a payment without an account,
//! and the accounts that the core finds for it. A person chooses.

use std::collections::BTreeSet;

use kiungo_domain::Msisdn;
use kiungo_domain::typed::{Likeness, Reading};

use crate::AccountFacts;

/// The most accounts that are suggested: more than a person compares at a glance.
pub const SUGGESTIONS_MAX: usize = 10;
/// The most of them that have nothing for them but the payer's number, while others have more: who
/// pays for many must not hide what was typed.
const PAYER_ONLY_MAX: usize = 6;

/// A payment whose account is sought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    /// The accounts that the typed text may name, the likeliest first.
    pub readings: Vec<Reading>,
    /// The number of the wallet that paid; `None` where the provider hides it.
    pub payer: Option<Msisdn>,
}

/// The accounts that a core found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestions {
    /// The accounts, best first, none twice, [`SUGGESTIONS_MAX`] at most.
    pub accounts: Vec<Suggestion>,
    /// True if all was asked that there was to ask. Otherwise the core did not answer all of it, or
    /// too much would fit, and an account may be missing.
    pub complete: bool,
}

/// An account that a payer may have meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The account.
    pub account: AccountFacts,
    /// The reasons for it; never empty.
    pub reasons: BTreeSet<Likeness>,
}

impl Suggestions {
    /// The best of these, best first: an account with two reasons goes before one with a single
    /// reason, then the likeliest reason decides. Equals keep their order.
    pub fn best(mut found: Vec<Suggestion>, complete: bool) -> Self {
        found.sort_by_key(Suggestion::rank);
        let (mut others, payers): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|suggestion| !suggestion.is_payers_only());
        let room = SUGGESTIONS_MAX.saturating_sub(others.len()).max(PAYER_ONLY_MAX);
        let payers: Vec<_> = payers.into_iter().take(room).collect();
        others.truncate(SUGGESTIONS_MAX.saturating_sub(payers.len()));
        others.extend(payers);
        others.sort_by_key(Suggestion::rank);
        Self { accounts: others, complete }
    }
}

impl Suggestion {
    /// The smaller the better.
    fn rank(&self) -> (bool, Option<Likeness>) {
        let both = self.reasons.contains(&Likeness::Payer) && self.reasons.len() > 1;
        let typed = self.reasons.iter().find(|reason| !both || **reason != Likeness::Payer);
        (!both, typed.copied())
    }

    fn is_payers_only(&self) -> bool {
        self.reasons.iter().all(|reason| *reason == Likeness::Payer)
    }
}

#[cfg(test)]
mod tests {
    use kiungo_domain::typed::Likeness::{Payer, Similar, Split, Typed};
    use kiungo_domain::{AccountKind, CoreAccount, Currency};

    use super::*;

    fn suggestion(id: u64, reasons: &[Likeness]) -> Suggestion {
        let account = AccountFacts {
            account: CoreAccount { kind: AccountKind::Savings, id },
            account_no: format!("{id:09}"),
            currency: Currency::from_code("TZS").unwrap(),
            holder: None,
        };
        Suggestion { account, reasons: reasons.iter().copied().collect() }
    }

    fn ids(found: Vec<Suggestion>) -> Vec<u64> {
        let best = Suggestions::best(found, true);
        best.accounts.iter().map(|suggestion| suggestion.account.account.id).collect()
    }

    #[test]
    fn the_payers_own_account_that_was_nearly_typed_goes_first() {
        let found = vec![
            suggestion(1, &[Similar]),
            suggestion(2, &[Split]),
            suggestion(3, &[Payer]),
            suggestion(4, &[Typed]),
            suggestion(5, &[Payer, Similar]),
        ];
        assert_eq!(ids(found), [5, 4, 3, 2, 1]);
    }

    #[test]
    fn neither_a_payers_many_accounts_nor_many_readings_hide_the_others() {
        let payers = (1..=20).map(|id| suggestion(id, &[Payer]));
        let typed = (101..=120).map(|id| suggestion(id, &[Split]));
        let found = ids(payers.clone().chain(typed).collect());
        assert_eq!(found, [1, 2, 3, 4, 5, 6, 101, 102, 103, 104]);
        assert_eq!(ids(payers.collect()).len(), SUGGESTIONS_MAX);
    }
}
