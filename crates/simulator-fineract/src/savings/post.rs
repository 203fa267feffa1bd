//! Deposits and withdrawals: the checks in the core's order, then the rows (`fineract.md` §9.2).

use jiff::civil::Date;
use kiungo_simulator::books::Movement;
use kiungo_simulator::faults::Fault;

use super::rows::draft;
use super::{Kind, Savings, insufficient_balance, state_problem};
use crate::bank::Bank;
use crate::body::{Body, Fields};
use crate::books::savings_party;
use crate::command_context::CommandContext;
use crate::decimal::Decimal;
use crate::json::Json;
use crate::options::Version;
use crate::payment::{self, Payment};
use crate::refusal::{Problem, Refusal};
use crate::result::CommandResult;

const MEMBERS: &[&str] = &[
    "locale",
    "dateFormat",
    "transactionDate",
    "transactionAmount",
    "note",
    "retailEntries",
    "childAccountId",
];

struct Posting<'a> {
    date: Date,
    amount: Decimal,
    payment: Option<Payment>,
    note: &'a str,
    external_id: &'a str,
}

/// Posts a deposit.
pub(crate) fn deposit(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    id: u64,
    body: &Body,
) -> Result<CommandResult, Refusal> {
    let mut posting = read(context, body)?;
    let savings = bank.savings_account(id)?;
    bank.owner_active(savings.client_id)?;
    posting.payment = Payment::resolve(posting.payment, context.options)?;
    not_blocked(savings, Kind::Deposit)?;
    takes_postings(context, savings, posting.date)?;
    let amount = minor(&posting.amount, savings)?;
    unique_external_id(bank, posting.external_id)?;
    context.books_open(posting.date)?;
    context.commit(None)?;
    Ok(book(bank, context, id, Kind::Deposit, amount, posting, body))
}

/// Posts a withdrawal, and its fee as a row of its own.
pub(crate) fn withdraw(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    id: u64,
    body: &Body,
) -> Result<CommandResult, Refusal> {
    let mut posting = read(context, body)?;
    posting.payment = Payment::resolve(posting.payment, context.options)?;
    let savings = bank.savings_account(id)?;
    bank.owner_active(savings.client_id)?;
    not_blocked(savings, Kind::Withdrawal)?;
    takes_postings(context, savings, posting.date)?;
    if savings.locked_in_until.is_some_and(|until| posting.date < until) {
        let rule = "withdrawals.blocked.during.lockin.period";
        let message = "Withdrawals are not allowed during the lock-in period.";
        return Err(state_problem(context, rule, message, &[posting.date]));
    }
    let amount = minor(&posting.amount, savings)?;
    let lowest = bank.lowest_balance_from(savings, posting.date);
    if lowest - amount - savings.withdrawal_fee < savings.floor() {
        return Err(insufficient_balance(savings.balance, amount, savings.currency));
    }
    unique_external_id(bank, posting.external_id)?;
    context.books_open(posting.date)?;
    context.commit(None)?;
    Ok(book(bank, context, id, Kind::Withdrawal, amount, posting, body))
}

fn read<'a>(context: &CommandContext<'_>, body: &'a Body) -> Result<Posting<'a>, Refusal> {
    let newest: &[&str] = if context.version() >= Version::V1_15 { &["externalId"] } else { &[] };
    body.only(&[MEMBERS, payment::MEMBERS, newest])?;
    let mut fields = Fields::of(body, "savingsaccount.transaction");
    let date = fields.date("transactionDate")?;
    let amount = fields.positive_amount("transactionAmount")?;
    let payment = Payment::read(&mut fields)?;
    if payment.is_none() {
        fields.blank("paymentTypeId");
    }
    let external_id = fields.text("externalId", 100).unwrap_or("");
    fields.finish()?;
    let (Some(date), Some(amount)) = (date, amount) else { return Err(Refusal::NoJson) };
    let note = body.text("note").unwrap_or("");
    Ok(Posting { date, amount, payment, note, external_id })
}

fn not_blocked(savings: &Savings, kind: Kind) -> Result<(), Refusal> {
    let (code, message) = match (savings.sub_status, kind) {
        (400, _) => (
            "error.msg.saving.account.blocked.transaction.not.allowed",
            "Any transaction to this account is not allowed, since the account is blocked",
        ),
        (500, Kind::Deposit) => (
            "error.msg.savings.account.credit.transaction.not.allowed",
            "Any credit transactions to this account is not allowed, since the account is blocked for credits",
        ),
        (600, Kind::Withdrawal) => (
            "error.msg.savings.account.debit.transaction.not.allowed",
            "Any debit transactions from this account is not allowed, since the account is blocked for debits",
        ),
        _ => return Ok(()),
    };
    Err(Refusal::Rule(Problem::new(code, message).arg(savings.id)))
}

