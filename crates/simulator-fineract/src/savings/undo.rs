//! Undoing and reversing rows (`fineract.md` §9.3).

use kiungo_simulator::books::Movement;
use kiungo_simulator::faults::Fault;

use super::rows::draft;
use super::{Kind, insufficient_balance, no_transaction};
use crate::bank::Bank;
use crate::books::savings_party;
use crate::by_id::row;
use crate::command_context::CommandContext;
use crate::refusal::{Problem, Refusal};
use crate::result::CommandResult;

/// Flags a row as reversed. Doing it again answers 200 again and changes nothing.
pub(crate) fn undo(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    id: u64,
    transaction: u64,
) -> Result<CommandResult, Refusal> {
    let savings = bank.savings_account(id)?;
    let found = bank.savings_row(id, transaction).ok_or_else(|| no_transaction(id, transaction))?;
    let (kind, date, amount, reversed) = (found.kind, found.date, found.amount, found.reversed);
    active(savings.is_active())?;
    bank.owner_active(savings.client_id)?;
    let lowest = bank.lowest_balance_since(savings, (date, transaction));
    let spent = kind == Kind::Deposit && !reversed && lowest - amount < savings.floor();
    if spent && savings.overdraft_limit.is_some() {
        return Err(insufficient_balance(savings.balance, amount, savings.currency));
    }
    if spent || (context.suffers(Fault::UndoRefused) && !reversed) {
        let rule = "results.in.balance.going.negative";
        return Err(refused(rule, "Undo of transaction results in balance going negative."));
    }
    let client_id = savings.client_id;
    context.books_open(date)?;
    context.commit(Some(id))?;
    if !reversed {
        undo_row(bank, context, id, transaction, format!("{transaction}-undo"));
        if let Some(fee) = fee_of(bank, id, transaction) {
            undo_row(bank, context, id, fee, format!("{fee}-undo"));
        }
    }
    Ok(CommandResult {
        client_id: Some(client_id),
        savings_id: Some(id),
        resource_id: Some(id),
        ..CommandResult::default()
    })
}

/// Books a counter row and flags the original. A second time the original is not found.
pub(crate) fn reverse(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    id: u64,
    transaction: u64,
) -> Result<CommandResult, Refusal> {
    let savings = bank.savings_account(id)?;
    let found = bank
        .savings_row(id, transaction)
        .filter(|row| !row.reversed && !row.is_reversal)
        .ok_or_else(|| no_transaction(id, transaction))?;
    let (kind, date, amount) = (found.kind, found.date, found.amount);
    active(savings.is_active())?;
    bank.owner_active(savings.client_id)?;
    let lowest = bank.lowest_balance_since(savings, (date, transaction));
    let spent = kind == Kind::Deposit && lowest - amount < savings.floor();
    if spent || context.suffers(Fault::UndoRefused) {
        return Err(insufficient_balance(savings.balance, amount, savings.currency));
    }
    let client_id = savings.client_id;
    context.books_open(date)?;
    context.commit(Some(id))?;
    let mut counter = draft(context, id, kind, date, amount);
    counter.is_reversal = true;
    counter.original = transaction;
    let counter = bank.add_savings_row(counter);
    undo_row(bank, context, id, transaction, counter.to_string());
    Ok(CommandResult {
        client_id: Some(client_id),
        savings_id: Some(id),
        resource_id: Some(counter),
        ..CommandResult::default()
    })
}

/// The fee of a withdrawal is the row right after it.
fn fee_of(bank: &Bank, id: u64, transaction: u64) -> Option<u64> {
    let withdrawal = bank.savings_row(id, transaction)?;
    let fee = bank.savings_row(id, transaction + 1)?;
    let belongs = withdrawal.kind == Kind::Withdrawal && fee.kind == Kind::WithdrawalFee;
    (belongs && !fee.reversed).then_some(fee.id)
}

fn undo_row(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    id: u64,
    transaction: u64,
    receipt: String,
) {
    bank.reverse_savings_row(transaction);
    let Some(reversed) = row(&bank.savings_transactions, transaction) else { return };
    if reversed.kind.effect(1) == 0 {
        return;
    }
    let Some(savings) = row(&bank.savings, id) else { return };
    let payment = reversed.payment.as_deref();
    let label = payment.map_or("", |payment| payment.receipt_number()).to_owned();
    bank.movements.push(Movement {
        receipt,
        reference: context.reference("", ""),
        operation: "undo".to_owned(),
        party: savings_party(id),
        amount_minor: reversed.amount,
        currency: savings.currency.code().to_owned(),
        takes_back: transaction.to_string(),
        label,
        value_date: reversed.date.to_string(),
        ..Movement::default()
    });
}

fn active(active: bool) -> Result<(), Refusal> {
    if active { Ok(()) } else { Err(refused("account.is.not.active", "Account is not active.")) }
}

fn refused(rule: &str, message: &str) -> Refusal {
    let code = format!("validation.msg.savingsaccount.undotransaction.{rule}");
    Refusal::invalid(Problem::new(code, message).null_arg())
}
