//! Answers and asynchronous results of collections, payouts and reversals.

use kiungo_domain::outcome::{Acceptance, Confirmation, Stated};
use kiungo_domain::{Finding, Outcome, Reference, excerpt};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{Meaning, Terms};

use super::{NOT_THERE, Unreadable, handle, receipt, reference};
use crate::wire::{AsyncResult, Coded, Reply};

/// The outcome of one sending of an operation.
pub(crate) fn outcome(
    terms: &Terms,
    operation: WalletOperation,
    asked: Reference,
    reply: &Reply,
) -> Outcome {
    match reply {
        Reply::Coded(coded) => coded_outcome(terms, operation, asked, coded)
            .unwrap_or_else(|unreadable| Outcome::unknown(unreadable.to_string())),
        Reply::SessionRefused { status, .. } => {
            let why = format!("the session was refused with HTTP {}", status.as_u16());
            // Presumably rejected before it was processed. For money that leaves, presumption is
            // not enough (`mpesa-openapi.md` §8).
            match operation {
                WalletOperation::Collect => Outcome::not_recorded(why),
                WalletOperation::PayOut | WalletOperation::Reverse => Outcome::unknown(why),
            }
        }
        Reply::TooMany => Outcome::not_recorded("too many requests (HTTP 429)"),
        Reply::NotThere => Outcome::unknown(NOT_THERE),
        Reply::Opaque { why } => Outcome::unknown(why.as_str()),
    }
}

fn coded_outcome(
    terms: &Terms,
    operation: WalletOperation,
    asked: Reference,
    coded: &Coded,
) -> Result<Outcome, Unreadable> {
    let code = excerpt(&coded.code);
    let text = excerpt(coded.answer.description.get().unwrap_or_default());
    let said = format!("{code} {text} (HTTP {})", coded.status.as_u16());
    let Some(line) = terms.codes.meaning(operation, &coded.code) else {
        return Ok(Outcome::unknown(format!("unlisted code {said}")));
    };
    let receipt = receipt(coded.answer.transaction_id.get())?;
    let echoed = reference(&coded.answer.third_party_conversation_id)?;
    let is_ours = echoed.is_none_or(|echoed| echoed == asked);
    let stated = Stated { reference: echoed, ..Stated::default() };
    if coded.status.is_server_error() {
        return Ok(Outcome::unknown(said));
    }
    Ok(match (line.means, receipt) {
        (Meaning::Completed, Some(receipt)) if coded.status.is_success() => {
            // An answer about another operation is shown as stated: the comparison opens a case.
            Outcome::Executed(Confirmation { receipt, fee: None, stated })
        }
        _ if !is_ours => Outcome::unknown(format!("the answer is about another operation: {said}")),
        // INS-0 without a transaction id is accepted, not paid (`mpesa-openapi.md` §6).
        (Meaning::Completed | Meaning::Pending, None) if coded.status.is_success() => {
            let handle = handle(&coded.answer.conversation_id);
            Outcome::Pending(Acceptance { handle, awaiting: operation.awaiting() })
        }
        (Meaning::Rejected, None) => Outcome::Rejected(line.rejection(&code, &text)),
        (Meaning::NotSent, None) => Outcome::not_recorded(said),
        // The rest is unknown by its code, or contradicts itself: success with the status of a
        // failure, a refusal with a receipt.
        _ => Outcome::unknown(said),
    })
}

/// The finding that an asynchronous result of an operation claims.
pub(crate) fn finding(terms: &Terms, about: Reference, result: &AsyncResult) -> Finding {
    let operation = WalletOperation::of_step(about.step());
    async_finding(terms, operation, about, result)
        .unwrap_or_else(|unreadable| Finding::unclear(unreadable.to_string()))
}

fn async_finding(
    terms: &Terms,
    operation: WalletOperation,
    about: Reference,
    result: &AsyncResult,
) -> Result<Finding, Unreadable> {
    let Some(code) = result_code(result) else {
        return Ok(Finding::unclear("the result has no code"));
    };
    let text = excerpt(result.result_description.get().unwrap_or_default());
    let said = format!("{} {text}", excerpt(code));
    let Some(line) = terms.codes.meaning(operation, code) else {
        return Ok(Finding::unclear(format!("unlisted code {said}")));
    };
    let receipt = receipt(result.transaction_id.get())?;
    let stated = Stated { reference: Some(about), ..Stated::default() };
    Ok(match (line.means, receipt) {
        (Meaning::Completed, Some(receipt)) => {
            Finding::Executed(Confirmation { receipt, fee: None, stated })
        }
        (Meaning::Completed | Meaning::Pending, None) => {
            let handle = handle(&result.conversation_id);
            Finding::InProgress(Acceptance { handle, awaiting: operation.awaiting() })
        }
        (Meaning::Rejected, None) => Finding::Rejected(line.rejection(&excerpt(code), &text)),
        _ => Finding::unclear(said),
    })
}

/// The code of a result. `0` is success in the results of an older generation, and clients of this
/// one have met it (`mpesa-openapi.md` §7).
pub(crate) fn result_code(result: &AsyncResult) -> Option<&str> {
    let code = result.result_code.or(&result.response_code)?;
    Some(if code == "0" { "INS-0" } else { code })
}
