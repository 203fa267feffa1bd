//! Taking bookings back (`fineract.md` §9.3, §10.2, §10.4), and asking what became of that.

use bytes::Bytes;
use kiungo_core_banking::{Booking, UndoOrder};
use kiungo_domain::outcome::{Confirmation, Reason, Rejection, Retry};
use kiungo_domain::{Finding, Outcome};
use serde::Serialize;

use crate::answer::{self, Booked};
use crate::booking::{Command, FORMAT, Format, json, repair};
use crate::client::{Client, ReadError, SendError};
use crate::inquiry::{is_under, loan_transaction, loan_with_transactions};
use crate::trail;
use crate::version::Profile;
use crate::wire::{LoanTransaction, LoanTransactions, SavingsTransaction};

/// Loan status "approved": from disbursement back to before it.
const LOAN_ACTIVE: u64 = 300;
/// Rows that an undo of the disbursement may take along, since the core itself wrote them: charges
/// at disbursement, accruals and other schedule entries (`fineract.md` §10.6).
const WRITTEN_BY_CORE: [u64; 6] = [5, 10, 19, 29, 30, 32];

/// Sends the undo once. What is read before it moves nothing, so a failure there is "not sent".
pub(crate) async fn undo(
    client: &Client,
    profile: &Profile,
    order: &UndoOrder,
) -> Result<Booked, Outcome> {
    let command = match order.original.booking {
        Booking::Deposit | Booking::Withdraw => savings(order),
        Booking::Repay => repayment(client, profile, order).await,
        Booking::Disburse => disbursement(client, order).await,
    }?;
    let key = order.reference.hyphenated();
    let answer = client.command(&command.path, &key, command.body).await;
    Ok(answer::undo(&answer.map_err(SendError::outcome)?, order, profile))
}

fn savings(order: &UndoOrder) -> Result<Command, Outcome> {
    let transaction = number(order)?;
    let id = order.original.account.id;
    let path = format!("/api/v1/savingsaccounts/{id}/transactions/{transaction}?command=undo");
    Ok(Command { path, body: Bytes::from_static(b"{}") })
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

/// Read first: the core does not refuse a second undo, it checks the date sent even though it only
/// reverses, and the row may have got a new number.
async fn repayment(
    client: &Client,
    profile: &Profile,
    order: &UndoOrder,
) -> Result<Command, Outcome> {
    let row = match loan_transaction(client, profile, &order.original).await {
        Ok(Some(row)) => row,
        Ok(None) => return Err(gone()),
        Err(error) => return Err(not_read(error)),
    };
    if row.is_reversed() {
        return Err(done(order));
    }
    let external_id = profile.has_reversal_external_id().then(|| order.reference.hyphenated());
    let body = json(&Reversal {
        format: FORMAT,
        transaction_date: row.date.0.to_string(),
        transaction_amount: 0,
        external_id,
        note: order.reference.transfer().to_string(),
    })
    .map_err(Outcome::Rejected)?;
    let id = order.original.account.id;
    Ok(Command { path: format!("/api/v1/loans/{id}/transactions/{}?command=undo", row.id), body })
}

#[derive(Serialize)]
struct Note {
    note: String,
}

/// The command takes back *everything* on the loan, so it is sent only where our disbursement is
/// all there is: a repayment that has come in since must not be swept away.
async fn disbursement(client: &Client, order: &UndoOrder) -> Result<Command, Outcome> {
    let id = order.original.account.id;
    let loan = loan_with_transactions(client, id).await.map_err(not_read)?;
    match disbursement_state(&loan, order) {
        State::Undone => return Err(done(order)),
        State::Hidden => return Err(gone()),
        State::Standing => {}
    }
    let others = loan.transactions.iter().any(|row| {
        !row.is_reversed() && !is_it(row, order) && !WRITTEN_BY_CORE.contains(&row.kind.id)
    });
    if others {
        return Err(Outcome::Rejected(Rejection {
            code: "later.transactions".to_owned(),
            reason: Reason::AccountState,
            message: "undoing the disbursement would take back other postings on this loan too"
                .to_owned(),
            retry: Retry::Never,
        }));
    }
    let body =
        json(&Note { note: order.reference.transfer().to_string() }).map_err(Outcome::Rejected)?;
    Ok(Command { path: format!("/api/v1/loans/{id}?command=undodisbursal"), body })
}

/// What became of an undo.
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
        Ok(false) => trail::undo(client, profile, order).await.unwrap_or(Finding::Absent),
        Err(why) => Finding::unclear(why),
    }
}

async fn savings_undone(client: &Client, order: &UndoOrder) -> Result<bool, String> {
    let id = order.original.account.id;
    // An unknown transaction answers 500 up to 1.14: unclear, like every 500.
    let path = format!("/api/v1/savingsaccounts/{id}/transactions/{}", order.transaction);
    let row: SavingsTransaction = client.read(&path).await.map_err(ReadError::why)?;
    if row.account_id.is_some_and(|account| account != id) {
        return Err("the transaction is on another account".to_owned());
    }
    Ok(row.reversed)
}

async fn disbursement_undone(client: &Client, order: &UndoOrder) -> Result<bool, String> {
    let id = order.original.account.id;
    let loan = loan_with_transactions(client, id).await.map_err(ReadError::why)?;
    match disbursement_state(&loan, order) {
        State::Undone => Ok(true),
        State::Standing => Ok(false),
        // Lists leave out some reversed rows: the single one says it.
        State::Hidden => {
            let path = format!("/api/v1/loans/{id}/transactions/{}", order.transaction);
            let row: LoanTransaction = client.read(&path).await.map_err(ReadError::why)?;
            if row.is_reversed() {
                Ok(true)
            } else {
                Err("the loan does not list the disbursement".to_owned())
            }
        }
    }
}

enum State {
    Standing,
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
        Some(_) => State::Standing,
        None => State::Hidden,
    }
}

fn is_it(row: &LoanTransaction, order: &UndoOrder) -> bool {
    is_under(row, &order.original)
        || (row.external_id.get().is_none() && row.id.to_string() == order.transaction.as_str())
}

fn number(order: &UndoOrder) -> Result<u64, Outcome> {
    order.transaction.as_str().parse().map_err(|_| {
        Outcome::Rejected(repair("transaction.id", "the booking's receipt is not a number"))
    })
}

fn done(order: &UndoOrder) -> Outcome {
    Outcome::Completed(Confirmation::bare(order.transaction.clone()))
}

fn gone() -> Outcome {
    Outcome::Rejected(Rejection {
        code: "transaction.not.found".to_owned(),
        reason: Reason::Other,
        message: "the core does not show the booking that is to be taken back".to_owned(),
        retry: Retry::Never,
    })
}

fn not_read(error: ReadError) -> Outcome {
    Outcome::not_sent(format!("the booking cannot be read: {}", error.why()))
}
