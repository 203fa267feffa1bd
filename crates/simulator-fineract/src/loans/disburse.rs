//! Approving a loan, paying it out, and taking the payment back (`fineract.md` §10.2).

use jiff::civil::Date;
use kiungo_simulator::faults::Fault;

use super::post::draft;
use super::{Duplicate, Kind, State, rule, unique_external_id, view, working_day, wrong_state};
use crate::bank::Bank;
use crate::body::{Body, Fields};
use crate::calendar;
use crate::command_context::CommandContext;
use crate::decimal::{scaled, six};
use crate::json::{Json, Serializer};
use crate::payment::{self, Payment};
use crate::refusal::{Problem, Refusal};
use crate::result::CommandResult;

const APPROVE: &[&str] = &[
    "locale",
    "dateFormat",
    "approvedOnDate",
    "approvedLoanAmount",
    "netDisbursalAmount",
    "expectedDisbursementDate",
    "disbursementData",
    "note",
];
const DISBURSE: &[&str] = &[
    "locale",
    "dateFormat",
    "actualDisbursementDate",
    "transactionAmount",
    "netDisbursalAmount",
    "fixedEmiAmount",
    "adjustRepaymentDate",
    "externalId",
    "note",
    "postDatedChecks",
];

/// Approves a pending loan.
pub(crate) fn approve(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    id: u64,
    body: &Body,
) -> Result<CommandResult, Refusal> {
    body.only(&[APPROVE])?;
    let mut fields = Fields::of(body, "loanapplication");
    let date = fields.date("approvedOnDate")?;
    let amount = fields.amount("approvedLoanAmount")?;
    fields.finish()?;
    let Some(date) = date else { return Err(Refusal::NoJson) };
    let loan = bank.loan(id)?;
    bank.owner_active(loan.client_id)?;
    if loan.status != 100 {
        let message = "Loan Account Approval is not allowed. Loan Account is not in submitted and pending approval state.";
        return Err(wrong_state("approve.account.is.not.submitted.and.pending.state", message));
    }
    if date < loan.submitted_on {
        let message = "The date on which a loan is approved cannot be before its submittal date.";
        return Err(rule("approval.cannot.be.before.submittal.date", message, &[date]));
    }
    if date > context.today {
        let message = "The date on which a loan is approved cannot be in the future.";
        return Err(rule("approval.cannot.be.a.future.date", message, &[date]));
    }
    let amount = amount.map_or(Some(loan.approved), |amount| amount.minor(loan.currency));
    let amount = amount.filter(|amount| *amount <= loan.approved).ok_or_else(|| {
        let message = "Loan approved amount can't be greater than loan amount demanded";
        rule("approval.amount.can't.be.greater.than.loan.amount.demanded", message, &[])
    })?;
    context.commit(Some(id))?;
    let loan = bank.loan_mut(id)?;
    loan.status = 200;
    loan.approved_on = Some(date);
    loan.approved = amount;
    let changes = Json::object().with("status", view::status(200));
    let changes = match body.text("approvedLoanAmount") {
        Some(text) => {
            let sent = Json::Decimal(text.to_owned());
            let net = six(amount - loan.kept_back, loan.currency);
            changes
                .with("approvedLoanAmount", sent.clone())
                .with("principal", sent)
                .with("netDisbursalAmount", net)
        }
        None => changes,
    };
    let changes = dated(changes, body, "approvedOnDate");
    let expected = body.text("expectedDisbursementDate").zip(body.text("dateFormat"));
    let expected = expected.and_then(|(text, pattern)| calendar::parse(text, pattern));
    let changes = changes
        .with_some("expectedDisbursementDate", expected.map(|date| Serializer::Gson.date(date)));
    Ok(CommandResult {
        client_id: Some(loan.client_id),
        loan_id: Some(id),
        resource_id: Some(id),
        changes: Some(changes),
        resource_external_id: loan.external_id.clone(),
        ..CommandResult::default()
    })
}

/// Pays an approved loan out.
pub(crate) fn disburse(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    id: u64,
    body: &Body,
) -> Result<CommandResult, Refusal> {
    body.only(&[DISBURSE, payment::MEMBERS])?;
    let mut fields = Fields::of(body, "loan.disbursement");
    let date = fields.date("actualDisbursementDate")?;
    let amount = fields.amount("transactionAmount")?;
    let payment = Payment::read(&mut fields)?;
    fields.text("note", 1000);
    fields.finish()?;
    let Some(date) = date else { return Err(Refusal::NoJson) };
    let external_id = body.text("externalId").unwrap_or("");
    bank.loan(id)?;
    let payment = Payment::resolve(payment, context.options)?;
    let loan = bank.loan(id)?;
    bank.owner_active(loan.client_id)?;
    may_disburse(context, loan, date)?;
    let amount = amount.map_or(Some(loan.approved), |amount| amount.minor(loan.currency));
    let amount = amount.ok_or_else(Refusal::data_integrity)?;
    if amount > loan.approved {
        let message = "Loan can't be disbursed,disburse amount is exceeding approved amount ";
        let code = "error.msg.loan.disburse.amount.must.be.less.than.approved.amount";
        let problem = Problem::new(code, message).arg(scaled(amount, loan.currency));
        return Err(Refusal::Rule(problem.arg(scaled(amount, loan.currency))));
    }
    unique_external_id(bank, context, external_id, Duplicate::Disbursement)?;
    context.books_open(date)?;
    context.commit(Some(id))?;
    let (client_id, loan_external_id, interest) =
        (loan.client_id, loan.external_id.clone(), loan.interest);
    bank.loan_mut(id)?.disbursed_on = Some(date);
    let check_number = payment.as_ref().map_or("", Payment::check_number);
    let reference = context.reference(external_id, check_number);
    let transaction = draft(context, id, Kind::Disbursement, date, amount, (payment, external_id));
    let transaction = bank.add_loan_row(transaction);
    bank.list_loan_movement(transaction, "disburse", reference.clone());
    bank.list_interest(transaction, interest, reference);
    let changes = payment::changes(Json::object(), body);
    let changes = dated(changes, body, "actualDisbursementDate").with("status", view::status(300));
    Ok(CommandResult {
        client_id: Some(client_id),
        loan_id: Some(id),
        resource_id: Some(id),
        sub_resource_id: Some(transaction),
        changes: Some(changes),
        resource_external_id: loan_external_id,
        sub_resource_external_id: external_id.to_owned(),
        ..CommandResult::default()
    })
}