fn takes_postings(
    context: &CommandContext<'_>,
    savings: &Savings,
    date: Date,
) -> Result<(), Refusal> {
    if !savings.is_active() || context.suffers(Fault::AccountClosed) {
        let message = "Transaction is not allowed. Account is not active.";
        return Err(state_problem(context, "account.is.not.active", message, &[date]));
    }
    if date > context.today {
        let message = "Transaction date cannot be in the future.";
        return Err(state_problem(context, "in.the.future", message, &[date]));
    }
    if date < savings.activated_on {
        let message = "Transaction date cannot be before accounts activation date.";
        let dates = [date, savings.activated_on];
        return Err(state_problem(context, "before.activation.date", message, &dates));
    }
    Ok(())
}

fn minor(amount: &Decimal, savings: &Savings) -> Result<i64, Refusal> {
    amount.minor(savings.currency).ok_or_else(Refusal::data_integrity)
}

fn unique_external_id(bank: &Bank, external_id: &str) -> Result<(), Refusal> {
    let taken = bank.names.savings_transaction_external_id.contains_key(external_id);
    if taken { Err(Refusal::data_integrity()) } else { Ok(()) }
}

fn book(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    id: u64,
    kind: Kind,
    amount: i64,
    posting: Posting<'_>,
    body: &Body,
) -> CommandResult {
    let (receipt_number, check_number) = posting
        .payment
        .as_ref()
        .map_or(("", ""), |payment| (payment.receipt_number(), payment.check_number()));
    let reference = context.reference(posting.external_id, check_number);
    let label = receipt_number.to_owned();
    let mut transaction = draft(context, id, kind, posting.date, amount);
    posting.note.clone_into(&mut transaction.note);
    posting.external_id.clone_into(&mut transaction.external_id);
    transaction.payment = posting.payment.map(Box::new);
    let row = bank.add_savings_row(transaction);
    if !posting.external_id.is_empty() {
        bank.names.savings_transaction_external_id.insert(posting.external_id.to_owned(), row);
    }
    let operation = if kind == Kind::Deposit { "deposit" } else { "withdraw" };
    let mut movement = bank.savings_movement(operation, id, row, amount, reference, label);
    if let Some(movement) = &mut movement {
        movement.value_date = posting.date.to_string();
    }
    let fee = movement.as_ref().filter(|_| kind == Kind::Withdrawal).cloned();
    bank.movements.extend(movement);
    if let Some(movement) = fee {
        charge_fee(bank, context, id, posting.date, movement);
    }
    let Ok(savings) = bank.savings_account_mut(id) else { return CommandResult::default() };
    if matches!(savings.sub_status, 100 | 200) {
        savings.sub_status = 0;
    }
    CommandResult {
        client_id: Some(savings.client_id),
        savings_id: Some(id),
        resource_id: Some(row),
        changes: Some(payment::changes(Json::object(), body)),
        ..CommandResult::default()
    }
}

/// The fee follows its withdrawal directly: undo relies on it.
fn charge_fee(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    id: u64,
    date: Date,
    withdrawal: Movement,
) {
    let fee = bank.savings_account(id).map_or(0, |savings| savings.withdrawal_fee);
    if fee == 0 {
        return;
    }
    let row = bank.add_savings_row(draft(context, id, Kind::WithdrawalFee, date, fee));
    bank.movements.push(Movement {
        receipt: row.to_string(),
        operation: "fee".to_owned(),
        amount_minor: fee,
        unasked: true,
        ..withdrawal
    });
}

impl Bank {
    fn savings_movement(
        &self,
        operation: &str,
        account: u64,
        row: u64,
        amount: i64,
        reference: String,
        label: String,
    ) -> Option<Movement> {
        let currency = self.savings_account(account).ok()?.currency;
        Some(Movement {
            receipt: row.to_string(),
            reference,
            operation: operation.to_owned(),
            party: savings_party(account),
            amount_minor: amount,
            currency: currency.code().to_owned(),
            label,
            ..Movement::default()
        })
    }
}
