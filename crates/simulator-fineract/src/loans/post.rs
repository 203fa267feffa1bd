//! Repayments and credit balance refunds: the checks in the core's order, then the row
//! (`fineract.md` §10.3).

use jiff::civil::Date;
use kiungo_simulator::faults::Fault;

use super::{
    Duplicate, Kind, LoanTransaction, Portions, rule, unique_external_id, working_day, wrong_state,
};
use crate::bank::Bank;
use crate::body::{Body, Fields};
use crate::command_context::CommandContext;
use crate::decimal::Decimal;
use crate::json::Json;
use crate::payment::{self, Payment};
use crate::refusal::{Problem, Refusal};
use crate::result::CommandResult;

const MEMBERS: &[&str] =
    &["locale", "dateFormat", "transactionDate", "transactionAmount", "externalId", "note"];
const REPAYMENT: &[&str] = &["loanId", "numberOfRepayments"];

struct Posting<'a> {
    date: Date,
    amount: Decimal,
    payment: Option<Payment>,
    external_id: &'a str,
}

/// Books a repayment. More than is owed is taken and makes the loan overpaid.
pub(crate) fn repay(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    id: u64,
    body: &Body,
) -> Result<CommandResult, Refusal> {
    body.only(&[MEMBERS, payment::MEMBERS, REPAYMENT])?;
    let mut posting = read(body)?;
    bank.loan(id)?;
    posting.payment = Payment::resolve(posting.payment, context.options)?;
    let loan = bank.loan(id)?;
    bank.owner_active(loan.client_id)?;
    if !matches!(loan.status, 300 | 600 | 700) || context.suffers(Fault::AccountClosed) {
        let message = "Loan must be Active, Fully Paid or Overpaid";
        return Err(wrong_state("must.be.active.fully.paid.or.overpaid", message));
    }
    allowed_date(context, loan.disbursed_on, posting.date)?;
    let amount = posting.amount.minor(loan.currency).ok_or_else(Refusal::data_integrity)?;
    unique_external_id(bank, context, posting.external_id, Duplicate::Repayment)?;
    context.books_open(posting.date)?;
    context.commit(None)?;
    let (client_id, loan_external_id) = (loan.client_id, loan.external_id.clone());
    let result = book(bank, context, id, Kind::Repayment, amount, posting, body);
    Ok(CommandResult { client_id: Some(client_id), loan_id: Some(id), loan_external_id, ..result })
}

/// Pays an overpaid amount out. The answer names no loan.
pub(crate) fn refund(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    id: u64,
    body: &Body,
) -> Result<CommandResult, Refusal> {
    body.only(&[MEMBERS, payment::MEMBERS])?;
    let mut posting = read(body)?;
    if posting.external_id.chars().count() > 100 {
        let code = "validation.msg.loan.transaction.externalId.exceeds.max.length";
        let message = "The parameter `externalId` exceeds max length of 100.";
        return Err(Refusal::invalid(Problem::new(code, message).of("externalId").arg(100_i64)));
    }
    bank.loan(id)?;
    posting.payment = Payment::resolve(posting.payment, context.options)?;
    let loan = bank.loan(id)?;
    if posting.date > context.today {
        let code = "error.msg.transaction.date.cannot.be.in.the.future";
        let message = "Transaction date cannot be in the future.";
        return Err(Refusal::Rule(Problem::new(code, message).arg(posting.date.to_string())));
    }
    if loan.status != 700 || context.suffers(Fault::AccountClosed) {
        let message = "Loan Credit Balance Refund is not allowed. Loan Account is not Overpaid.";
        return Err(wrong_state("credit.balance.refund.account.is.not.overpaid", message));
    }
    if loan.by_date.last().is_some_and(|(last, _)| posting.date < *last) {
        return Err(rule(
            "refund.failed",
            "Refund is not allowed before the last repayment.",
            &[posting.date],
        ));
    }
    let amount =
        posting.amount.minor(loan.currency).filter(|amount| *amount <= loan.state.overpaid);
    let Some(amount) = amount else {
        let code = "error.msg.transactionAmount.invalid.must.be.>zero.and<=overpaidamount";
        let message = "Amount must be greater than zero and not more than the overpaid amount.";
        return Err(Refusal::invalid(Problem::new(code, message).of("transactionAmount")));
    };
    unique_external_id(bank, context, posting.external_id, Duplicate::Refund)?;
    context.books_open(posting.date)?;
    context.commit(None)?;
    let client_id = loan.client_id;
    let result = book(bank, context, id, Kind::CreditBalanceRefund, amount, posting, body);
    Ok(CommandResult { client_id: Some(client_id), ..result })
}

