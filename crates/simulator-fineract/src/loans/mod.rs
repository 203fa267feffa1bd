//! Loans: state, postings, undoing, reading (`fineract.md` §10).

pub(crate) mod adjust;
mod allocate;
pub(crate) mod disburse;
pub(crate) mod post;
pub(crate) mod records;
pub(crate) mod view;

use jiff::civil::Date;
use kiungo_simulator::books::Movement;

use super::bank::Bank;
use super::books::loan_party;
use super::by_id::{row, row_mut};
use super::command_context::CommandContext;
use super::options::{Database, DayOff};
use super::refusal::{Problem, Refusal};

pub(crate) use records::{Kind, Loan, LoanTransaction, Portions, State};

impl Bank {
    /// A loan that exists.
    pub(crate) fn loan(&self, id: u64) -> Result<&Loan, Refusal> {
        row(&self.loans, id).ok_or_else(|| no_loan(id))
    }

    /// A loan that exists, to be changed.
    pub(crate) fn loan_mut(&mut self, id: u64) -> Result<&mut Loan, Refusal> {
        row_mut(&mut self.loans, id).ok_or_else(|| no_loan(id))
    }

    /// A row of this loan.
    pub(crate) fn loan_row(&self, loan: u64, id: u64) -> Result<&LoanTransaction, Refusal> {
        row(&self.loan_transactions, id).filter(|row| row.loan == loan).ok_or_else(|| {
            let message = format!("Transaction with identifier {id} does not exist");
            let problem = Problem::new("error.msg.loan.transaction.id.invalid", message);
            Refusal::NotFound(problem.arg(id))
        })
    }

    /// Lists a movement of a loan in the books.
    fn list_loan_movement(&mut self, transaction: u64, operation: &str, reference: String) {
        let Some(row) = row(&self.loan_transactions, transaction) else { return };
        let Some(loan) = self.loans.get(usize::try_from(row.loan - 1).unwrap_or(usize::MAX)) else {
            return;
        };
        let undo = operation == "undo";
        let receipt = if undo { format!("{}-undo", row.id) } else { row.id.to_string() };
        let label = row.payment.as_ref().map_or("", |payment| payment.receipt_number());
        self.movements.push(Movement {
            receipt,
            reference,
            operation: operation.to_owned(),
            party: loan_party(row.loan),
            amount_minor: row.amount,
            currency: loan.currency.code().to_owned(),
            takes_back: if undo { row.origin.to_string() } else { String::new() },
            label: label.to_owned(),
            value_date: row.date.to_string(),
            ..Movement::default()
        });
    }
}

fn no_loan(id: u64) -> Refusal {
    let message = format!("Loan with identifier {id} does not exist");
    Refusal::NotFound(Problem::new("error.msg.loan.id.invalid", message).arg(id))
}

/// A 403 rule of loans; `error.msg.loan.` is put before the code.
fn rule(code: &str, message: &str, dates: &[Date]) -> Refusal {
    let problem = Problem::new(format!("error.msg.loan.{code}"), message);
    Refusal::Rule(dates.iter().map(ToString::to_string).fold(problem, Problem::arg))
}

/// A 400 of a loan in the wrong state.
fn wrong_state(code: &str, message: &str) -> Refusal {
    Refusal::invalid(Problem::new(format!("error.msg.loan.{code}"), message))
}

/// Refuses a day on which loans take no postings; `what` is `repayment` or `disbursement`.
fn working_day(context: &CommandContext<'_>, date: Date, what: &str) -> Result<(), Refusal> {
    let Some(day_off) = context.options.day_off(date) else { return Ok(()) };
    let on = match day_off {
        DayOff::Holiday => "holiday",
        DayOff::NonWorkingDay => "non.working.day",
    };
    let message = format!("The {what} date is a {on}.");
    Err(rule(&format!("application.{what}.date.on.{on}"), &message, &[date]))
}

/// The command that meets a duplicate external id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Duplicate {
    Repayment,
    Disbursement,
    Refund,
}

/// Refuses an external id that another row of the tenant has, in the words of the database
/// (`fineract.md` §5), and one that does not fit its column.
fn unique_external_id(
    bank: &Bank,
    context: &CommandContext<'_>,
    external_id: &str,
    duplicate: Duplicate,
) -> Result<(), Refusal> {
    let too_long = external_id.chars().count() > 100;
    let taken = bank.names.loan_transaction_external_id.contains_key(external_id);
    if !too_long && !taken {
        return Ok(());
    }
    let postgres = context.options.database == Database::Postgresql;
    if too_long && postgres {
        return Err(Refusal::data_integrity());
    }
    let (operation, name) = match duplicate {
        Duplicate::Repayment if postgres => {
            let code = "validation.msg.loan.transaction.externalId.value.must.be.unique";
            let message = "Failed data validation due to: value.must.be.unique.";
            let problem = Problem::new(code, message).of("externalId").null_arg();
            return Err(Refusal::invalid(problem.arg(Vec::new())));
        }
        Duplicate::Repayment => ("repayment", "Repayment"),
        Duplicate::Disbursement => ("disbursement", "Disbursement"),
        Duplicate::Refund => ("creditBalanceRefund", "CreditBalanceRefund"),
    };
    let code = format!("error.msg.loan.{operation}.duplicate.externalId");
    let message = format!("{name}: externalId `{external_id}` already exists");
    Err(Refusal::Integrity(Problem::new(code, message).of("externalId").arg(external_id)))
}
