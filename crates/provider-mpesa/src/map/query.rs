//! Answers of queries. Two levels (`mpesa-openapi.md` §6): the response code says whether the
//! *query* worked, the status word the outcome of the *payment*.

use kiungo_domain::outcome::{Acceptance, Confirmation, Reason, Rejection};
use kiungo_domain::{Finding, Receipt, excerpt};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{
    Answered, Meaning, PaymentFinding, PaymentNotice, ReadError, Terms, WalletInquiry,
};

use super::payment::result_code;
use super::{NOT_THERE, Unreadable, receipt};
use crate::wire::{AsyncResult, Coded, Reply};

/// The answer of a query about a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Transaction {
    /// The operation was executed; the receipt as far as it is stated.
    Completed(Option<Receipt>),
    /// The operation is being worked on.
    InProgress,
    /// The operation failed for good.
    Failed(Rejection),
    /// The operation was executed, and reversed later.
    Reversed(Option<Receipt>),
    /// There is none.
    Absent,
    /// There is one; its state is not stated, as in the documented answers by callback.
    Found { receipt: Option<Receipt>, reversed: bool },
    /// The question was taken, and nothing is answered.
    Accepted,
    /// No telling.
    Unclear(String),
}

/// Reads a synchronous answer about an `operation`. `ids` are those that it may echo: the query's
/// own, and the one that is asked about.
pub(crate) fn transaction(
    terms: &Terms,
    operation: WalletOperation,
    reply: &Reply,
    ids: &[&str],
) -> Transaction {
    let coded = match reply {
        Reply::Coded(coded) => coded,
        Reply::SessionRefused { status, .. } => {
            let why = format!("the session was refused with HTTP {}", status.as_u16());
            return Transaction::Unclear(why);
        }
        Reply::TooMany => return Transaction::Unclear("too many requests (HTTP 429)".to_owned()),
        Reply::NotThere => return Transaction::Unclear(NOT_THERE.to_owned()),
        Reply::Opaque { why } => return Transaction::Unclear(why.clone()),
    };
    let answer = &coded.answer;
    if let Some(echo) = answer.third_party_conversation_id.get()
        && !ids.iter().any(|id| id.eq_ignore_ascii_case(echo))
    {
        return Transaction::Unclear("the answer is about another query".to_owned());
    }
    // Success with the status of a failure contradicts itself, and a 5xx says nothing at all.
    let means = terms.codes.meaning(Answered::Inquire, &coded.code).map(|line| line.means);
    let contradiction = means == Some(Meaning::Completed) && !coded.status.is_success();
    if contradiction || coded.status.is_server_error() {
        return Transaction::Unclear(said(coded));
    }
    read(
        terms,
        &Fields {
            operation,
            code: &coded.code,
            text: &said(coded),
            status: answer.transaction_status.or(&answer.other_transaction_status),
            receipt: answer.original_transaction_id.or(&answer.transaction_id),
            reversed: answer.reversed.get(),
        },
    )
}

/// Reads an asynchronous answer. The status word is not among the documented fields
/// (`mpesa-openapi.md` §7).
pub(crate) fn async_transaction(
    terms: &Terms,
    operation: WalletOperation,
    result: &AsyncResult,
) -> Transaction {
    let Some(code) = result_code(result) else {
        return Transaction::Unclear("the result has no code".to_owned());
    };
    let text = excerpt(result.result_description.get().unwrap_or_default());
    read(
        terms,
        &Fields {
            operation,
            code,
            text: &format!("{} {text}", excerpt(code)),
            status: result.transaction_status.get(),
            receipt: result.original_transaction_id.or(&result.transaction_id),
            reversed: result.reversed.get(),
        },
    )
}

struct Fields<'a> {
    operation: WalletOperation,
    code: &'a str,
    text: &'a str,
    status: Option<&'a str>,
    receipt: Option<&'a str>,
    reversed: Option<&'a str>,
}

fn read(terms: &Terms, fields: &Fields<'_>) -> Transaction {
    match terms.codes.meaning(Answered::Inquire, fields.code).map(|line| line.means) {
        Some(Meaning::Completed) => found(terms, fields)
            .unwrap_or_else(|unreadable| Transaction::Unclear(unreadable.to_string())),
        Some(Meaning::Absent) => Transaction::Absent,
        // A refusal here refuses the query, and says nothing about the payment.
        Some(_) => Transaction::Unclear(format!("the query failed: {}", fields.text)),
        None => Transaction::Unclear(format!("unlisted code {}", fields.text)),
    }
}

fn found(terms: &Terms, fields: &Fields<'_>) -> Result<Transaction, Unreadable> {
    let receipt = receipt(fields.receipt)?;
    let reversed = match fields.reversed {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("true") => true,
        Some(word) if word.eq_ignore_ascii_case("false") => false,
        Some(_) => return Err(Unreadable("the mark of a reversal")),
    };
    let Some(word) = fields.status else {
        let taken = receipt.is_none() && fields.reversed.is_none();
        return Ok(if taken {
            Transaction::Accepted
        } else {
            Transaction::Found { receipt, reversed }
        });
    };
    let shown = excerpt(word);
    let Some(line) = terms.status_of(fields.operation, word) else {
        return Ok(Transaction::Unclear(format!("unlisted status {shown}")));
    };
    Ok(match (line.means, reversed) {
        (Meaning::Completed, false) => Transaction::Completed(receipt),
        (Meaning::Completed, true) | (Meaning::Reversed, _) => Transaction::Reversed(receipt),
        (Meaning::Pending, false) => Transaction::InProgress,
        (Meaning::Rejected, false) => Transaction::Failed(line.rejection(&shown, fields.text)),
        (Meaning::Absent, false) => Transaction::Absent,
        _ => Transaction::Unclear(format!("status {shown}, reversed: {reversed}")),
    })
}

