//! Bill payments seen from the biller, which is us (`gsma-mobile-money-api.md` §10.6, §12): the
//! provider reads the bills of an account before it lets a customer pay, and then pays one.

use kiungo_domain::{Currency, Money, Receipt};
use kiungo_provider::{CallbackContent, CallbackError, Offer, PaymentNotice, RawCallback, Terms};
use serde_json::{Value, json};

use crate::form::{UUID, amount, is_uuid, malformed, missing};
use crate::map::date;
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
        fee: None,
        at: None,
    }
}

/// A payment of a bill. Its receipt is the provider's own transaction, which the provider, being
/// the client here, names as its requesting organisation's reference; where it names none, the
/// request's correlation id identifies the payment.
pub(crate) fn payment(
    account: &str,
    callback: &RawCallback,
    terms: &Terms,
) -> Result<CallbackContent, CallbackError> {
    let unreadable = |why: &str| CallbackError::Unreadable(why.to_owned());
    let payment: BillPayment =
        read_object(&callback.body).ok_or_else(|| unreadable("it is no bill payment"))?;
    let correlation = callback.header("x-correlationid").map(str::trim);
    let correlation = correlation.filter(|id| !id.is_empty());
    let named = Text::given(payment.requesting_organisation_transaction_reference.as_ref());
    let receipt = match (named, correlation) {
        (Some(named), _) => Receipt::new(named).map_err(|_| {
            let message = "the reference of the payment cannot be kept";
            malformed("requestingOrganisationTransactionReference", "printable", message)
        }),
        (None, Some(id)) if is_uuid(id) => Receipt::new(&id.to_ascii_lowercase())
            .map_err(|_| malformed("X-CorrelationID", UUID, "it cannot be kept")),
        (None, Some(_)) => {
            Err(malformed("X-CorrelationID", UUID, "the correlation id is malformed"))
        }
        (None, None) => Err(missing("X-CorrelationID")),
    };
    let paid =
        |field, text: Option<&Text>| amount(field, text, payment.currency.as_ref(), terms.currency);
    // The deprecated twin counts only where it does not contradict (§10.6).
    let paid = match (&payment.amount_paid, &payment.paid_amount) {
        (None, Some(_)) => paid("paidAmount", payment.paid_amount.as_ref()),
        (_, None) => paid("amountPaid", payment.amount_paid.as_ref()),
        (Some(_), Some(_)) => paid("amountPaid", payment.amount_paid.as_ref()).and_then(|first| {
            let twin = paid("paidAmount", payment.paid_amount.as_ref())?;
            let differs = || malformed("paidAmount", "as amountPaid", "the two amounts differ");
            if twin == first { Ok(first) } else { Err(differs()) }
        }),
    };
    let (receipt, paid) = match (receipt, paid) {
        (Ok(receipt), Ok(paid)) => (receipt, paid),
        (Err(refusal), _) | (_, Err(refusal)) => return Ok(CallbackContent::Malformed(refusal)),
    };
    let payer = noted("msisdn", [&payment.custom_data, &payment.metadata]);
    let notice = PaymentNotice {
        receipt: Some(receipt),
        msisdn: payer.and_then(|payer| terms.numbers.stated(&payer)),
        amount: paid,
        account_reference: account.trim().to_owned(),
        reference: None,
        fee: None,
        at: date::read(payment.request_date.as_ref()),
    };
    // An id that is none cannot be asked with; beside a reference it only informs.
    let correlation = correlation.filter(|id| is_uuid(id)).map(str::to_ascii_lowercase);
    Ok(CallbackContent::Offer(Offer { notice, correlation, made: false, calls_back: false }))
}

/// The bills of an account that may be paid: one, of any amount.
pub(crate) fn list(account: &str, currency: Currency) -> Value {
    json!([{ "billReference": account, "billStatus": "unpaid", "currency": currency.code() }])
}

/// The bill payment as it was offered, with the status that only a biller can give. `None` if the
/// body is no bill payment.
pub(crate) fn object(body: &[u8], status: &str) -> Option<Value> {
    let payment: BillPayment = read_object(body)?;
    let mut taken = json!({
        "amountPaid": payment.amount_paid.or(payment.paid_amount)?,
        "currency": payment.currency?,
        "billPaymentStatus": status,
    });
    if let Some(reference) = payment.requesting_organisation_transaction_reference {
        taken["requestingOrganisationTransactionReference"] = json!(reference);
    }
    Some(taken)
}
