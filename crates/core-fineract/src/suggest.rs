//! Suggests the accounts that a payer may have meant. Best effort: an operator decides.

use std::collections::{BTreeMap, BTreeSet};

use kiungo_core_banking::{AccountFacts, Sought, Suggestion, Suggestions, suggestion};
use kiungo_domain::party::AccountKey;
use kiungo_domain::typed::{Likeness, Reading};
use kiungo_domain::{AccountKind, CoreAccount, Currency, Msisdn};

use crate::check::facts;
use crate::client::Client;
use crate::lookup::{
    Account, accounts_of, by_external_id, is_alive, owners, read, search_accounts,
};
use crate::similar_accounts;
use crate::version::Profile;

/// Requests for one payment at most: a dozen readings, each searched for and read, and a search for
/// each digit that may be wrong.
const REQUESTS_MAX: usize = 60;
/// Numbers outside of this length are no account numbers, and would cost a search per digit.
const DIGITS: std::ops::RangeInclusive<usize> = 2..=20;
/// The length to which the core fills up its account numbers with zeros.
const DEFAULT_LENGTH: usize = 9;
const BOTH_KINDS: [AccountKind; 2] = [AccountKind::Savings, AccountKind::Loan];

/// Accounts of the payer, accounts that the text may name, and accounts with nearly that number.
pub(crate) async fn suggest(client: &Client, profile: &Profile, sought: &Sought) -> Suggestions {
    let mut search = Search {
        client,
        profile,
        requests_left: REQUESTS_MAX,
        complete: true,
        found: BTreeMap::new(),
        order: Vec::new(),
    };
    if let Some(payer) = &sought.payer {
        search.by_phone(payer, &BOTH_KINDS, Likeness::Payer).await;
    }
    for reading in &sought.readings {
        search.by_reading(reading).await;
    }
    let typed = sought.readings.iter().find_map(number);
    if let Some((number, kinds)) = typed {
        search.by_near_number(number, &kinds).await;
    }
    search.finish().await
}

/// The text that a reading takes for an account number, if that can be mistyped by a digit.
fn number(reading: &Reading) -> Option<(&str, Vec<AccountKind>)> {
    let AccountKey::AccountNo(number) = &reading.account.key else { return None };
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    let usable = digits && DIGITS.contains(&number.len());
    usable.then(|| (number.as_str(), kinds_of(reading)))
}

fn kinds_of(reading: &Reading) -> Vec<AccountKind> {
    reading.account.kind.map_or_else(|| BOTH_KINDS.to_vec(), |kind| vec![kind])
}

/// An account, as far as it is known yet.
#[derive(Default)]
struct Found {
    reasons: BTreeSet<Likeness>,
    facts: Option<AccountFacts>,
}

struct Search<'a> {
    client: &'a Client,
    profile: &'a Profile,
    requests_left: usize,
    complete: bool,
    found: BTreeMap<CoreAccount, Found>,
    /// In the order in which they were found.
    order: Vec<CoreAccount>,
}

