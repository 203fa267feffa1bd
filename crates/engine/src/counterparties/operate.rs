//! Orders and inquiries, made from the state of a transfer, and carried to the adapters.

use kiungo_core_banking::{
    AccountCheck, Booking, CheckAnswer, Comparison, CoreOrder, UndoCheck, UndoOrder,
};
use kiungo_domain::outcome::{Reason, Rejection, Retry};
use kiungo_domain::party::label_of;
use kiungo_domain::policy::Side;
use kiungo_domain::transfer::{Operation, Origin, StepName, StepState, Transfer};
use kiungo_domain::{Finding, Msisdn, Outcome, Receipt, Reference, Timestamp};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{ReverseOrder, WalletInquiry, WalletOrder};

use crate::counterparties::candidates;
use crate::counterparties::ports::{Ports, ProviderPort};

/// The answer to the question if a transfer could be reversed as a whole.
pub(crate) enum ReversalCheck {
    /// The transfer could be reversed, as far as is known.
    Possible,
    /// The transfer could not be reversed: nothing is to be moved.
    Rejected(Rejection),
    /// No usable answer: try later.
    Unclear(String),
}

/// Sends the operation that this step is.
pub(crate) async fn operate(
    ports: &Ports,
    transfer: &Transfer,
    step: StepName,
    at: Timestamp,
) -> Outcome {
    let (Some(wallet), Some(core)) = ports.of(transfer) else {
        return Outcome::not_sent("the provider or core is no longer configured");
    };
    match transfer.operation(step) {
        Operation::Collect => match wallet_order(transfer, step, at) {
            Some(order) => wallet.provider.collect(&order).await,
            None => Outcome::Rejected(incomplete()),
        },
        Operation::PayOut => match wallet_order(transfer, step, at) {
            Some(order) => wallet.provider.pay_out(&order).await,
            None => Outcome::Rejected(incomplete()),
        },
        Operation::Reverse => {
            match (wallet.provider.reverse(), reverse_order(transfer, step, at)) {
                (Some(reverse), Some(order)) => reverse.reverse(&order).await,
                _ => Outcome::Rejected(not_offered()),
            }
        }
        Operation::Deposit | Operation::Repay | Operation::Withdraw | Operation::Disburse => {
            match core_order(wallet, transfer, step, at) {
                Some(order) => core.core.post(&order).await,
                None => Outcome::Rejected(incomplete()),
            }
        }
        Operation::Undo => match undo_order(wallet, transfer, step, at) {
            Some(order) => core.core.undo(&order).await,
            None => Outcome::Rejected(incomplete()),
        },
    }
}

/// Asks for the outcome of the operation that this step is, in its present generation.
pub(crate) async fn inquire(
    ports: &Ports,
    transfer: &Transfer,
    step: StepName,
    at: Timestamp,
) -> Finding {
    inquire_about(ports, transfer, transfer.reference(step), at).await
}

/// Asks for the outcome of the operation that this reference of the transfer names, whatever its
/// generation.
pub(crate) async fn inquire_about(
    ports: &Ports,
    transfer: &Transfer,
    reference: Reference,
    at: Timestamp,
) -> Finding {
    let step = reference.step();
    let (Some(wallet), Some(core)) = ports.of(transfer) else {
        return Finding::unclear("the provider or core is no longer configured");
    };
    let sent_at = match &transfer.step(step).state {
        StepState::Waiting(waiting) => waiting.since,
        _ => transfer.received_at(),
    };
    let nothing = || Finding::unclear("the journal lacks what the inquiry needs");
    match transfer.operation(step) {
        Operation::Collect | Operation::PayOut | Operation::Reverse => {
            match wallet_inquiry(transfer, reference, at) {
                Some(inquiry) => wallet.provider.inquire(&inquiry).await,
                None => nothing(),
            }
        }
        Operation::Deposit | Operation::Repay | Operation::Withdraw | Operation::Disburse => {
            match core_order(wallet, transfer, step, sent_at) {
                Some(order) => core.core.inquire(&CoreOrder { reference, ..order }).await,
                None => nothing(),
            }
        }
        Operation::Undo => match undo_order(wallet, transfer, step, sent_at) {
            Some(order) => core.core.inquire_undo(&UndoOrder { reference, ..order }).await,
            None => nothing(),
        },
    }
}

