//! Bill payments seen from the biller, which is us (`gsma-mobile-money-api.md` §10.6, §12): the
//! provider reads the bills of an account before it lets a customer pay, and then pays one.

use kiungo_domain::{Currency, Money, Receipt};
use kiungo_provider::{PaymentNotice, Terms};
use serde_json::{Value, json};

use crate::map::{amount, date};
use crate::payment::noted;
use crate::wire::{BillPayment, Text, read_object};

/// The question whether an account may be paid. It names no amount yet: zero stands for that.
pub(crate) fn validation(account: &str, currency: Currency) -> PaymentNotice {
    PaymentNotice {
        receipt: None,
        msisdn: None,
        amount: Money::zero(currency),
        account_reference: account.trim().to_owned(),
        reference: None,
        at: None,
    }
}

/// A payment of a bill. Its receipt is the provider's own transaction, which the provider, being
/// the client here, names as its requesting organisation's reference.
pub(crate) fn payment(account: &str, body: &[u8], terms: &Terms) -> Result<PaymentNotice, String> {
    let payment: BillPayment = read_object(body).ok_or("it is no bill payment")?;
    let receipt = Text::given(payment.requesting_organisation_transaction_reference.as_ref());
    let receipt = receipt.and_then(|receipt| Receipt::new(receipt).ok());
    let receipt = receipt.ok_or("it has no usable requestingOrganisationTransactionReference")?;
    let paid = |field| amount::read(field, payment.currency.as_ref(), terms.currency);
    // The deprecated twin counts only where it does not contradict (§10.6).
    let (Ok(amount), Ok(twin)) =
        (paid(payment.amount_paid.as_ref()), paid(payment.paid_amount.as_ref()))
    else {
        return Err("its amount or currency cannot be read".to_owned());
    };
    if amount.is_some() && twin.is_some() && amount != twin {
        return Err("amountPaid and paidAmount differ".to_owned());
    }
    let payer = noted("msisdn", [&payment.custom_data, &payment.metadata]);
    Ok(PaymentNotice {
        receipt: Some(receipt),
        msisdn: payer.and_then(|payer| terms.numbers.stated(&payer)),
        amount: amount.or(twin).ok_or("it has no amount")?,
        account_reference: account.trim().to_owned(),
        reference: None,
        at: date::read(payment.request_date.as_ref()),
    })
}

/// The bills of an account that may be paid: one, of any amount.
pub(crate) fn list(account: &str, currency: Currency) -> Value {
    json!([{ "billReference": account, "billStatus": "unpaid", "currency": currency.code() }])
}

/// The bill payment as taken: what was sent, with the status that only a biller can give. `None`
/// if the body is no bill payment.
pub(crate) fn receipt(body: &[u8]) -> Option<Value> {
    let payment: BillPayment = read_object(body)?;
    let amount = payment.amount_paid.or(payment.paid_amount)?;
    let mut taken = json!({
        "amountPaid": amount,
        "currency": payment.currency?,
        "billPaymentStatus": "completed",
    });
    if let Some(reference) = payment.requesting_organisation_transaction_reference {
        taken["requestingOrganisationTransactionReference"] = json!(reference);
    }
    Some(taken)
}
