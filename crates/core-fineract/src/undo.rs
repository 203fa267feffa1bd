//! Taking bookings back (`fineract.md` §9.3, §10.2, §10.4), and inquiries about reversals.

use bytes::Bytes;
use jiff::civil::Date;
use kiungo_core_banking::{Booking, UndoCheck, UndoOrder};
use kiungo_domain::outcome::{Confirmation, NOT_THE_BOOKING, Reason, Rejection, Retry};
use kiungo_domain::{Finding, Outcome};
use serde::Serialize;

use crate::answer::{self, Booked};
use crate::booking::{Command, FORMAT, Format, json, repair};
use crate::client::{Client, ReadError, SendError};
use crate::inquiry::{is_under, loan_transaction, loan_with_transactions};
use crate::lookup::{self, Account};
use crate::posting::Row;
use crate::version::Profile;
use crate::wire::{LoanTransaction, LoanTransactions, SavingsTransaction};
use crate::{audit_trail, check};

/// Loan status "active": below it nothing is paid out; only in it a disbursement is undone.
const LOAN_ACTIVE: u64 = 300;
/// Rows that an undo of the disbursement may take along, since the core itself wrote them: charges
/// at disbursement, accruals and other schedule entries (`fineract.md` §10.6).
const WRITTEN_BY_CORE: [u64; 6] = [5, 10, 19, 29, 30, 32];

/// The result that an undo would have, by what the core shows before it is sent.
enum Ready {
    /// The command that reverses the booking, with the booking's day, where it was read.
    Send(Command, Option<Date>),
    /// The booking has been reversed already.
    Done,
    /// The core would refuse it, or take back more than was asked.
    Rejected(Rejection),
}

/// Sends the undo once. The reads before it move nothing, so a failure there is "not sent".
pub(crate) async fn undo(
    client: &Client,
    profile: &Profile,
    order: &UndoOrder,
) -> Result<Booked, Outcome> {
    let command = match ready(client, profile, order).await.map_err(not_read)? {
        Ready::Send(command, _) => command,
        Ready::Done => return Err(done(order)),
        Ready::Rejected(rejection) => return Err(Outcome::Rejected(rejection)),
    };
    let key = order.reference.hyphenated();
    let answer = client.command(&command.path, &key, command.body).await;
    Ok(answer::undo(&answer.map_err(SendError::outcome)?, order, profile))
}

/// Checks that the undo would go through now, by all that can be read: what [`undo`] looks at, what
/// the core itself checks on a savings account, and, where closures are read, whether the booking's
/// day is closed meanwhile.
pub(crate) async fn check(
    client: &Client,
    profile: &Profile,
    order: &UndoOrder,
    closed_until: Option<Date>,
) -> UndoCheck {
    let readiness = async {
        let ready = ready(client, profile, order).await?;
        let Ready::Send(_, date) = ready else { return Ok(ready) };
        if matches!(order.original.booking, Booking::Deposit | Booking::Withdraw)
            && let Some(rejection) = savings_refusal(client, order).await?
        {
            return Ok(Ready::Rejected(rejection));
        }
        let closed = closed_until.zip(date).is_some_and(|(closed, date)| date <= closed);
        Ok(if closed {
            Ready::Rejected(refusal_of(
                "books_closed",
                Reason::DateNotAllowed,
                "the day of the booking is closed in the general ledger",
            ))
        } else {
            ready
        })
    };
    match readiness.await {
        Ok(Ready::Send(..) | Ready::Done) => UndoCheck::Possible,
        Ok(Ready::Rejected(rejection)) => UndoCheck::Rejected(rejection),
        Err(error) => UndoCheck::Unclear { why: ReadError::why(error) },
    }
}

async fn ready(client: &Client, profile: &Profile, order: &UndoOrder) -> Result<Ready, ReadError> {
    match order.original.booking {
        Booking::Deposit | Booking::Withdraw => savings(client, order).await,
        Booking::Repay => repayment(client, profile, order).await,
        Booking::Disburse => disbursement(client, order).await,
    }
}