/// Asks if the step that ends a reversal could be carried out: nothing is reversed on one side
/// before the other side's part is known to be possible. Moves nothing.
pub(crate) async fn can_reverse(
    ports: &Ports,
    transfer: &Transfer,
    at: Timestamp,
) -> ReversalCheck {
    let (Some(wallet), Some(core)) = ports.of(transfer) else {
        return ReversalCheck::Unclear("the provider or core is no longer configured".to_owned());
    };
    if transfer.operation(StepName::UndoFirst) == Operation::Reverse {
        return match wallet.provider.reverse() {
            Some(_) => ReversalCheck::Possible,
            None => ReversalCheck::Rejected(not_offered()),
        };
    }
    let Some(order) = undo_order(wallet, transfer, StepName::UndoFirst, at) else {
        return ReversalCheck::Rejected(incomplete());
    };
    match core.core.can_undo(&order).await {
        UndoCheck::Possible => ReversalCheck::Possible,
        UndoCheck::Rejected(rejection) => ReversalCheck::Rejected(rejection),
        UndoCheck::Unclear { why } => ReversalCheck::Unclear(why),
    }
}

/// Compares a transaction that a person names with the booking that a step of the core is; `None`
/// where the step is no booking, or nothing says what it would be. Moves nothing.
pub(crate) async fn compare(
    ports: &Ports,
    transfer: &Transfer,
    step: StepName,
    transaction: &Receipt,
    at: Timestamp,
) -> Option<Comparison> {
    let (Some(wallet), Some(core)) = ports.of(transfer) else { return None };
    let order = core_order(wallet, transfer, step, at)?;
    // A booking that the core knows by our reference is that one and no other.
    if let Finding::Executed(found) = core.core.inquire(&order).await {
        if found.receipt == *transaction {
            return Some(Comparison::Same);
        }
        let why = format!("the core shows the booking as transaction {}", found.receipt);
        return Some(Comparison::Another { why });
    }
    Some(core.core.compare(&order, transaction).await)
}

/// Asks the core which of the named accounts is meant, and whether it takes the booking.
pub(crate) async fn check(ports: &Ports, transfer: &Transfer, at: Timestamp) -> CheckAnswer {
    let (Some(wallet), Some(core)) = ports.of(transfer) else {
        return CheckAnswer::Unclear {
            why: "the provider or core is no longer configured".to_owned(),
        };
    };
    let instruction = transfer.instruction();
    let must_match = wallet.rules.holder_must_match(transfer.kind());
    let holder = || instruction.msisdn.clone().filter(|_| must_match);
    let booking = match instruction.origin {
        Origin::Api { .. } => Some(first_booking(transfer)),
        Origin::Wallet { .. } => None,
    };
    let checks = instruction.accounts.iter().map(|account| AccountCheck {
        account: account.clone(),
        booking: booking
            .filter(|_| account.kind.is_none_or(|kind| kind == transfer.kind().account_kind())),
        amount: instruction.amount,
        holder: holder(),
        at,
    });
    candidates::first_found(core.core.as_ref(), checks.collect()).await
}

fn wallet_order(transfer: &Transfer, step: StepName, at: Timestamp) -> Option<WalletOrder> {
    let msisdn: Msisdn = transfer.instruction().msisdn.clone()?;
    Some(WalletOrder {
        reference: transfer.reference(step),
        msisdn,
        amount: transfer.amount(),
        label: label(transfer),
        description: description(transfer),
        at,
    })
}

/// The account as the customer sees it.
pub(crate) fn label(transfer: &Transfer) -> String {
    transfer.account_no().and_then(label_of).unwrap_or_else(|| "KIUNGO".to_owned())
}