impl Search<'_> {
    /// `false` if no more requests may be made.
    fn may_ask(&mut self) -> bool {
        let left = self.requests_left.checked_sub(1);
        self.requests_left = left.unwrap_or(0);
        self.complete &= left.is_some();
        left.is_some()
    }

    /// Returns the answer; an empty one if there was none, which is remembered.
    fn answered<T: Default, E>(&mut self, answer: Result<T, E>) -> T {
        self.complete &= answer.is_ok();
        answer.unwrap_or_default()
    }

    fn add(&mut self, account: CoreAccount, reason: Likeness, facts: Option<AccountFacts>) {
        if !self.found.contains_key(&account) {
            self.order.push(account);
        }
        let found = self.found.entry(account).or_default();
        found.reasons.insert(reason);
        found.facts = found.facts.take().or(facts);
    }

    async fn by_reading(&mut self, reading: &Reading) {
        let kinds = kinds_of(reading);
        match &reading.account.key {
            AccountKey::Phone(msisdn) => self.by_phone(msisdn, &kinds, reading.likeness).await,
            AccountKey::AccountNo(number) => {
                self.by_number(number.trim(), &kinds, reading.likeness).await;
            }
            AccountKey::ExternalId(id) => {
                if !self.may_ask() {
                    return;
                }
                let answer = by_external_id(self.client, self.profile, id, &kinds).await;
                for account in self.answered(answer) {
                    self.add_read(&account, reading.likeness);
                }
            }
            AccountKey::Id(id) => {
                for kind in kinds {
                    if !self.may_ask() {
                        return;
                    }
                    let answer = read(self.client, CoreAccount { kind, id: *id }).await;
                    if let Some(account) = self.answered(answer) {
                        self.add_read(&account, reading.likeness);
                    }
                }
            }
        }
    }

    fn add_read(&mut self, account: &Account, reason: Likeness) {
        if account.is_alive()
            && let Ok(facts) = facts(account)
        {
            self.add(account.id(), reason, Some(facts));
        }
    }

    async fn by_phone(&mut self, msisdn: &Msisdn, kinds: &[AccountKind], reason: Likeness) {
        if !self.may_ask() {
            return;
        }
        let answer = owners(self.client, self.profile, msisdn).await;
        for owner in self.answered(answer) {
            if !self.may_ask() {
                return;
            }
            let answer = accounts_of(self.client, &owner, kinds).await;
            for (account, listed) in self.answered(answer) {
                if !is_alive(&listed) {
                    continue;
                }
                let currency = listed.currency.as_ref();
                let currency = currency.and_then(|c| Currency::from_code(&c.code).ok());
                let facts = currency.map(|currency| AccountFacts {
                    account,
                    account_no: listed.account_no.clone(),
                    currency,
                    holder: owner.name.clone(),
                });
                self.add(account, reason, facts);
            }
        }
    }

    /// Accounts with this number, also filled up with zeros as the core does.
    async fn by_number(&mut self, number: &str, kinds: &[AccountKind], reason: Likeness) {
        // Blank would find everything, and `%` and `_` are wildcards.
        if number.is_empty() || number.contains(['%', '_']) {
            return;
        }
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let filled_up = digits.then(|| format!("{number:0>DEFAULT_LENGTH$}"));
        let mut numbers = vec![number.to_owned()];
        numbers.extend(filled_up.filter(|filled_up| filled_up != number));
        for number in numbers {
            self.search(&number, kinds, |account_no| (account_no == number).then_some(reason))
                .await;
        }
    }

    /// Accounts whose number differs by one slip from what was typed, also once that is filled up.
    async fn by_near_number(&mut self, number: &str, kinds: &[AccountKind]) {
        let filled_up = format!("{number:0>DEFAULT_LENGTH$}");
        let near = |account_no: &str| {
            let slip = similar_accounts::distance(number, account_no)
                .or(similar_accounts::distance(&filled_up, account_no));
            slip.filter(|slip| *slip > 0).map(|_| Likeness::Similar)
        };
        // An account that was found before may be similar as well, which is one more reason for it.
        for found in self.found.values_mut() {
            let near = found.facts.as_ref().and_then(|facts| near(&facts.account_no));
            found.reasons.extend(near);
        }
        let mut numbers = vec![number];
        numbers.extend(Some(filled_up.as_str()).filter(|filled_up| *filled_up != number));
        let slips = numbers.iter().flat_map(|number| {
            similar_accounts::swapped(number)
                .into_iter()
                .chain(similar_accounts::one_digit_off(number))
        });
        for pattern in slips.collect::<Vec<_>>() {
            if self.found.len() >= suggestion::SUGGESTIONS_MAX {
                return;
            }
            self.search(&pattern, kinds, near).await;
        }
    }

    /// Searches for a number or a pattern of numbers, and keeps the accounts that have a reason.
    async fn search(
        &mut self,
        pattern: &str,
        kinds: &[AccountKind],
        reason: impl Fn(&str) -> Option<Likeness>,
    ) {
        if !self.may_ask() {
            return;
        }
        let answer = search_accounts(self.client, pattern, kinds).await;
        for (account, hit) in self.answered(answer) {
            if let Some(reason) = hit.entity_account_no.get().and_then(&reason) {
                self.add(account, reason, None);
            }
        }
    }

    /// The best, each read as far as it is not known yet.
    async fn finish(mut self) -> Suggestions {
        let mut suggestions = Vec::new();
        for account in std::mem::take(&mut self.order) {
            let Some(found) = self.found.remove(&account) else { continue };
            let known = match found.facts {
                Some(facts) => Some(facts),
                None if self.may_ask() => {
                    let answer = read(self.client, account).await;
                    let account = self.answered(answer).filter(Account::is_alive);
                    account.and_then(|account| facts(&account).ok())
                }
                None => None,
            };
            suggestions.extend(known.map(|account| Suggestion { account, reasons: found.reasons }));
        }
        Suggestions::best(suggestions, self.complete)
    }
}
