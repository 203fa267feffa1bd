//! The terms by which a transfer is found beside its own columns: accounts as people have them, and
//! the amount.

use kiungo_domain::Money;
use kiungo_domain::party::AccountKey;
use kiungo_domain::transfer::{Decision, Event, Origin};

use crate::Summary;
use crate::summary::comparable;

/// The longest account text that is a term, in characters.
const ACCOUNT_CHARS_MAX: usize = 64;

/// The term of an account: its letters and digits in upper case, numbers without leading zeros, so
/// that `sv 004-400` is `SV004400`, and `000004400` is `4400`. `None` if nothing is left.
pub fn account_term(text: &str) -> Option<String> {
    let letters = text.chars().filter(|letter| letter.is_alphanumeric());
    let name: String = letters.flat_map(char::to_uppercase).take(ACCOUNT_CHARS_MAX).collect();
    let is_number = name.chars().all(|letter| letter.is_ascii_digit());
    let name = if is_number { name.trim_start_matches('0') } else { &name };
    (!name.is_empty()).then(|| format!("account {name}"))
}

/// The term of a gross amount.
pub fn amount_term(amount: Money) -> String {
    format!("amount {}", comparable(amount))
}

/// All terms of a transfer: the account's number and id in the core, the names under which it was
/// asked for, the text that a payer typed, and the amount.
pub fn terms(summary: &Summary) -> Vec<String> {
    let named = summary.accounts.iter().filter_map(|account| match &account.key {
        AccountKey::Id(id) => Some(id.to_string()),
        AccountKey::AccountNo(name) | AccountKey::ExternalId(name) => Some(name.clone()),
        // Wallets are searched by their own column.
        AccountKey::Phone(_) => None,
    });
    let typed = match &summary.origin {
        Origin::Wallet { account_reference, .. } => Some(account_reference.clone()),
        Origin::Api { .. } => None,
    };
    let id = summary.account.map(|account| account.id.to_string());
    let accounts = named.chain(typed).chain(id).chain(summary.account_no.clone());
    let accounts = accounts.filter_map(|text| account_term(&text));
    let mut terms: Vec<_> = accounts.chain([amount_term(summary.amount)]).collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// True if a decision may have given the transfer new terms.
pub fn are_new(decision: &Decision) -> bool {
    decision.entries.iter().any(|entry| {
        matches!(entry.event, Event::Received(_) | Event::Cleared { .. } | Event::Assigned { .. })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_one_term_however_it_is_written() {
        let term = |text| account_term(text).unwrap_or_default();
        for text in ["000004400", "4400", " 0000-04400", "00000 4400"] {
            assert_eq!(term(text), "account 4400", "{text}");
        }
        for text in ["SV004400", "sv 004-400", "Sv.004/400"] {
            assert_eq!(term(text), "account SV004400", "{text}");
        }
        assert_eq!(term("şube 7"), "account ŞUBE7");
        assert_eq!(
            [account_term(""), account_term(" - "), account_term("000")],
            [None, None, None]
        );
        assert_eq!(term(&"9".repeat(100)).len(), "account ".len() + ACCOUNT_CHARS_MAX);
    }
}