/// The finding about an operation of ours.
pub(crate) fn finding(inquiry: &WalletInquiry, transaction: Transaction) -> Finding {
    let handle = inquiry.handle.clone();
    about(inquiry.operation, handle, inquiry.original.as_ref(), transaction)
}

/// The same where only the operation is known.
pub(crate) fn about(
    operation: WalletOperation,
    handle: Option<String>,
    original: Option<&Receipt>,
    transaction: Transaction,
) -> Finding {
    match transaction {
        Transaction::Completed(Some(receipt)) if original == Some(&receipt) => {
            Finding::unclear("the answer is about the payment, not about its reversal")
        }
        Transaction::Completed(Some(receipt)) => Finding::Executed(Confirmation::bare(receipt)),
        // For a reversal, no document says which of the two transactions this mark is about.
        Transaction::Reversed(_) if operation == WalletOperation::Reverse => {
            Finding::unclear("the answer does not say what was reversed")
        }
        Transaction::Reversed(Some(receipt)) => Finding::Reversed(Confirmation::bare(receipt)),
        Transaction::Completed(None) => Finding::unclear("completed, but without a receipt"),
        Transaction::Reversed(None) => Finding::unclear("reversed, but without a receipt"),
        Transaction::InProgress => {
            Finding::InProgress(Acceptance { handle, awaiting: operation.awaiting() })
        }
        Transaction::Failed(rejection) => Finding::Rejected(rejection),
        Transaction::Absent => Finding::Absent,
        Transaction::Found { .. } => Finding::unclear(NO_STATUS),
        Transaction::Accepted => Finding::unclear(ANSWERS_LATER),
        Transaction::Unclear(why) => Finding::unclear(why),
    }
}

const NO_STATUS: &str = "the answer states no status";
/// An answer that only accepts the question.
const ANSWERS_LATER: &str = "the query was accepted, and is answered by callback if at all";

/// The finding about a payment that we were told of.
pub(crate) fn payment(notice: &PaymentNotice, transaction: Transaction) -> PaymentFinding {
    let unclear = |why: &str| PaymentFinding::Unclear { why: why.to_owned() };
    match transaction {
        Transaction::Completed(Some(receipt)) | Transaction::Reversed(Some(receipt))
            if notice.receipt.as_ref() != Some(&receipt) =>
        {
            unclear("the answer is about another receipt")
        }
        Transaction::Completed(_) => PaymentFinding::Made(notice.clone()),
        Transaction::InProgress => PaymentFinding::NotYet,
        Transaction::Failed(rejection) => PaymentFinding::NotMade { why: rejection.message },
        Transaction::Reversed(_) => PaymentFinding::NotMade { why: "it was reversed".to_owned() },
        Transaction::Absent => PaymentFinding::Absent,
        Transaction::Found { .. } => unclear(NO_STATUS),
        Transaction::Accepted => unclear(ANSWERS_LATER),
        Transaction::Unclear(why) => PaymentFinding::Unclear { why },
    }
}

/// The name of a wallet's holder; `None` if there is no such wallet.
pub(crate) fn holder_name(
    terms: &Terms,
    reply: &Reply,
    id: &str,
) -> Result<Option<String>, ReadError> {
    let unavailable = |why: &str| Err(ReadError::Unavailable(why.to_owned()));
    let coded = match reply {
        Reply::Coded(coded) => coded,
        Reply::SessionRefused { .. } => return unavailable("the session was refused"),
        Reply::TooMany => return unavailable("too many requests (HTTP 429)"),
        Reply::NotThere => return Err(ReadError::Repair(NOT_THERE.to_owned())),
        Reply::Opaque { why } => return unavailable(why),
    };
    let answer = &coded.answer;
    if answer.third_party_conversation_id.get().is_some_and(|echo| !echo.eq_ignore_ascii_case(id)) {
        return unavailable("the answer is about another query");
    }
    let line = terms.codes.meaning(Answered::Inquire, &coded.code);
    match line.map(|line| (line.means, line.reason)) {
        Some((Meaning::Completed, _)) if coded.status.is_success() => {
            let parts = [answer.first_name.get(), answer.last_name.get()];
            let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
            if name.is_empty() { unavailable("the answer holds no name") } else { Ok(Some(name)) }
        }
        Some((Meaning::Rejected, Some(Reason::AccountNotFound))) => Ok(None),
        Some((Meaning::Rejected, Some(Reason::Configuration))) => {
            Err(ReadError::Repair(said(coded)))
        }
        _ => unavailable(&said(coded)),
    }
}

/// The message of an answer, for people.
pub(crate) fn said(coded: &Coded) -> String {
    let text = excerpt(coded.answer.description.get().unwrap_or_default());
    format!("{} {text} (HTTP {})", excerpt(&coded.code), coded.status.as_u16())
}
