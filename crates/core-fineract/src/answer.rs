//! Turns the answer to a command into an outcome (`fineract.md` §4.4): pure, from the request and
//! the answer.

use kiungo_core_banking::{Booking, CoreOrder, UndoOrder};
use kiungo_domain::outcome::{
    Acceptance, Awaiting, Confirmation, Reason, Rejection, Retry, Stated,
};
use kiungo_domain::{AccountKind, CoreAccount, Msisdn, Outcome, Receipt, Reference, excerpt};

use crate::booking;
use crate::catalogue::{self, Class, ErrorMeaning};
use crate::client::Answer;
use crate::version::Profile;
use crate::wire::{Changes, CommandResult, Text, read_object};

/// The result of a booking, by its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Booked {
    /// As an outcome.
    Outcome(Outcome),
    /// A loan is disbursed, but the answer does not name the transaction: it must be looked up.
    Unnamed,
    /// The command has ended, failed, and will be answered with that failure for ever: refused,
    /// once a lookup confirms that nothing was booked (`fineract.md` §4.2, §4.4).
    Failed(Rejection),
}

/// Reads the answer to a deposit, a withdrawal, a repayment or a disbursement.
pub(crate) fn booking(answer: &Answer, order: &CoreOrder, profile: &Profile) -> Booked {
    let result = match result(answer, collision(answer, order, profile)) {
        Ok(result) => result,
        Err(outcome) => return unless_replayed(outcome, answer),
    };
    match confirm(&result, order) {
        Ok(booked) => booked,
        Err(why) => Booked::Outcome(Outcome::unknown(why)),
    }
}

/// Reads the answer to an undo.
pub(crate) fn undo(answer: &Answer, order: &UndoOrder, profile: &Profile) -> Booked {
    let original = &order.original;
    // The reversal's external id, if sent, reports a repetition as a plain database error.
    let reported_plainly = original.booking == Booking::Repay && profile.has_reversal_external_id();
    let collision = key_collision(answer, profile) || reported_plainly;
    let result = match result(answer, collision) {
        Ok(result) => result,
        Err(outcome) => return unless_replayed(outcome, answer),
    };
    Booked::Outcome(undone(&result, order))
}

fn undone(result: &CommandResult, order: &UndoOrder) -> Outcome {
    let original = &order.original;
    if let Err(why) = same_account(result, original.account) {
        return Outcome::unknown(why);
    }
    // Undoing a repayment answers with the transaction, everything else with the account.
    let expected = match original.booking {
        Booking::Repay => order.transaction.as_str().parse().ok(),
        Booking::Deposit | Booking::Withdraw | Booking::Disburse => Some(original.account.id),
    };
    match result.resource_id {
        // A repayment may have got a new number since (reverse-replay); its external id stays.
        Some(id) if original.booking == Booking::Repay => {
            match is_ours(&result.resource_external_id, original.reference) {
                Ok(true) => completed(id, Stated::default()),
                Ok(false) if expected == Some(id) => completed(id, Stated::default()),
                _ => Outcome::unknown("the answer names another transaction"),
            }
        }
        Some(id) if expected == Some(id) => {
            Outcome::Executed(Confirmation::bare(order.transaction.clone()))
        }
        _ => Outcome::unknown("the answer names another account, or none"),
    }
}

/// A failure that is replayed to a repeated key says that the first command has ended and was rolled
/// back. Only 425 comes from the same memory and says nothing about how it ended.
fn unless_replayed(outcome: Outcome, answer: &Answer) -> Booked {
    let replayed = answer.cached && answer.status >= 400 && answer.status != 425;
    let message = match outcome {
        Outcome::Unknown { why } if replayed => why,
        outcome => return Booked::Outcome(outcome),
    };
    Booked::Failed(match catalogue::classify(answer.status, &answer.body) {
        // The same again under another key, too.
        ErrorMeaning::Listed { row, code, .. } if row.class == Class::Duplicate => {
            Rejection { code, reason: row.reason, message, retry: Retry::Never }
        }
        _ => Rejection {
            code: format!("replayed.{}", answer.status),
            reason: Reason::Busy,
            message,
            retry: Retry::NewReference,
        },
    })
}

/// Reads the answer to a hold or a release, which names its transaction.
pub(crate) fn hold(answer: &Answer, account: CoreAccount, profile: &Profile) -> Outcome {
    let result = match result(answer, key_collision(answer, profile)) {
        Ok(result) => result,
        Err(outcome) => return outcome,
    };
    match (same_account(&result, account), result.resource_id) {
        (Err(why), _) => Outcome::unknown(why),
        (Ok(()), Some(id)) => completed(id, Stated { account: Some(account), ..Stated::default() }),
        (Ok(()), None) => Outcome::unknown("200 without the transaction's id"),
    }
}

/// True if an unspecific database error may mean "already applied": the key was in use, or an
/// external id was whose repetition has no code of its own.
fn collision(answer: &Answer, order: &CoreOrder, profile: &Profile) -> bool {
    let savings = order.account.kind == AccountKind::Savings;
    key_collision(answer, profile) || (savings && profile.has_savings_external_id())
}

/// A collision of keys is never stored: from the cache comes only what the handler itself refused.
const fn key_collision(answer: &Answer, profile: &Profile) -> bool {
    profile.key_may_collide() && !answer.cached
}