fn description(transfer: &Transfer) -> String {
    transfer.instruction().note.clone().unwrap_or_else(|| transfer.kind().as_str().to_owned())
}

/// The forward step that a backward step takes back.
const fn forward(step: StepName) -> StepName {
    match step {
        StepName::First | StepName::UndoFirst => StepName::First,
        StepName::Second | StepName::UndoSecond => StepName::Second,
    }
}

fn receipt_of(transfer: &Transfer, step: StepName) -> Option<Receipt> {
    transfer.step(step).confirmation().map(|confirmation| confirmation.receipt.clone())
}

fn reverse_order(transfer: &Transfer, step: StepName, at: Timestamp) -> Option<ReverseOrder> {
    let original = forward(step);
    Some(ReverseOrder {
        reference: transfer.reference(step),
        original: transfer.reference(original),
        receipt: receipt_of(transfer, original)?,
        amount: transfer.amount(),
        at,
    })
}

/// The question about the wallet operation that this reference names.
pub(crate) fn wallet_inquiry(
    transfer: &Transfer,
    reference: Reference,
    at: Timestamp,
) -> Option<WalletInquiry> {
    let step = reference.step();
    let operation = WalletOperation::of(transfer.operation(step))?;
    // The other side's id belongs to the generation that it was given for.
    let current = transfer.reference(step) == reference;
    let handle = transfer.step(step).handle.clone().filter(|_| current);
    let original = (operation == WalletOperation::Reverse)
        .then(|| receipt_of(transfer, forward(step)))
        .flatten();
    Some(WalletInquiry {
        reference,
        operation,
        handle,
        original,
        amount: transfer.amount(),
        msisdn: transfer.instruction().msisdn.clone(),
        at,
    })
}

const fn booking(operation: Operation) -> Option<Booking> {
    match operation {
        Operation::Deposit => Some(Booking::Deposit),
        Operation::Repay => Some(Booking::Repay),
        Operation::Withdraw => Some(Booking::Withdraw),
        Operation::Disburse => Some(Booking::Disburse),
        Operation::Collect | Operation::PayOut | Operation::Reverse | Operation::Undo => None,
    }
}

/// The booking that a transfer of this kind brings.
fn first_booking(transfer: &Transfer) -> Booking {
    let step = transfer.kind().leg(Side::Core);
    booking(transfer.operation(step)).unwrap_or(Booking::Deposit)
}

fn core_order(
    wallet: &ProviderPort,
    transfer: &Transfer,
    step: StepName,
    at: Timestamp,
) -> Option<CoreOrder> {
    let instruction = transfer.instruction();
    Some(CoreOrder {
        reference: transfer.reference(step),
        booking: booking(transfer.operation(step))?,
        account: transfer.account()?,
        amount: instruction.amount,
        msisdn: instruction.msisdn.clone(),
        receipt: transfer.kind().is_inbound().then(|| transfer.wallet_receipt().cloned()).flatten(),
        payment_type: wallet.rules.payment_type(&instruction.core),
        value_at: transfer.step(step).first_sent().unwrap_or(at),
        at,
    })
}

fn undo_order(
    wallet: &ProviderPort,
    transfer: &Transfer,
    step: StepName,
    at: Timestamp,
) -> Option<UndoOrder> {
    let original = forward(step);
    Some(UndoOrder {
        reference: transfer.reference(step),
        original: core_order(wallet, transfer, original, at)?,
        transaction: receipt_of(transfer, original)?,
        at,
    })
}

fn rejection(code: &str, reason: Reason, message: &str) -> Rejection {
    Rejection { code: code.to_owned(), reason, message: message.to_owned(), retry: Retry::Never }
}

fn incomplete() -> Rejection {
    rejection("incomplete", Reason::Other, "the transfer lacks what this operation needs")
}

fn not_offered() -> Rejection {
    rejection("not_offered", Reason::Configuration, "the provider offers no reversal")
}