/// Read first: the command undoes whatever transaction has this number, and the number may be one
/// that a person has named.
async fn savings(client: &Client, order: &UndoOrder) -> Result<Ready, ReadError> {
    let Ok(transaction) = order.transaction.as_str().parse::<u64>() else {
        let why = "the booking's receipt is not a number";
        return Ok(Ready::Rejected(repair("transaction_id", why)));
    };
    let row = savings_row(client, order).await?;
    if let Some(why) = Row::from(&row).differs(&order.original) {
        return Ok(another(&why));
    }
    if row.reversed {
        return Ok(Ready::Done);
    }
    let id = order.original.account.id;
    let path = format!("/api/v1/savingsaccounts/{id}/transactions/{transaction}?command=undo");
    let command = Command { path, body: Bytes::from_static(b"{}") };
    Ok(Ready::Send(command, row.date.map(|date| date.0)))
}

/// The core's own checks of an undo on a savings account (`fineract.md` §9.3).
async fn savings_refusal(
    client: &Client,
    order: &UndoOrder,
) -> Result<Option<Rejection>, ReadError> {
    match lookup::read(client, order.original.account).await? {
        Some(Account::Savings(account)) => Ok(check::undo_refusal(&account, &order.original)),
        _ => Err(ReadError::Unusable("the core does not show the account".to_owned())),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reversal {
    #[serde(flatten)]
    format: Format,
    transaction_date: String,
    /// Zero reverses; more would book a replacement.
    transaction_amount: u8,
    #[serde(rename = "reversalExternalId", skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    note: String,
}

/// Read first: the core checks the date sent even though it only reverses, the row may have got a
/// new number, and up to 1.8 a second undo is not refused.
async fn repayment(
    client: &Client,
    profile: &Profile,
    order: &UndoOrder,
) -> Result<Ready, ReadError> {
    let Some(row) = loan_transaction(client, profile, &order.original).await? else {
        return Ok(gone());
    };
    if let Some(why) = Row::from(&row).differs(&order.original) {
        return Ok(another(&why));
    }
    if row.is_reversed() {
        return Ok(Ready::Done);
    }
    let external_id = profile.has_reversal_external_id().then(|| order.reference.hyphenated());
    let body = json(&Reversal {
        format: FORMAT,
        transaction_date: row.date.0.to_string(),
        transaction_amount: 0,
        external_id,
        note: order.reference.transfer().to_string(),
    });
    let id = order.original.account.id;
    Ok(send(format!("/api/v1/loans/{id}/transactions/{}?command=undo", row.id), body, row.date.0))
}

fn send(path: String, body: Result<Bytes, Rejection>, date: Date) -> Ready {
    match body {
        Ok(body) => Ready::Send(Command { path, body }, Some(date)),
        Err(rejection) => Ready::Rejected(rejection),
    }
}

#[derive(Serialize)]
struct Note {
    note: String,
}

/// The command takes back *everything* on the loan, so it is sent only where our disbursement is
/// all there is: a repayment that has come in since must not be swept away.
async fn disbursement(client: &Client, order: &UndoOrder) -> Result<Ready, ReadError> {
    let id = order.original.account.id;
    let loan = loan_with_transactions(client, id).await?;
    let date = match disbursement_state(&loan, order) {
        State::Undone => return Ok(Ready::Done),
        // The disbursement was reversed, and another user paid it out anew: the list shows the new
        // one only.
        State::Hidden if hidden_row(client, order).await?.is_some_and(|row| row.is_reversed()) => {
            return Ok(Ready::Done);
        }
        State::Hidden => return Ok(gone()),
        State::Standing(date) => date,
    };
    let it = loan.transactions.iter().find(|row| is_it(row, order));
    if let Some(why) = it.and_then(|row| Row::from(row).differs(&order.original)) {
        return Ok(another(&why));
    }
    let others = loan.transactions.iter().any(|row| {
        !row.is_reversed() && !is_it(row, order) && !WRITTEN_BY_CORE.contains(&row.kind.id)
    });
    if others {
        return Ok(Ready::Rejected(refusal_of(
            "later_transactions",
            Reason::AccountState,
            "undoing the disbursement would take back other postings on this loan too",
        )));
    }
    if loan.status.id != LOAN_ACTIVE {
        return Ok(Ready::Rejected(refusal_of(
            "loan_not_active",
            Reason::AccountState,
            "only the disbursement of an active loan is taken back",
        )));
    }
    let body = json(&Note { note: order.reference.transfer().to_string() });
    Ok(send(format!("/api/v1/loans/{id}?command=undodisbursal"), body, date))
}

/// The disbursement's own row, which lists leave out once it is reversed; `None` if there is none.
async fn hidden_row(
    client: &Client,
    order: &UndoOrder,
) -> Result<Option<LoanTransaction>, ReadError> {
    let id = order.original.account.id;
    let path = format!("/api/v1/loans/{id}/transactions/{}", order.transaction);
    match client.read(&path).await {
        Ok(row) => Ok(Some(row)),
        Err(ReadError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Finds the result of an undo.
pub(crate) async fn inquire(client: &Client, profile: &Profile, order: &UndoOrder) -> Finding {
    let undone = match order.original.booking {
        Booking::Deposit | Booking::Withdraw => savings_undone(client, order).await,
        Booking::Repay => match loan_transaction(client, profile, &order.original).await {
            Ok(Some(row)) => Ok(row.is_reversed()),
            Ok(None) => Err("the repayment itself is not known".to_owned()),
            Err(error) => Err(error.why()),
        },
        Booking::Disburse => disbursement_undone(client, order).await,
    };
    match undone {
        Ok(true) => Finding::Executed(Confirmation::bare(order.transaction.clone())),
        Ok(false) => audit_trail::undo(client, profile, order).await.unwrap_or(Finding::Absent),
        Err(why) => Finding::unclear(why),
    }
}

async fn savings_undone(client: &Client, order: &UndoOrder) -> Result<bool, String> {
    let row = savings_row(client, order).await.map_err(ReadError::why)?;
    let id = order.original.account.id;
    if row.account_id.is_some_and(|account| account != id) {
        return Err("the transaction is on another account".to_owned());
    }
    Ok(row.reversed)
}

async fn savings_row(client: &Client, order: &UndoOrder) -> Result<SavingsTransaction, ReadError> {
    let id = order.original.account.id;
    // An unknown transaction answers 500 up to 1.14: unclear, like every 500.
    let path = format!("/api/v1/savingsaccounts/{id}/transactions/{}", order.transaction);
    client.read(&path).await
}

async fn disbursement_undone(client: &Client, order: &UndoOrder) -> Result<bool, String> {
    let id = order.original.account.id;
    let loan = loan_with_transactions(client, id).await.map_err(ReadError::why)?;
    match disbursement_state(&loan, order) {
        State::Undone => Ok(true),
        State::Standing(_) => Ok(false),
        State::Hidden => match hidden_row(client, order).await.map_err(ReadError::why)? {
            Some(row) if row.is_reversed() => Ok(true),
            _ => Err("the loan does not list the disbursement".to_owned()),
        },
    }
}

enum State {
    /// Since this day.
    Standing(Date),
    Undone,
    Hidden,
}

fn disbursement_state(loan: &LoanTransactions, order: &UndoOrder) -> State {
    // Below "active" nothing is paid out, whatever the rows say.
    if loan.status.id < LOAN_ACTIVE {
        return State::Undone;
    }
    match loan.transactions.iter().find(|row| is_it(row, order)) {
        Some(row) if row.is_reversed() => State::Undone,
        Some(row) => State::Standing(row.date.0),
        None => State::Hidden,
    }
}

fn is_it(row: &LoanTransaction, order: &UndoOrder) -> bool {
    is_under(row, &order.original)
        || (row.external_id.get().is_none() && row.id.to_string() == order.transaction.as_str())
}

fn done(order: &UndoOrder) -> Outcome {
    Outcome::Executed(Confirmation::bare(order.transaction.clone()))
}

fn gone() -> Ready {
    Ready::Rejected(refusal_of(
        "transaction_not_found",
        Reason::Other,
        "the core does not show the booking that is to be taken back",
    ))
}

/// The refusal to undo a transaction that is not the booking.
fn another(why: &str) -> Ready {
    Ready::Rejected(refusal_of(NOT_THE_BOOKING, Reason::Other, why))
}

fn refusal_of(code: &str, reason: Reason, message: &str) -> Rejection {
    Rejection { code: code.to_owned(), reason, message: message.to_owned(), retry: Retry::Never }
}

fn not_read(error: ReadError) -> Outcome {
    Outcome::not_sent(format!("the booking cannot be read: {}", error.why()))
}