fn may_disburse(
    context: &CommandContext<'_>,
    loan: &super::Loan,
    date: Date,
) -> Result<(), Refusal> {
    if loan.status != 200 || context.suffers(Fault::AccountClosed) {
        let message = "Loan Disbursal is not allowed. Loan Account is not in approved and not disbursed state.";
        return Err(wrong_state("disbursal.account.is.not.approve.not.disbursed.state", message));
    }
    if let Some(approved) = loan.approved_on.filter(|approved| date < *approved) {
        let message = format!(
            "The date on which a loan is disbursed cannot be before its approval date: {approved}"
        );
        return Err(rule("disbursal.cannot.be.before.approval.date", &message, &[date, approved]));
    }
    if date > context.today {
        let message = format!(
            "The date on which a loan with identifier : {} is disbursed cannot be in the future.",
            loan.account_no
        );
        return Err(rule("disbursal.cannot.be.a.future.date", &message, &[date]));
    }
    working_day(context, date, "disbursement")
}

/// Takes all of an active loan's rows back; they keep their external ids.
pub(crate) fn undo_disbursal(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    id: u64,
    body: &Body,
) -> Result<CommandResult, Refusal> {
    body.only(&[&["note", "locale", "dateFormat"]])?;
    let loan = bank.loan(id)?;
    bank.owner_active(loan.client_id)?;
    if loan.status != 300 {
        let message = "Loan Undo disbursal is not allowed. Loan Account is not active.";
        return Err(wrong_state("undo.disbursal.account.is.not.active", message));
    }
    let date = loan.disbursed_on.unwrap_or(context.today);
    let context = &if context.suffers(Fault::UndoRefused) {
        CommandContext { drawn_refusal: Some(Fault::DateRefused), ..*context }
    } else {
        *context
    };
    context.books_open(date)?;
    context.commit(Some(id))?;
    let (client_id, external_id, interest) =
        (loan.client_id, loan.external_id.clone(), loan.interest);
    let rows: Vec<u64> = loan.by_date.iter().rev().map(|(_, id)| *id).collect();
    for row in rows {
        undo_row(bank, context, row, interest);
    }
    let loan = bank.loan_mut(id)?;
    loan.state = State::default();
    loan.status = 200;
    loan.disbursed_on = None;
    let changes =
        Json::object().with("status", view::status(200)).with("actualDisbursementDate", "");
    Ok(CommandResult {
        client_id: Some(client_id),
        loan_id: Some(id),
        resource_id: Some(id),
        changes: Some(changes),
        resource_external_id: external_id,
        ..CommandResult::default()
    })
}

fn undo_row(bank: &mut Bank, context: &CommandContext<'_>, id: u64, interest: i64) {
    let Some(row) = crate::by_id::row_mut(&mut bank.loan_transactions, id) else { return };
    if !row.is_live() {
        return;
    }
    // Only the undo of a single row is called manual.
    row.reversed_on = Some(context.today);
    let is_disbursement = row.kind == Kind::Disbursement;
    bank.list_loan_movement(id, "undo", context.reference("", ""));
    if is_disbursement && interest > 0 {
        bank.list_interest(id, interest, context.reference("", ""));
        if let Some(movement) = bank.movements.last_mut() {
            movement.takes_back =
                std::mem::replace(&mut movement.receipt, format!("{id}-interest-undo"));
            "undo".clone_into(&mut movement.operation);
        }
    }
}

impl Bank {
    /// Lists the interest that a disbursement charges, as a movement of its own.
    fn list_interest(&mut self, transaction: u64, interest: i64, reference: String) {
        if interest == 0 {
            return;
        }
        self.list_loan_movement(transaction, "interest", reference);
        if let Some(movement) = self.movements.last_mut() {
            movement.receipt = format!("{transaction}-interest");
            movement.amount_minor = interest;
            movement.label.clear();
        }
    }
}

/// The echo of locale, date format and a date, as sent.
fn dated(json: Json, body: &Body, date: &'static str) -> Json {
    ["locale", "dateFormat", date]
        .into_iter()
        .fold(json, |json, name| json.with_some(name, body.text(name)))
}
