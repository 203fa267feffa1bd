//! Adjusting a row: amount 0 undoes it, more books a replacement (`fineract.md` §10.4).

use kiungo_simulator::faults::Fault;

use super::post::{allowed_date, changes, draft};
use super::{Kind, rule};
use crate::bank::Bank;
use crate::body::{Body, Fields};
use crate::by_id::row_mut;
use crate::command_context::CommandContext;
use crate::options::Version;
use crate::payment::{self, Payment};
use crate::refusal::{Problem, Refusal};
use crate::result::CommandResult;

const MEMBERS: &[&str] = &[
    "locale",
    "dateFormat",
    "transactionDate",
    "transactionAmount",
    "externalId",
    "reversalExternalId",
    "note",
];

/// Adjusts a row. The date sent is checked even if the amount is 0; that the row is reversed already
/// only from 1.9 on.
pub(crate) fn adjust(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    id: u64,
    transaction: u64,
    body: &Body,
) -> Result<CommandResult, Refusal> {
    body.only(&[MEMBERS, payment::MEMBERS])?;
    let mut fields = Fields::of(body, "loan.transaction");
    let date = fields.date("transactionDate")?;
    let amount = fields.amount_from_zero("transactionAmount")?;
    fields.text("note", 1000);
    let payment = Payment::read(&mut fields)?;
    fields.finish()?;
    let (Some(date), Some(amount)) = (date, amount) else { return Err(Refusal::NoJson) };
    let loan = bank.loan(id)?;
    let row = bank.loan_row(id, transaction)?;
    let payment = Payment::resolve(payment, context.options)?;
    bank.owner_active(loan.client_id)?;
    let minds_reversal = context.version() >= Version::V1_10;
    if row.kind == Kind::Disbursement || (minds_reversal && !row.is_live()) {
        let code = "transaction.adjustment.is.only.allowed.to.repayment.or.waiver.or.creditbalancerefund.transactions";
        let which = if minds_reversal { "(non-reversed) " } else { "" };
        let message = format!(
            "Only {which}transactions of type repayment, waiver or credit balance refund can be adjusted."
        );
        return Err(rule(code, &message, &[]));
    }
    if context.suffers(Fault::UndoRefused) && row.is_live() {
        let code = "error.msg.loan.transaction.update.not.allowed";
        let message = format!(
            "Loan transaction: {transaction} update not allowed as loan transaction is linked to other transactions"
        );
        return Err(Refusal::Unavailable(Problem::new(code, message).arg(transaction)));
    }
    allowed_date(context, loan.disbursed_on, date)?;
    let amount = amount.minor(loan.currency).ok_or_else(Refusal::data_integrity)?;
    let reversal_external_id = body.text("reversalExternalId").unwrap_or("");
    let external_id = body.text("externalId").unwrap_or("");
    let names = &bank.names;
    if names.loan_reversal_external_id.contains_key(reversal_external_id)
        || names.loan_transaction_external_id.contains_key(external_id)
    {
        return Err(Refusal::data_integrity());
    }
    context.books_open(date)?;
    context.commit(Some(transaction))?;
    let (client_id, loan_external_id) = (loan.client_id, loan.external_id.clone());
    let (kind, row_external_id) = (row.kind, row.external_id.clone());
    undo_row(bank, context, transaction, reversal_external_id);
    let mut result = CommandResult {
        client_id: Some(client_id),
        loan_id: Some(id),
        resource_id: Some(transaction),
        changes: Some(changes(body)),
        resource_external_id: row_external_id,
        loan_external_id,
        ..CommandResult::default()
    };
    if amount > 0 {
        let check_number = payment.as_ref().map_or("", Payment::check_number);
        let reference = context.reference(external_id, check_number);
        let details = (payment, external_id);
        let replacement = bank.add_loan_row(draft(context, id, kind, date, amount, details));
        let operation = if kind == Kind::Repayment { "repay" } else { "refund" };
        bank.list_loan_movement(replacement, operation, reference);
        result.resource_id = Some(replacement);
        external_id.clone_into(&mut result.resource_external_id);
    }
    Ok(result)
}

fn undo_row(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    transaction: u64,
    reversal_external_id: &str,
) {
    let Some(row) = row_mut(&mut bank.loan_transactions, transaction) else { return };
    if !row.is_live() {
        return;
    }
    reversal_external_id.clone_into(&mut row.reversal_external_id);
    if !reversal_external_id.is_empty() {
        bank.names.loan_reversal_external_id.insert(reversal_external_id.to_owned(), transaction);
    }
    bank.reverse_loan_row(transaction, context.today);
    bank.list_loan_movement(transaction, "undo", context.reference(reversal_external_id, ""));
}
