//! Requests for bookings, made from an order (`fineract.md` §9.2, §10.2, §10.3).

use bytes::Bytes;
use jiff::civil::Date;
use kiungo_core_banking::{Booking, CoreOrder};
use kiungo_domain::outcome::{Reason, Rejection, Retry};
use kiungo_domain::{AccountKind, Receipt};
use serde::Serialize;

use crate::version::Profile;

/// The path and the body of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) path: String,
    pub(crate) body: Bytes,
}

/// The largest number of characters in a text member of a posting (`fineract.md` §9.2).
const TEXT_MAX: usize = 50;
/// Marks our postings among those of other channels.
const ROUTING_CODE: &str = "KIUNGO";

/// The members that every body with a date or an amount needs (`fineract.md` §2.1).
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Format {
    locale: &'static str,
    date_format: &'static str,
}

/// Amounts with a point, days as `2026-09-01`.
pub(crate) const FORMAT: Format = Format { locale: "en", date_format: "yyyy-MM-dd" };

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(flatten)]
    format: Format,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actual_disbursement_date: Option<String>,
    transaction_amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_type_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_number: Option<&'a str>,
    check_number: String,
    routing_code: &'static str,
    receipt_number: String,
    note: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
}

/// The command that books `order` on `date`.
pub(crate) fn command(
    order: &CoreOrder,
    payment_type: Option<u64>,
    profile: &Profile,
    date: Date,
) -> Result<Command, Rejection> {
    let id = order.account.id;
    let path = match (order.booking, order.account.kind) {
        (Booking::Deposit, AccountKind::Savings) => {
            format!("/api/v1/savingsaccounts/{id}/transactions?command=deposit")
        }
        (Booking::Withdraw, AccountKind::Savings) => {
            format!("/api/v1/savingsaccounts/{id}/transactions?command=withdrawal")
        }
        (Booking::Repay, AccountKind::Loan) => {
            format!("/api/v1/loans/{id}/transactions?command=repayment")
        }
        (Booking::Disburse, AccountKind::Loan) => format!("/api/v1/loans/{id}?command=disburse"),
        _ => return Err(repair("account_kind", "this booking is for the other kind of account")),
    };
    let payment_type = order.payment_type.or(payment_type);
    let savings = order.account.kind == AccountKind::Savings;
    if savings && payment_type.is_none() {
        return Err(repair("payment_type", "savings need a payment type, and none is configured"));
    }
    let date = Some(date.to_string());
    let (transaction_date, actual_disbursement_date) = match order.booking {
        Booking::Disburse => (None, date),
        Booking::Deposit | Booking::Repay | Booking::Withdraw => (date, None),
    };
    // Unknown members are refused, and savings know this one only since 1.15.
    let external_id =
        (!savings || profile.has_savings_external_id()).then(|| order.reference.hyphenated());
    let body = Body {
        format: FORMAT,
        transaction_date,
        actual_disbursement_date,
        transaction_amount: order.amount.to_decimal(),
        payment_type_id: payment_type,
        account_number: order.msisdn.as_ref().map(kiungo_domain::Msisdn::digits),
        check_number: order.reference.compact(),
        routing_code: ROUTING_CODE,
        receipt_number: receipt_number(order),
        note: note(order),
        external_id,
    };
    Ok(Command { path, body: json(&body)? })
}

/// The receipt number of the posting: the provider's receipt, so that the core's books can be
/// compared with the provider's; our reference where there is no receipt yet, or where it does not
/// fit.
pub(crate) fn receipt_number(order: &CoreOrder) -> String {
    match &order.receipt {
        Some(receipt) if fits(receipt) => receipt.as_str().to_owned(),
        _ => order.reference.compact(),
    }
}

/// True if a receipt can stand in a member of its own: short, and of characters that every core's
/// database keeps and compares alike.
fn fits(receipt: &Receipt) -> bool {
    receipt.as_str().len() <= TEXT_MAX && receipt.as_str().is_ascii()
}

/// The transfer's id, and the provider's receipt where it does not fit into its own member.
fn note(order: &CoreOrder) -> String {
    let transfer = order.reference.transfer();
    match &order.receipt {
        Some(receipt) if !fits(receipt) => format!("{transfer} {receipt}"),
        _ => transfer.to_string(),
    }
}

/// A body that cannot be written is our own fault, and surely not sent.
pub(crate) fn json<T: Serialize>(body: &T) -> Result<Bytes, Rejection> {
    serde_json::to_vec(body)
        .map(Bytes::from)
        .map_err(|_| repair("request_body", "the request cannot be written"))
}

/// A refusal of our own, before anything is sent.
pub(crate) fn repair(code: &str, message: &str) -> Rejection {
    Rejection {
        code: code.to_owned(),
        reason: Reason::Configuration,
        message: message.to_owned(),
        retry: Retry::AfterRepair,
    }
}