/// The date checks of every money-in row, which an undo has to pass too.
pub(super) fn allowed_date(
    context: &CommandContext<'_>,
    disbursed_on: Option<Date>,
    date: Date,
) -> Result<(), Refusal> {
    working_day(context, date, "repayment")?;
    if disbursed_on.is_some_and(|disbursed| date < disbursed) {
        let on = disbursed_on.unwrap_or(date);
        let message =
            format!("The transaction date cannot be before the loan disbursement date: {on}");
        return Err(rule("transaction.cannot.be.before.disbursement.date", &message, &[date, on]));
    }
    if date > context.today {
        let message = "The transaction date cannot be in the future.";
        return Err(rule("transaction.cannot.be.a.future.date", message, &[date]));
    }
    Ok(())
}

fn read(body: &Body) -> Result<Posting<'_>, Refusal> {
    let mut fields = Fields::of(body, "loan.transaction");
    let date = fields.date("transactionDate")?;
    let amount = fields.positive_amount("transactionAmount")?;
    fields.text("note", 1000);
    let payment = Payment::read(&mut fields)?;
    fields.finish()?;
    let (Some(date), Some(amount)) = (date, amount) else { return Err(Refusal::NoJson) };
    let external_id = body.text("externalId").unwrap_or("");
    Ok(Posting { date, amount, payment, external_id })
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
    let check_number = posting.payment.as_ref().map_or("", Payment::check_number);
    let reference = context.reference(posting.external_id, check_number);
    let details = (posting.payment, posting.external_id);
    let transaction = bank.add_loan_row(draft(context, id, kind, posting.date, amount, details));
    let operation = if kind == Kind::Repayment { "repay" } else { "refund" };
    bank.list_loan_movement(transaction, operation, reference);
    CommandResult {
        resource_id: Some(transaction),
        changes: Some(if kind == Kind::Repayment { changes(body) } else { refund_changes(body) }),
        resource_external_id: posting.external_id.to_owned(),
        ..CommandResult::default()
    }
}

/// The echo of a repayment: amount and dates as texts, whatever was sent.
pub(super) fn changes(body: &Body) -> Json {
    let head = texts(Json::object(), body, &MONEY);
    let head = head.with_some("paymentTypeId", payment::type_id(body));
    payment::details(texts(head, body, &["note", "externalId"]), body)
}

/// The echo of a refund, in another order, without the details.
fn refund_changes(body: &Body) -> Json {
    let head = texts(Json::object(), body, &MONEY);
    let head = texts(head, body, &["note", "externalId"]);
    head.with_some("paymentTypeId", payment::type_id(body))
}

const MONEY: [&str; 4] = ["transactionDate", "transactionAmount", "locale", "dateFormat"];

fn texts(json: Json, body: &Body, names: &[&'static str]) -> Json {
    names.iter().fold(json, |json, name| json.with_some(name, body.text(name)))
}

/// A row that is to be added.
pub(super) fn draft(
    context: &CommandContext<'_>,
    loan: u64,
    kind: Kind,
    date: Date,
    amount: i64,
    (payment, external_id): (Option<Payment>, &str),
) -> LoanTransaction {
    LoanTransaction {
        id: 0,
        loan,
        origin: 0,
        kind,
        date,
        submitted_on: context.today,
        amount,
        portions: Portions::default(),
        balance: 0,
        external_id: external_id.to_owned(),
        reversal_external_id: String::new(),
        manually_reversed: false,
        reversed_on: None,
        payment: payment.map(Box::new),
    }
}
