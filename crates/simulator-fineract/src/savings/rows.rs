//! Adding rows to an account's history and taking them back, running balances kept right.

use jiff::civil::Date;

use super::{Kind, Savings, SavingsTransaction};
use crate::bank::Bank;
use crate::by_id::{next_id, row, row_mut};
use crate::command_context::CommandContext;

/// A row that is to be added.
pub(super) fn draft(
    context: &CommandContext<'_>,
    account: u64,
    kind: Kind,
    date: Date,
    amount: i64,
) -> SavingsTransaction {
    SavingsTransaction {
        id: 0,
        account,
        kind,
        date,
        submitted_on: context.today,
        amount,
        running_balance: 0,
        reversed: false,
        is_reversal: false,
        original: 0,
        release: 0,
        payment: None,
        note: String::new(),
        reason: String::new(),
        external_id: String::new(),
        submitted_by: context.user.to_owned(),
    }
}

impl Bank {
    /// Adds a row and gives its id.
    pub(crate) fn add_savings_row(&mut self, mut transaction: SavingsTransaction) -> u64 {
        let id = next_id(&self.savings_transactions);
        let (account, date) = (transaction.account, transaction.date);
        let counts = !transaction.is_reversal;
        let effect = if counts { transaction.kind.effect(transaction.amount) } else { 0 };
        let (kind, amount) = (transaction.kind, transaction.amount);
        transaction.id = id;
        let Some(savings) = row_mut(&mut self.savings, account) else { return id };
        let is_last = savings.last_date().is_none_or(|last| last <= date);
        savings.balance += effect;
        if counts {
            savings.count(kind, amount);
        }
        savings.by_date.insert((date, id));
        transaction.running_balance = match kind {
            Kind::Hold | Kind::Release => savings.available(),
            _ => savings.balance,
        };
        self.savings_transactions.push(transaction);
        if !is_last {
            self.recompute_running_balances(account, (date, id));
        }
        id
    }

    /// Flags a row as reversed and takes its effect back.
    pub(crate) fn reverse_savings_row(&mut self, id: u64) {
        let Some(transaction) = row_mut(&mut self.savings_transactions, id) else { return };
        if transaction.reversed {
            return;
        }
        transaction.reversed = true;
        let (account, date) = (transaction.account, transaction.date);
        let (kind, amount) = (transaction.kind, transaction.amount);
        if let Some(savings) = row_mut(&mut self.savings, account) {
            savings.balance -= kind.effect(amount);
            savings.count(kind, -amount);
        }
        self.recompute_running_balances(account, (date, id));
    }

    /// The lowest running balance from this date on, the one that holds at its start included: an
    /// amount taken at this date lowers all of them.
    pub(crate) fn lowest_balance_from(&self, savings: &Savings, date: Date) -> i64 {
        let mut running = savings.balance;
        let mut lowest = running;
        for (row_date, id) in savings.by_date.iter().rev() {
            if *row_date <= date {
                break;
            }
            running -= self.live_effect(*id);
            lowest = lowest.min(running);
        }
        lowest
    }

    /// The lowest running balance from this row on, the row included.
    pub(crate) fn lowest_balance_since(&self, savings: &Savings, from: (Date, u64)) -> i64 {
        let mut running = savings.balance;
        let mut lowest = running;
        for (_, id) in savings
            .by_date
            .range((std::ops::Bound::Excluded(from), std::ops::Bound::Unbounded))
            .rev()
        {
            running -= self.live_effect(*id);
            lowest = lowest.min(running);
        }
        lowest
    }

    fn live_effect(&self, id: u64) -> i64 {
        let live =
            row(&self.savings_transactions, id).filter(|row| !row.reversed && !row.is_reversal);
        live.map_or(0, |row| row.kind.effect(row.amount))
    }

    /// Walks back from the end, where the balance is known, to `from`.
    fn recompute_running_balances(&mut self, account: u64, from: (Date, u64)) {
        let Some(savings) = row(&self.savings, account) else { return };
        let mut running = savings.balance;
        for (_, id) in savings.by_date.range(from..).rev() {
            let Some(transaction) = row_mut(&mut self.savings_transactions, *id) else { continue };
            if transaction.reversed || transaction.is_reversal {
                continue;
            }
            if matches!(transaction.kind, Kind::Hold | Kind::Release) {
                continue;
            }
            transaction.running_balance = running;
            running -= transaction.kind.effect(transaction.amount);
        }
    }
}

impl Savings {
    fn count(&mut self, kind: Kind, amount: i64) {
        match kind {
            Kind::Deposit => self.totals.deposits += amount,
            Kind::Withdrawal => self.totals.withdrawals += amount,
            Kind::WithdrawalFee => self.totals.fees += amount,
            Kind::Hold | Kind::Release => {}
        }
    }
}
