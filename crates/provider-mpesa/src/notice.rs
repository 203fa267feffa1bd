//! Payments that customers start at the wallet. The OpenAPI documents no form for their
//! notifications; this is the form of the same platform family's C2B registration
//! (`daraja-mpesa-kenya.md` §4.3, §4.4).

use jiff::civil::DateTime;
use kiungo_domain::{Money, Receipt, Reference, Timestamp};
use kiungo_provider::{CallbackDecision, CallbackError, Detail, PaymentNotice, Salvage, Terms};
use kiungo_transport::content;
use kiungo_transport::json::{if_readable, read_object};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::callback::position;
use crate::settings::Settings;
use crate::wire::Text;

/// The same payload for validation and confirmation; unknown fields are allowed.
#[derive(Debug, Deserialize)]
struct C2b {
    #[serde(default, rename = "TransID")]
    receipt: Text,
    #[serde(default, rename = "TransTime", deserialize_with = "if_readable")]
    time: Text,
    #[serde(default, rename = "TransAmount")]
    amount: Text,
    #[serde(default, rename = "BusinessShortCode")]
    short_code: Text,
    #[serde(default, rename = "BillRefNumber", deserialize_with = "if_readable")]
    account_reference: Text,
    #[serde(default, rename = "ThirdPartyTransID", deserialize_with = "if_readable")]
    third_party_id: Text,
    #[serde(default, rename = "MSISDN", deserialize_with = "if_readable")]
    msisdn: Text,
}

impl C2b {
    /// Reads the certain parts of a damaged notification, if they suffice to ask the market about
    /// its receipt, which decides. An uncertain part counts as not stated: without the account the
    /// money waits for a person.
    fn salvaged(body: &[u8]) -> Option<Self> {
        let text = content::text(body);
        let damaged = Salvage::of(&text)?;
        let member = |name| damaged.member(name).map(Text::from);
        Some(Self {
            receipt: member("TransID")?,
            amount: member("TransAmount")?,
            short_code: member("BusinessShortCode")?,
            time: member("TransTime").unwrap_or_default(),
            account_reference: member("BillRefNumber").unwrap_or_default(),
            third_party_id: member("ThirdPartyTransID").unwrap_or_default(),
            msisdn: member("MSISDN").unwrap_or_default(),
        })
    }
}

/// A payment that was made: a fact, whatever we answer.
pub(crate) fn confirmation(
    settings: &Settings,
    terms: &Terms,
    body: &[u8],
) -> Result<PaymentNotice, CallbackError> {
    let c2b = read_object(body).or_else(|error| {
        let damaged = C2b::salvaged(body).ok_or(error)?;
        terms.details.left_out(Detail::Text, "a notification is no JSON, and is read by pattern");
        Ok(damaged)
    });
    let notice = notice(settings, terms, &c2b.map_err(|error| unreadable(&position(&error)))?)?;
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
    terms: &Terms,
    body: &[u8],
) -> Result<PaymentNotice, CallbackError> {
    let c2b = read_object(body).map_err(|error| unreadable(&position(&error)))?;
    notice(settings, terms, &c2b)
}

fn notice(settings: &Settings, terms: &Terms, c2b: &C2b) -> Result<PaymentNotice, CallbackError> {
    let short_code = c2b.short_code.get().ok_or_else(|| unreadable("it has no short code"))?;
    if !settings.short_codes.iter().any(|ours| ours == short_code) {
        return Err(unreadable("it is for another short code"));
    }
    let amount = c2b.amount.get().ok_or_else(|| unreadable("it has no amount"))?;
    // A number as programs print them: `1.0E7` is how Java writes ten million.
    let amount = Money::parse_number(amount, terms.currency)
        .map_err(|error| unreadable(&error.to_string()))?;
    if amount.is_zero() {
        return Err(unreadable("the amount is zero"));
    }
    let receipt = match c2b.receipt.get() {
        Some(text) => Some(readable_receipt(text).ok_or_else(|| unreadable("its TransID"))?),
        None => None,
    };
    Ok(PaymentNotice {
        receipt,
        // It may be masked, or a SHA-256 in hexadecimal: then it is not stated.
        msisdn: c2b.msisdn.get().and_then(|text| settings.numbers.stated(text)),
        amount,
        account_reference: c2b.account_reference.get().unwrap_or_default().to_owned(),
        reference: c2b.third_party_id.get().and_then(|text| Reference::parse(text).ok()),
        fee: None,
        at: c2b
            .time
            .get()
            .and_then(|text| terms.details.read(Detail::Time, moment(settings, text))),
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

/// `yyyymmddHHMMSS` in the market's local time; a time that cannot be read is not stated.
fn moment(settings: &Settings, text: &str) -> Result<Timestamp, &'static str> {
    let local = DateTime::strptime("%Y%m%d%H%M%S", text);
    let zoned = local.and_then(|local| local.to_zoned(settings.time_zone.clone()));
    let zoned = zoned.map_err(|_| "TransTime is not yyyymmddHHMMSS")?;
    Ok(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
}

/// The answer to a confirmation: a refusal would not undo the payment.
pub(crate) fn confirmation_reply() -> Value {
    json!({ "ResultCode": 0, "ResultDesc": "Success" })
}

/// The answer to a validation. The code selects the message that the customer gets: an account
/// number that does not exist, or no reason.
pub(crate) fn validation_reply(decision: &CallbackDecision) -> Value {
    match decision {
        CallbackDecision::Accepted | CallbackDecision::Taken(_) | CallbackDecision::State(_) => {
            json!({ "ResultCode": "0", "ResultDesc": "Accepted" })
        }
        CallbackDecision::Refused(_) => {
            json!({ "ResultCode": "C2B00012", "ResultDesc": "Rejected" })
        }
        CallbackDecision::Unreadable => {
            json!({ "ResultCode": "C2B00016", "ResultDesc": "Rejected" })
        }
    }
}
