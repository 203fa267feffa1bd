//! `GET /search`: from what a payer typed to an entity (`fineract.md` §8.1).

use std::collections::{BTreeMap, BTreeSet};

use super::clients;
use crate::bank::{Bank, Client};
use crate::by_id::row;
use crate::json::{Json, coded};
use crate::loans::view as loan_view;
use crate::options::Version;
use crate::query::Query;
use crate::result::{OFFICE_ID, OFFICE_NAME};
use crate::savings::view as savings_view;

/// At most this many rows are shown.
const ROW_COUNT_MAX: usize = 50;

/// The hits, clients first.
pub(crate) fn search(bank: &Bank, query: &Query, version: Version) -> Json {
    let pattern = Pattern {
        text: query.get("query").unwrap_or(""),
        exact: query.get("exactMatch") == Some("true"),
    };
    let resources = query.get("resource").unwrap_or("clients,loans,savings");
    let wanted = |name: &str| resources.split(',').any(|item| item.trim() == name);
    let names = &bank.names;
    let mut hits = Vec::new();
    if wanted("clients") {
        let lists = [&names.client_account_no, &names.client_external_id, &names.client_mobile_no];
        let mut found = pattern.find(&lists);
        found.extend(pattern.clients_by_name(bank));
        hits.extend(found.iter().filter_map(|id| row(&bank.clients, *id)).map(client));
    }
    if wanted("loans") {
        let found = pattern.find(&[&names.loan_account_no, &names.loan_external_id]);
        let found = found.iter().filter_map(|id| row(&bank.loans, *id));
        hits.extend(found.map(|loan| {
            let subject = (loan.id, loan.account_no.as_str(), loan.external_id.as_str());
            account("LOAN", "Weekly", subject, row(&bank.clients, loan.client_id))
                .with("entityStatus", loan_view::plain_status(loan.status))
                .with("parentType", "client")
                .with("subEntityType", "depositAccountType.invalid")
        }));
    }
    if wanted("savings") {
        let found = pattern.find(&[&names.savings_account_no, &names.savings_external_id]);
        let found = found.iter().filter_map(|id| row(&bank.savings, *id));
        hits.extend(found.map(|savings| {
            // Only from 1.15 on is the status more than a placeholder.
            let status = if version >= Version::V1_15 {
                savings_view::status(savings.status)
            } else {
                coded(0, "", "")
            };
            let subject = (savings.id, savings.account_no.as_str(), savings.external_id.as_str());
            account("SAVING", "Wallet", subject, row(&bank.clients, savings.client_id))
                .with("entityStatus", status)
                .with("parentType", "client")
                .with("subEntityType", "depositAccountType.savingsDeposit")
        }));
    }
    hits.truncate(ROW_COUNT_MAX);
    Json::List(hits)
}

fn client(client: &Client) -> Json {
    Json::object()
        .with("entityId", client.id)
        .with("entityAccountNo", client.account_no.as_str())
        .with_text("entityExternalId", &client.external_id)
        .with("entityName", client.name.as_str())
        .with("entityType", "CLIENT")
        .with("parentId", OFFICE_ID)
        .with("parentName", OFFICE_NAME)
        .with_text("entityMobileNo", &client.mobile_no)
        .with("entityStatus", clients::status(client.active))
        .with("subEntityType", "depositAccountType.invalid")
}

fn account(
    kind: &str,
    product: &str,
    (id, account_no, external_id): (u64, &str, &str),
    owner: Option<&Client>,
) -> Json {
    Json::object()
        .with("entityId", id)
        .with("entityAccountNo", account_no)
        .with_text("entityExternalId", external_id)
        .with("entityName", product)
        .with("entityType", kind)
        .with_some("parentId", owner.map(|owner| owner.id))
        .with_some("parentName", owner.map(|owner| owner.name.as_str()))
}

/// The pattern that is looked for. Even an exact match is SQL's LIKE: `%` and `_` are wildcards.
struct Pattern<'a> {
    text: &'a str,
    exact: bool,
}

impl Pattern<'_> {
    /// The ids that the lists give, in order; directly where that is enough.
    fn find(&self, lists: &[&BTreeMap<String, u64>]) -> BTreeSet<u64> {
        let plain = self.exact && !self.text.contains(['%', '_']);
        let mut found = BTreeSet::new();
        for list in lists {
            if plain {
                found.extend(list.get(self.text));
            } else {
                let hits = list.iter().filter(|(name, _)| self.matches(name));
                found.extend(hits.map(|(_, id)| *id).take(ROW_COUNT_MAX));
            }
        }
        found
    }

    fn clients_by_name(&self, bank: &Bank) -> Vec<u64> {
        // A text without a letter names nobody.
        if !self.text.chars().any(char::is_alphabetic) {
            return Vec::new();
        }
        let fits = |client: &&Client| self.matches(&client.name);
        bank.clients.iter().filter(fits).map(|client| client.id).take(ROW_COUNT_MAX).collect()
    }

    fn matches(&self, name: &str) -> bool {
        if self.exact {
            return like(self.text.as_bytes(), name.as_bytes());
        }
        let pattern = format!("%{}%", self.text);
        like(pattern.as_bytes(), name.as_bytes())
    }
}

/// SQL's LIKE. Remembers only the last `%`, which is enough and never slow.
fn like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'%') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(symbol) if *symbol == b'_' || text.get(t) == Some(symbol) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((after, from)) = retry else { return false };
                retry = Some((after, from + 1));
                p = after;
                t = from + 1;
            }
        }
    }
    pattern.get(p..).is_none_or(|rest| rest.iter().all(|symbol| *symbol == b'%'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_knows_its_wildcards() {
        for (pattern, text, expected) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("a%", "abcd", true),
            ("%cd", "abcd", true),
            ("a_c", "abc", true),
            ("a_c", "ac", false),
            ("%b%d%", "abcde", true),
            ("%", "", true),
            ("", "", true),
            ("_", "", false),
        ] {
            assert_eq!(like(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}
