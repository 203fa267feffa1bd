//! Holding an amount and releasing it (`fineract.md` §9.3). The ledger balance does not move, so
//! the books do not list it.

use super::rows::draft;
use super::{Kind, Savings};
use crate::bank::Bank;
use crate::body::{Body, Fields};
use crate::by_id::{row, row_mut};
use crate::command_context::CommandContext;
use crate::decimal::six;
use crate::json::Json;
use crate::refusal::{Problem, Refusal};
use crate::result::CommandResult;

const MEMBERS: &[&str] = &[
    "locale",
    "dateFormat",
    "transactionDate",
    "transactionAmount",
    "reasonForBlock",
    "lienAllowed",
];

/// Holds an amount. A future date is not refused, and neither is a blocked account.
pub(crate) fn hold(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    id: u64,
    body: &Body,
) -> Result<CommandResult, Refusal> {
    body.only(&[MEMBERS])?;
    let mut fields = Fields::of(body, "savingsaccount.transaction");
    let date = fields.date("transactionDate")?;
    let amount = fields.positive_amount("transactionAmount")?;
    let reason = fields.required_text("reasonForBlock", 100);
    fields.finish()?;
    let (Some(date), Some(amount), Some(reason)) = (date, amount, reason) else {
        return Err(Refusal::NoJson);
    };
    let savings = bank.savings_account(id)?;
    active(savings)?;
    if body.text("lienAllowed") == Some("true") {
        let rule = "lien.is.not.allowed.in.product.level";
        return Err(Refusal::invalid(refused(rule, rule)));
    }
    if savings.last_date().is_some_and(|last| date < last) {
        let rule = "date.validation.msg.date.can.not.be.before.last.transaction.date";
        let what = "validation.msg.date.can.not.be.before.last.transaction.date";
        return Err(Refusal::invalid(refused(rule, what)));
    }
    let amount = amount.minor(savings.currency).ok_or_else(Refusal::data_integrity)?;
    if amount > savings.available() {
        let ids = Json::List(vec![Json::from(savings.id)]);
        let rule = "insufficient.balance";
        return Err(Refusal::invalid(refused(rule, rule).null_arg().arg(ids)));
    }
    let client_id = savings.client_id;
    context.commit(None)?;
    bank.savings_account_mut(id)?.on_hold += amount;
    let mut transaction = draft(context, id, Kind::Hold, date, amount);
    reason.clone_into(&mut transaction.reason);
    let hold = bank.add_savings_row(transaction);
    Ok(result(id, client_id, hold))
}

/// Releases the whole amount of a hold. The row's type is not checked, as in the real thing.
pub(crate) fn release(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    id: u64,
    hold: u64,
) -> Result<CommandResult, Refusal> {
    let Some(original) = row(&bank.savings_transactions, hold) else {
        return Err(Refusal::Unmapped("Cannot invoke \"SavingsAccountTransaction.getAmount()\""));
    };
    let (amount, released) = (original.amount, original.release != 0);
    let savings = bank.savings_account(id)?;
    active(savings)?;
    if released {
        let rule = "amount.validation.msg.amount.is.not.on.hold";
        let problem = refused(rule, "validation.msg.amount.is.not.on.hold").of("amount");
        let why = Json::List(vec![Json::from("Transaction amount is not on hold")]);
        return Err(Refusal::invalid(problem.arg(six(amount, savings.currency)).arg(why)));
    }
    let client_id = savings.client_id;
    context.commit(None)?;
    bank.savings_account_mut(id)?.on_hold -= amount;
    let release = bank.add_savings_row(draft(context, id, Kind::Release, context.today, amount));
    if let Some(original) = row_mut(&mut bank.savings_transactions, hold) {
        original.release = release;
        original.reason.clear();
    }
    Ok(result(id, client_id, release))
}

fn active(savings: &Savings) -> Result<(), Refusal> {
    if savings.is_active() {
        return Ok(());
    }
    let rule = "not.in.active.state";
    Err(Refusal::invalid(refused(rule, rule).null_arg()))
}

/// The text of a rule that is checked behind the parameters names the rule again.
fn refused(rule: &str, what: &str) -> Problem {
    let code = format!("validation.msg.savingsaccount.{rule}");
    Problem::new(code, format!("Failed data validation due to: {what}.")).of_nothing()
}

fn result(id: u64, client_id: u64, row: u64) -> CommandResult {
    CommandResult {
        client_id: Some(client_id),
        savings_id: Some(id),
        resource_id: Some(row),
        ..CommandResult::default()
    }
}
