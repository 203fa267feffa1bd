//! Which account a mistyped name may have meant. Best effort: an operator decides.

use std::collections::BTreeMap;

use kiungo_core_banking::AccountFacts;
use kiungo_domain::party::AccountKey;
use kiungo_domain::{AccountKind, AccountRef, CoreAccount, Currency, Msisdn};

use crate::check::facts;
use crate::client::Client;
use crate::lookup::{accounts_of, is_alive, owners, read, search_accounts};
use crate::near;
use crate::version::Profile;

const SUGGESTIONS_MAX: usize = 10;
/// Numbers outside of this length are no account numbers, and would cost a search per digit.
const DIGITS: std::ops::RangeInclusive<usize> = 2..=20;
/// The length to which the core fills up its account numbers with zeros.
const DEFAULT_LENGTH: usize = 9;

/// How good a suggestion is; the smaller the better.
type Rank = u8;
const TYPED_AND_PHONE: Rank = 0;
const PHONE: Rank = 1;
const FILLED_UP: Rank = 2;
/// Plus 1 for swapped digits, 2 for a wrong one.
const NEAR: Rank = 2;

/// Accounts of the payer, and accounts with nearly this number, best first.
pub(crate) async fn suggest(
    client: &Client,
    profile: &Profile,
    account: &AccountRef,
    payer: Option<&Msisdn>,
) -> Vec<AccountFacts> {
    let kinds = match account.kind {
        Some(kind) => vec![kind],
        None => vec![AccountKind::Savings, AccountKind::Loan],
    };
    let typed = match &account.key {
        AccountKey::AccountNo(number) | AccountKey::ExternalId(number) => Some(number.trim()),
        AccountKey::Id(_) | AccountKey::Phone(_) => None,
    };
    let phone = match &account.key {
        AccountKey::Phone(msisdn) => Some(msisdn),
        _ => payer,
    };
    let mut found: BTreeMap<CoreAccount, (Rank, Option<AccountFacts>)> = BTreeMap::new();
    if let Some(msisdn) = phone {
        by_phone(client, profile, msisdn, &kinds, typed, &mut found).await;
    }
    if let Some(number) = typed.filter(|n| n.bytes().all(|b| b.is_ascii_digit())) {
        by_number(client, number, &kinds, &mut found).await;
    }
    let mut ranked: Vec<_> = found.into_iter().collect();
    ranked.sort_by_key(|(account, (rank, _))| (*rank, *account));
    let mut suggestions = Vec::new();
    for (account, (_, known)) in ranked.into_iter().take(SUGGESTIONS_MAX) {
        let facts = match known {
            Some(facts) => Some(facts),
            None => match read(client, account).await {
                Ok(Some(account)) => facts(&account).ok(),
                _ => None,
            },
        };
        suggestions.extend(facts);
    }
    suggestions
}

type Found = BTreeMap<CoreAccount, (Rank, Option<AccountFacts>)>;

async fn by_phone(
    client: &Client,
    profile: &Profile,
    msisdn: &Msisdn,
    kinds: &[AccountKind],
    typed: Option<&str>,
    found: &mut Found,
) {
    for owner in owners(client, profile, msisdn).await.unwrap_or_default() {
        let accounts = accounts_of(client, &owner, kinds).await.unwrap_or_default();
        for (account, listed) in accounts.into_iter().filter(|(_, listed)| is_alive(listed)) {
            let near = typed.and_then(|typed| near::distance(typed, &listed.account_no));
            let rank = if near.is_some() { TYPED_AND_PHONE } else { PHONE };
            let currency = listed.currency.as_ref().and_then(|c| Currency::from_code(&c.code).ok());
            let facts = currency.map(|currency| AccountFacts {
                account,
                account_no: listed.account_no.clone(),
                currency,
                holder: owner.name.clone(),
            });
            found.entry(account).or_insert((rank, facts));
        }
    }
}

async fn by_number(client: &Client, number: &str, kinds: &[AccountKind], found: &mut Found) {
    if !DIGITS.contains(&number.len()) {
        return;
    }
    let mut patterns = Vec::new();
    if number.len() < DEFAULT_LENGTH {
        patterns.push(format!("{number:0>DEFAULT_LENGTH$}"));
    }
    patterns.extend(near::swapped(number));
    patterns.extend(near::one_digit_off(number));
    let filled_up = patterns.first().filter(|_| number.len() < DEFAULT_LENGTH).cloned();
    for pattern in patterns {
        if found.len() >= SUGGESTIONS_MAX {
            return;
        }
        for (account, hit) in search_accounts(client, &pattern, kinds).await.unwrap_or_default() {
            let Some(account_no) = hit.entity_account_no.get() else { continue };
            let rank = match near::distance(number, account_no) {
                Some(distance) => NEAR + distance,
                None if Some(account_no) == filled_up.as_deref() => FILLED_UP,
                None => continue,
            };
            found.entry(account).or_insert((rank, None));
        }
    }
}
