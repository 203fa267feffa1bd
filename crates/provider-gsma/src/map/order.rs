//! Request bodies (`gsma-mobile-money-api.md` §10.1, §10.2), and local refusals.

use kiungo_domain::outcome::{Reason, Rejection, Retry};
use kiungo_domain::{Money, Msisdn};
use kiungo_provider::{ReverseOrder, Terms, WalletOrder};

use crate::config::{AccountId, MsisdnFormat, Options, Version};
use crate::map::{amount, date};
use crate::wire::{KeyValue, ReversalOrder, TransactionOrder};

/// The longest `descriptionText` (§7.2).
const DESCRIPTION_CHARS_MAX: usize = 160;

/// The direction in which an order moves money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the wallet to the organisation: `merchantpay`.
    Collect,
    /// From the organisation to the wallet: `disbursement`.
    PayOut,
}

/// The body of a collection or a payout; a refusal if the provider cannot take the amount.
pub(crate) fn transaction(
    order: &WalletOrder,
    way: Way,
    options: &Options,
    terms: &Terms,
) -> Result<TransactionOrder, Rejection> {
    let wallet = KeyValue::new("msisdn", &phone(&order.msisdn, options.msisdn_format));
    let AccountId { kind, id } = &options.account;
    let own = KeyValue::new(kind, id);
    let (debit, credit) = match way {
        Way::Collect => (wallet, own),
        Way::PayOut => (own, wallet),
    };
    let label = [KeyValue::new(&options.payments.account_reference_key, &order.label)];
    // `customData` is 1.2.0's; an older provider may reject unknown fields (§13).
    let (custom_data, metadata) = match options.version {
        _ if order.label.is_empty() => (None, None),
        Version::V1_2_0 => (Some(label), None),
        Version::V1_1_2 => (None, Some(label)),
    };
    Ok(TransactionOrder {
        requesting_organisation_transaction_reference: order.reference.compact(),
        debit_party: [debit],
        credit_party: [credit],
        amount: written(order.amount, options.version, terms)?,
        currency: order.amount.currency().code().to_owned(),
        description_text: description(&order.description),
        request_date: date::write(order.at),
        custom_data,
        metadata,
    })
}

/// The body of a full reversal.
pub(crate) fn reversal(order: &ReverseOrder) -> ReversalOrder {
    ReversalOrder {
        kind: "reversal",
        requesting_organisation_transaction_reference: order.reference.compact(),
        request_date: date::write(order.at),
    }
}

/// A phone number as this provider writes it.
pub(crate) fn phone(msisdn: &Msisdn, format: MsisdnFormat) -> String {
    match format {
        MsisdnFormat::Plus => format!("+{}", msisdn.digits()),
        MsisdnFormat::Digits => msisdn.digits().to_owned(),
    }
}

fn written(money: Money, version: Version, terms: &Terms) -> Result<String, Rejection> {
    let refuse = |message| Rejection {
        code: "amount".to_owned(),
        reason: Reason::AmountNotAllowed,
        message,
        retry: Retry::Never,
    };
    if let Some(why) = terms.refuses(money) {
        return Err(refuse(why));
    }
    amount::write(money, terms.decimals, version)
        .ok_or_else(|| refuse(format!("{money} cannot be written in the provider's format")))
}

fn description(text: &str) -> String {
    let printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    printable.take(DESCRIPTION_CHARS_MAX).collect::<String>().trim().to_owned()
}
