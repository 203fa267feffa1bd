//! Rule 14, checked at every commit: the ledger says what the transfers say.

use kiungo_domain::transfer::{Decision, LedgerAccount, Status};
use kiungo_domain::{Currency, Money, ProviderId, Transfer};

use super::books::{Books, Record, account_held};
use crate::{StoreError, Summary, check};

impl Books {
    /// Checks what the books would say after `decision`, without touching them.
    pub(super) fn audit(&self, decision: &Decision) -> Result<(), StoreError> {
        self.audit_projection(decision)?;
        let after = &decision.transfer;
        let before = self.transfers.get(&after.id());
        let provider = &after.instruction().provider;
        let currency = after.amount().currency();
        let name = (provider.clone(), currency);

        let transit = self.in_transit.get(&name).copied().unwrap_or(0)
            - before.map_or(0, |record| i128::from(record.in_transit.minor()))
            + i128::from(after.in_transit().minor());
        let account = LedgerAccount::Transit(provider.clone());
        self.audit_account(decision, &account, currency, transit)?;

        let suspense = self.in_suspense.get(&name).copied().unwrap_or(0)
            - before.map_or(0, |record| i128::from(in_suspense(record).minor()))
            + i128::from(suspended(&Summary::of(after)).minor());
        let account = LedgerAccount::Suspense(provider.clone());
        self.audit_account(decision, &account, currency, suspense)?;
        self.audit_holders(decision)
    }

    /// Rule 11, by what the transfers themselves say.
    fn audit_holders(&self, decision: &Decision) -> Result<(), StoreError> {
        let id = decision.transfer.id();
        let Some(account) = account_held(&Summary::of(&decision.transfer)) else { return Ok(()) };
        let others = self.holding_accounts.iter().filter(|(_, other)| *other != id);
        let mut others = others.filter_map(|(_, other)| self.transfers.get(other));
        let same = others.find(|other| account_held(&other.summary).as_ref() == Some(&account));
        let Some(same) = same else { return Ok(()) };
        let (other, account) = (same.summary.id, account.1);
        Err(StoreError::Corrupt(format!("transfers {other} and {id} would both hold {account}")))
    }

    /// Both accounts are liabilities: debts stand on the credit side, below zero.
    fn audit_account(
        &self,
        decision: &Decision,
        account: &LedgerAccount,
        currency: Currency,
        owed: i128,
    ) -> Result<(), StoreError> {
        let known = self.ledger.get(&(account.to_string(), currency)).copied().unwrap_or(0);
        let posted = decision.postings.iter();
        let posted =
            posted.filter(|posting| posting.account == *account && posting.currency == currency);
        let balance =
            i128::from(known) + posted.map(|posting| i128::from(posting.minor)).sum::<i128>();
        if balance == -owed {
            return Ok(());
        }
        let id = decision.transfer.id();
        Err(StoreError::Corrupt(format!(
            "after transfer {id} {account} would hold {balance} {currency}, the transfers {owed}"
        )))
    }

    fn audit_projection(&self, decision: &Decision) -> Result<(), StoreError> {
        let id = decision.transfer.id();
        let known = self.transfers.get(&id).map(|record| record.journal.as_slice());
        let journal = known.unwrap_or_default().iter().chain(&decision.entries);
        let folded: Option<Transfer> = check::fold(id, journal)?;
        if folded.as_ref() == Some(&decision.transfer) {
            return Ok(());
        }
        let what = "its journal does not add up to what was decided";
        Err(StoreError::Corrupt(format!("transfer {id}: {what}")))
    }

    /// Counts the money of a transfer in (`sign` 1) or out (-1).
    pub(super) fn count_money(&mut self, record: &Record, sign: i128) {
        let summary = &record.summary;
        let name = |provider: &ProviderId| (provider.clone(), summary.amount.currency());
        let transit = i128::from(record.in_transit.minor());
        *self.in_transit.entry(name(&summary.provider)).or_default() += sign * transit;
        let suspense = i128::from(in_suspense(record).minor());
        *self.in_suspense.entry(name(&summary.provider)).or_default() += sign * suspense;
    }
}

fn in_suspense(record: &Record) -> Money {
    suspended(&record.summary)
}

/// The money of a suspended transfer; none for a merged one, which only shows the status of the
/// transfer that has its money.
fn suspended(summary: &Summary) -> Money {
    let suspended = summary.status == Status::Suspended && summary.merged_into.is_none();
    if suspended { summary.amount } else { Money::zero(summary.amount.currency()) }
}

#[cfg(test)]
mod tests {
    use kiungo_domain::transfer::{StepName, TransferUpdate};

    use super::*;
    use crate::Change;
    use crate::contract::fixtures::{at, clear_at, complete, instruction, policy, received, then};

    fn holding(books: &mut Books, n: u32) -> Change {
        let first = received(instruction(n), at(1));
        let begins = |update: &mut TransferUpdate| {
            clear_at(update, 5);
            complete(update, StepName::First, &format!("R{n}"));
            update.start(StepName::Second, &policy());
        };
        let change = then(&first.decision.transfer, at(2), begins);
        books.apply(first).unwrap();
        change
    }

    #[test]
    fn two_that_hold_one_account_are_found_although_nobody_refused() {
        let mut books = Books::default();
        let (one, two) = (holding(&mut books, 1), holding(&mut books, 2));
        books.audit(&one.decision).unwrap();
        books.apply(one).unwrap();
        assert!(books.refuse(&two).is_err());
        books.holders.clear();
        books.refuse(&two).unwrap();
        let found = books.audit(&two.decision);
        assert!(matches!(&found, Err(StoreError::Corrupt(why)) if why.contains("savings 5")));
    }
}
