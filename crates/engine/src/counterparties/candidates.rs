//! Chooses among the accounts that a payer may have named.
//!
//! They are tried in the order of the mapping's rules, and the first that *exists* is meant, whether it
//! would take the money or not: money for a closed account must not go to another one.

use kiungo_core_banking::{AccountCheck, CheckAnswer, Core};
use kiungo_domain::outcome::{Reason, Rejection, Retry};

/// The core's answer about the first account that it knows; a refusal for want of an account if it
/// knows none.
pub(crate) async fn first_found(core: &dyn Core, candidates: Vec<AccountCheck>) -> CheckAnswer {
    let mut not_found = None;
    for candidate in candidates {
        let answer = core.check(&candidate).await;
        if decides(&answer) {
            return answer;
        }
        not_found.get_or_insert(answer);
    }
    not_found.unwrap_or_else(|| CheckAnswer::Rejected(no_account()))
}

/// False only for an account that does not exist: then the next candidate is asked about. An unclear
/// answer also ends the search, since the account may exist.
fn decides(answer: &CheckAnswer) -> bool {
    match answer {
        CheckAnswer::Rejected(rejection) => rejection.reason != Reason::AccountNotFound,
        CheckAnswer::Allowed(_) | CheckAnswer::Unclear { .. } => true,
    }
}

fn no_account() -> Rejection {
    Rejection {
        code: "account_not_found".to_owned(),
        reason: Reason::AccountNotFound,
        message: "what the payer typed fits no account".to_owned(),
        retry: Retry::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code of a suspended payment is the same whether a core was asked or not.
    #[test]
    fn an_account_that_does_not_exist_has_the_code_that_a_core_gives_it() {
        assert_eq!(no_account().code, "account_not_found");
    }

    #[test]
    fn only_an_account_that_does_not_exist_lets_the_next_one_be_meant() {
        let refused = |reason| CheckAnswer::Rejected(Rejection { reason, ..no_account() });
        assert!(!decides(&refused(Reason::AccountNotFound)));
        // Closed, of another holder or several at once, in another currency, or not to be told now.
        for reason in [Reason::AccountState, Reason::Other, Reason::AmountNotAllowed] {
            assert!(decides(&refused(reason)), "{reason:?}");
        }
        assert!(decides(&CheckAnswer::Unclear { why: "no answer".to_owned() }));
    }
}
