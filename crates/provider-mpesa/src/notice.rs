//! Payments that customers start at the wallet. The OpenAPI documents no form for them; this is
//! the one of the same platform family's C2B registration (`daraja-mpesa-kenya.md` §4.3, §4.4).

use jiff::civil::DateTime;
use kiungo_domain::{Currency, Money, Msisdn, Receipt, Reference, Timestamp};
use kiungo_provider::{CallbackError, PaymentNotice, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::callback::position;
use crate::settings::Settings;
use crate::wire::{Text, read_object};

/// The same payload for validation and confirmation; unknown fields are allowed.
#[derive(Debug, Deserialize)]
struct C2b {
    #[serde(default, rename = "TransID")]
    receipt: Text,
    #[serde(default, rename = "TransTime")]
    time: Text,
    #[serde(default, rename = "TransAmount")]
    amount: Text,
    #[serde(default, rename = "BusinessShortCode")]
    short_code: Text,
    #[serde(default, rename = "BillRefNumber")]
    account_reference: Text,
    #[serde(default, rename = "ThirdPartyTransID")]
    third_party_id: Text,
    #[serde(default, rename = "MSISDN")]
    msisdn: Text,
}

/// A payment that was made: a fact, whatever we answer.
pub(crate) fn confirmation(
    settings: &Settings,
    currency: Currency,
    body: &[u8],
) -> Result<PaymentNotice, CallbackError> {
    let notice = validation(settings, currency, body)?;
    if notice.receipt.is_none() {
        return Err(unreadable("it has no receipt (TransID)"));
    }
    if settings.notification_amount_max.is_some_and(|max| notice.amount.minor() > max.minor()) {
        return Err(unreadable(
            "its amount is above `notification_amount_max`, and no query states the amount of a \
             receipt: compare it with the portal",
        ));
    }
    Ok(notice)
}

/// A payment that is about to be made.
pub(crate) fn validation(
    settings: &Settings,
    currency: Currency,
    body: &[u8],
) -> Result<PaymentNotice, CallbackError> {
    let c2b: C2b =
        read_object(body).map_err(|error| CallbackError::Unreadable(position(&error)))?;
    let short_code = c2b.short_code.get().ok_or_else(|| unreadable("it has no short code"))?;
    if !settings.short_codes.iter().any(|ours| ours == short_code) {
        return Err(unreadable("it is for another short code"));
    }
    let amount = c2b.amount.get().ok_or_else(|| unreadable("it has no amount"))?;
    let amount = Money::parse(amount, currency).map_err(|error| unreadable(&error.to_string()))?;
    if amount.is_zero() {
        return Err(unreadable("the amount is zero"));
    }
    let receipt = match c2b.receipt.get() {
        Some(text) => Some(readable_receipt(text).ok_or_else(|| unreadable("its TransID"))?),
        None => None,
    };
    Ok(PaymentNotice {
        receipt,
        msisdn: payer(settings, c2b.msisdn.get()),
        amount,
        account_reference: c2b.account_reference.get().unwrap_or_default().to_owned(),
        reference: c2b.third_party_id.get().and_then(|text| Reference::parse(text).ok()),
        at: c2b.time.get().and_then(|text| moment(settings, text)),
    })
}

fn unreadable(why: &str) -> CallbackError {
    CallbackError::Unreadable(why.to_owned())
}

/// A receipt that can be asked about: `mpesa-openapi.md` §5, `input_QueryReference`.
fn readable_receipt(text: &str) -> Option<Receipt> {
    let plain = text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then(|| Receipt::new(text).ok()).flatten()
}

/// The payer's number, if it is stated in full: it may be masked, or a SHA-256 in hexadecimal.
fn payer(settings: &Settings, text: Option<&str>) -> Option<Msisdn> {
    let text = text?;
    let whole =
        text.bytes().all(|byte| byte.is_ascii_digit()) && settings.refuses_number(text).is_none();
    whole.then(|| Msisdn::parse(text).ok()).flatten()
}

/// `yyyymmddHHMMSS` in the market's local time; a time that cannot be read is not stated.
fn moment(settings: &Settings, text: &str) -> Option<Timestamp> {
    let local = DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
    let zoned = local.to_zoned(settings.time_zone.clone()).ok()?;
    Some(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
}

/// The answer to a confirmation: a refusal would not undo the payment.
pub(crate) fn confirmation_reply() -> Value {
    json!({ "ResultCode": 0, "ResultDesc": "Success" })
}

/// The answer to a validation. The code selects the message that the customer gets: an account
/// number that does not exist, or no reason.
pub(crate) fn validation_reply(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Accepted | Verdict::Taken(_) | Verdict::State(_) => {
            json!({ "ResultCode": "0", "ResultDesc": "Accepted" })
        }
        Verdict::Refused(_) => json!({ "ResultCode": "C2B00012", "ResultDesc": "Rejected" }),
        Verdict::Unreadable => json!({ "ResultCode": "C2B00016", "ResultDesc": "Rejected" }),
    }
}
