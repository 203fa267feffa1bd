//! Savings accounts: posting, holding, undoing, reading (`fineract.md` §9).

pub(crate) mod hold;
pub(crate) mod post;
pub(crate) mod records;
mod rows;
pub(crate) mod search;
pub(crate) mod undo;
pub(crate) mod view;

use jiff::civil::Date;
use kiungo_domain::Currency;

use super::bank::Bank;
use super::by_id::{row, row_mut};
use super::command_context::CommandContext;
use super::options::Version;
use super::refusal::{Problem, Refusal};

pub(crate) use records::{Kind, Savings, SavingsTransaction, Totals};

impl Bank {
    /// An account that exists.
    pub(crate) fn savings_account(&self, id: u64) -> Result<&Savings, Refusal> {
        row(&self.savings, id).ok_or_else(|| no_account(id))
    }

    /// An account that exists, to be changed.
    pub(crate) fn savings_account_mut(&mut self, id: u64) -> Result<&mut Savings, Refusal> {
        row_mut(&mut self.savings, id).ok_or_else(|| no_account(id))
    }

    /// A row of this account.
    pub(crate) fn savings_row(&self, account: u64, id: u64) -> Option<&SavingsTransaction> {
        row(&self.savings_transactions, id).filter(|row| row.account == account)
    }
}

fn no_account(id: u64) -> Refusal {
    let message = format!("Savings account with identifier {id} does not exist");
    Refusal::NotFound(Problem::new("error.msg.saving.account.id.invalid", message).arg(id))
}

/// The 404 of an unknown row on undo and reverse. The spelling is the core's.
fn no_transaction(account: u64, id: u64) -> Refusal {
    let message = format!(
        "Savings account with savings identifier {account} and trasaction identifier {id} does not exist"
    );
    let code = "error.msg.saving.account.trasaction.id.invalid";
    Refusal::NotFound(Problem::new(code, message).arg(account).arg(id))
}

/// A state error of an account: 400 with the date, and what it was compared with. 1.15 garbles the text and the parameter
/// (`fineract.md` §6).
fn state_problem(
    context: &CommandContext<'_>,
    rule: &str,
    message: &str,
    dates: &[Date],
) -> Refusal {
    let code = format!("error.msg.savingsaccount.transaction.{rule}");
    let texts = dates.iter().map(ToString::to_string);
    let problem = texts.clone().fold(Problem::new(code, message), Problem::arg);
    Refusal::invalid(if context.version() >= Version::V1_15 {
        problem.of(texts.take(1).collect::<String>()).for_users("transactionDate")
    } else {
        problem.of("transactionDate")
    })
}

fn insufficient_balance(balance: i64, amount: i64, currency: Currency) -> Refusal {
    let code = "error.msg.savingsaccount.transaction.insufficient.account.balance";
    let problem = Problem::new(code, "Insufficient account balance.")
        .arg("transactionAmount")
        // What would be left.
        .arg(super::decimal::scaled(balance - amount, currency))
        .null_arg()
        .arg(super::decimal::scaled(amount, currency));
    Refusal::Rule(problem)
}
