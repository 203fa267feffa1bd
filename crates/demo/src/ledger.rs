//! Kiungo's own ledger, read from its database after it has stopped, and compared with the
//! counterparties' books (rule 14).

use std::collections::BTreeMap;

use kiungo_domain::ProviderId;
use kiungo_domain::transfer::LedgerAccount;
use kiungo_simulator::books::Books;
use kiungo_store::{Reports, StoreError, TransferQuery, TransferStore};
use kiungo_store_sql::Address;

use super::drain::OPEN;

/// The number of transfers that are read at a time.
const PAGE: u32 = 500;

/// The faults of the ledger in this database; nothing if all is well.
pub(super) async fn complaints(
    database: &Address,
    providers: &BTreeMap<String, Books>,
    core: &Books,
) -> anyhow::Result<Vec<String>> {
    let database = database.open().await?;
    let store = database.store();
    let read = Ledger::read(&*store, &*store).await;
    database.close().await;
    Ok(read?.complaints(providers, core))
}

/// Balances in minor units by account.
#[derive(Debug, Default)]
struct Ledger {
    balances: BTreeMap<String, i64>,
    /// The money of the open transfers in each account.
    open: BTreeMap<String, i64>,
}

impl Ledger {
    async fn read(
        reports: &dyn Reports,
        transfers: &dyn TransferStore,
    ) -> Result<Self, StoreError> {
        let mut ledger = Self::default();
        for balance in reports.ledger().await? {
            *ledger.balances.entry(balance.account).or_default() += balance.minor;
        }
        let mut query =
            TransferQuery { statuses: OPEN.to_vec(), limit: PAGE, ..TransferQuery::default() };
        loop {
            let page = reports.search(&query).await?;
            for row in &page.rows {
                for posting in transfers.postings(row.id).await? {
                    *ledger.open.entry(posting.account.to_string()).or_default() += posting.minor;
                }
            }
            query.cursor = page.next;
            if query.cursor.is_none() {
                return Ok(ledger);
            }
        }
    }

    fn complaints(&self, providers: &BTreeMap<String, Books>, core: &Books) -> Vec<String> {
        let mut complaints = Vec::new();
        let sum: i64 = self.balances.values().sum();
        if sum != 0 {
            complaints.push(format!("the ledger is off by {sum}"));
        }
        let settled = self.open.is_empty();
        for (name, books) in providers {
            let Ok(provider) = ProviderId::new(name) else { continue };
            let transit = LedgerAccount::Transit(provider.clone()).to_string();
            let (has, open) = (of(&self.balances, &transit), of(&self.open, &transit));
            if has != open {
                complaints.push(format!("{transit} holds {has}, its open transfers {open}"));
            }
            let float = LedgerAccount::Float(provider).to_string();
            let moved = of(&books.balances, "float") - of(&books.opening, "float");
            let has = of(&self.balances, &float);
            if settled && has != moved {
                complaints.push(format!("{float} holds {has}, the provider's books say {moved}"));
            }
        }
        let booked: i64 = self
            .balances
            .iter()
            .filter(|(account, _)| account.starts_with("core:"))
            .map(|(_, minor)| minor)
            .sum();
        let moved = moved_in_core(core);
        if settled && booked != moved {
            complaints.push(format!("core clearing holds {booked}, the core's books say {moved}"));
        }
        complaints
    }
}

fn of(balances: &BTreeMap<String, i64>, account: &str) -> i64 {
    balances.get(account).copied().unwrap_or(0)
}

/// The money that left the core less the money that came in: the opposite of what its savings
/// accounts gained, and what its loans gained.
fn moved_in_core(core: &Books) -> i64 {
    let gained = |(party, minor): (&String, &i64)| {
        let gained = minor - of(&core.opening, party);
        if party.starts_with("savings:") { -gained } else { gained }
    };
    core.balances.iter().map(gained).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, i64)]) -> BTreeMap<String, i64> {
        entries.iter().map(|(name, minor)| ((*name).to_owned(), *minor)).collect()
    }

    fn check(balances: &[(&str, i64)], float: i64, savings: i64) -> usize {
        let ledger = Ledger { balances: map(balances), open: BTreeMap::new() };
        let provider = Books {
            opening: map(&[("float", 1_000)]),
            balances: map(&[("float", float)]),
            movements: Vec::new(),
        };
        let core = Books {
            opening: map(&[("savings:1", 50)]),
            balances: map(&[("savings:1", savings)]),
            movements: Vec::new(),
        };
        ledger.complaints(&BTreeMap::from([("p".to_owned(), provider)]), &core).len()
    }

    #[test]
    fn a_ledger_that_agrees_with_the_books_is_right_and_any_other_wrong() {
        let right = [("float:p", 500), ("core:main", -500), ("transit:p", 0)];
        assert_eq!(check(&right, 1_500, 550), 0);
        assert_eq!(check(&right, 1_400, 550), 1, "the provider's float");
        assert_eq!(check(&right, 1_500, 500), 1, "the core's account");
        let in_transit = [("float:p", 500), ("core:main", -400), ("transit:p", -100)];
        assert_eq!(check(&in_transit, 1_500, 450), 1, "money in transit of no open transfer");
        let unbalanced = [("float:p", 500), ("core:main", -400)];
        assert_eq!(check(&unbalanced, 1_500, 450), 1, "the sum");
    }
}