fn result(answer: &Answer, collision: bool) -> Result<CommandResult, Outcome> {
    if answer.status != 200 {
        return Err(refusal(answer, collision));
    }
    let Ok(result) = read_object::<CommandResult>(&answer.body) else {
        return Err(Outcome::unknown("200 with a body that is no result of a command"));
    };
    if result.rollback_transaction == Some(true) {
        return Err(Outcome::Pending(Acceptance {
            handle: result.command_id.map(|id| id.to_string()),
            awaiting: Awaiting::Approval,
        }));
    }
    Ok(result)
}

/// The outcome of a command whose answer was not 200.
pub(crate) fn refusal(answer: &Answer, collision: bool) -> Outcome {
    let (row, code, message) = match catalogue::classify(answer.status, &answer.body) {
        ErrorMeaning::Listed { row, code, message } => (row, code, message),
        ErrorMeaning::Unlisted { why } => return Outcome::Unknown { why },
    };
    let rejected = |reason, retry| {
        Outcome::Rejected(Rejection { code: code.clone(), reason, message: message.clone(), retry })
    };
    match row.class {
        Class::Final => rejected(row.reason, Retry::Never),
        // Stored under the key, which brings the same answer for ever, also after the repair (§4.2);
        // and the key's one execution ended so: no copy of the request was executed.
        Class::Repair if answer.cached => rejected(row.reason, Retry::NewReference),
        Class::Repair => rejected(row.reason, Retry::AfterRepair),
        Class::Busy => rejected(Reason::Busy, Retry::NewReference),
        // Frozen after all: the same key would bring the same answer for ever.
        Class::NotRecorded if answer.cached => rejected(Reason::Busy, Retry::NewReference),
        Class::NotRecorded => Outcome::not_recorded(format!("{code}: {message}")),
        Class::Database if !collision => rejected(Reason::Busy, Retry::NewReference),
        Class::Database => Outcome::unknown(format!("{code}: perhaps the key was in use")),
        Class::Duplicate => Outcome::unknown(format!("{code}: perhaps applied before")),
    }
}

fn confirm(result: &CommandResult, order: &CoreOrder) -> Result<Booked, String> {
    same_account(result, order.account)?;
    let stated = stated(result, order)?;
    let id = match order.booking {
        Booking::Deposit | Booking::Withdraw | Booking::Repay => {
            result.resource_id.ok_or("200 without the transaction's id")?
        }
        Booking::Disburse if result.resource_id != Some(order.account.id) => {
            return Err("the answer names another loan, or none".to_owned());
        }
        Booking::Disburse => match result.sub_resource_id {
            Some(id) => id,
            None => return Ok(Booked::Unnamed),
        },
    };
    Ok(Booked::Outcome(completed(id, stated)))
}

/// A key that was used on another account answers with that account's result (§4.1).
fn same_account(result: &CommandResult, account: CoreAccount) -> Result<(), String> {
    let named = match account.kind {
        AccountKind::Savings => result.savings_id,
        AccountKind::Loan => result.loan_id,
    };
    match named {
        Some(id) if id == account.id => Ok(()),
        Some(id) => Err(excerpt(&format!("the answer is about {} {id}", account.kind.as_str()))),
        None => Err("200 without the account's id".to_owned()),
    }
}

/// The fields of the booking that the answer echoes. An echo of another operation makes the whole
/// answer doubtful.
fn stated(result: &CommandResult, order: &CoreOrder) -> Result<Stated, String> {
    let none = Changes::default();
    let changes = result.changes.as_ref().unwrap_or(&none);
    let nothing = Text::default();
    let external_id = match order.booking {
        Booking::Disburse => &result.sub_resource_external_id,
        Booking::Repay => &result.resource_external_id,
        Booking::Deposit | Booking::Withdraw => &nothing,
    };
    let mut echoed = false;
    for (text, what) in [
        (external_id, "external id"),
        (&changes.external_id, "external id"),
        (&changes.check_number, "check number"),
    ] {
        echoed |= is_ours(text, order.reference)
            .map_err(|()| format!("the answer echoes another {what}"))?;
    }
    if changes.receipt_number.get().is_some_and(|text| text != booking::receipt_number(order)) {
        return Err("the answer echoes another receipt".to_owned());
    }
    let amount = match changes.transaction_amount {
        None => None,
        Some(decimal) => {
            Some(decimal.money(order.amount.currency()).ok_or("the echoed amount cannot be read")?)
        }
    };
    // The number only informs: a text that is no full number says nothing.
    let msisdn = changes.account_number.get().and_then(|text| match &order.msisdn {
        Some(asked) if asked.is_written(text) => Some(asked.clone()),
        _ => Msisdn::international(text),
    });
    let reference = echoed.then_some(order.reference);
    Ok(Stated { amount, msisdn, reference, account: Some(order.account) })
}

/// True if the text is our reference; an error if it is there and is not.
fn is_ours(text: &Text, reference: Reference) -> Result<bool, ()> {
    match text.get() {
        None => Ok(false),
        Some(text) if Reference::parse(text) == Ok(reference) => Ok(true),
        Some(_) => Err(()),
    }
}

fn completed(id: u64, stated: Stated) -> Outcome {
    match Receipt::new(&id.to_string()) {
        Ok(receipt) => Outcome::Executed(Confirmation { receipt, fee: None, stated }),
        Err(error) => Outcome::unknown(error.to_string()),
    }
}
