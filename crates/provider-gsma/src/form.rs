//! The forms of fields that the provider sends us (`gsma-mobile-money-api.md` §2.1, §7.1), and the refusal
//! of what is not of its form.

use kiungo_domain::{Currency, Money};
use kiungo_provider::{Refusal, RefusedFor};

use crate::wire::Text;

/// The amount pattern of 1.2.0, which takes all that 1.1.2's takes (§7.1).
pub(crate) const AMOUNT: &str = "^([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[0-9])?$";
/// The form of a currency (§7.1).
const CURRENCY: &str = "^[A-Z]{3}$";
/// The form of a correlation id (§2.1).
pub(crate) const UUID: &str =
    "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$";

/// A field that is not of its form.
pub(crate) fn malformed(field: &'static str, form: &'static str, message: &str) -> Refusal {
    Refusal { reason: RefusedFor::Form(field, form), message: message.to_owned() }
}

/// A field that is not there.
pub(crate) fn missing(field: &'static str) -> Refusal {
    Refusal { reason: RefusedFor::Missing(field), message: format!("{field} is missing") }
}

/// Reads the amount of a payment: of the pattern, not zero, and in the provider's one currency.
/// `field` is the amount's name.
pub(crate) fn amount(
    field: &'static str,
    amount: Option<&Text>,
    currency: Option<&Text>,
    own: Currency,
) -> Result<Money, Refusal> {
    let code = currency.map(Text::raw).filter(|code| !code.is_empty());
    let code = code.ok_or_else(|| missing("currency"))?;
    if code != own.code() {
        let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        return Err(if is_code {
            let message = format!("the currency is {}", own.code());
            Refusal { reason: RefusedFor::Currency, message }
        } else {
            malformed("currency", CURRENCY, "the currency is malformed")
        });
    }
    let text = amount.map(Text::raw).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| missing(field))?;
    if !is_amount(text) {
        return Err(malformed(field, AMOUNT, "the amount is malformed"));
    }
    let amount = Money::parse(text, own);
    let amount = amount.map_err(|_| {
        let message = format!("{} cannot express the amount", own.code());
        malformed(field, AMOUNT, &message)
    })?;
    if amount.is_zero() {
        return Err(malformed(field, AMOUNT, "the amount is zero"));
    }
    Ok(amount)
}

fn is_amount(text: &str) -> bool {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && whole.len() <= 18
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(|fraction| digits(fraction) && fraction.len() <= 4)
}

/// True if a text has the form of a correlation id (§2.1).
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_checked_by_pattern_zero_and_currency() {
        let lsl = Currency::from_code("LSL").unwrap();
        let checked = |text: &str, currency: &str| {
            amount("amountPaid", Some(&text.into()), Some(&currency.into()), lsl)
                .map(Money::minor)
                .map_err(|refusal| {
                    crate::offer::error(&refusal).1["errorCode"].as_str().unwrap().to_owned()
                })
        };
        for (text, minor) in [("5", 500), ("5.3", 530), ("5.30", 530), ("0.5", 50), ("5.00", 500)] {
            assert_eq!(checked(text, "LSL"), Ok(minor), "{text}");
        }
        for text in [
            "0",
            "0.00",
            "00.00",
            " 5 ",
            "05",
            "5.",
            ".5",
            "-5",
            "5.305",
            "1e3",
            "1,000",
            "1000000000000000000",
            "999999999999999999",
            "٣",
        ] {
            assert_eq!(checked(text, "LSL"), Err("formatError".to_owned()), "{text}");
        }
        assert_eq!(checked("", "LSL"), Err("mandatoryValueNotSupplied".to_owned()));
        assert_eq!(checked("5", "GBP"), Err("currencyNotSupported".to_owned()));
        assert_eq!(checked("5", ""), Err("mandatoryValueNotSupplied".to_owned()));
        assert_eq!(checked("5", "lsl"), Err("formatError".to_owned()));
        assert_eq!(checked("5", "USDD"), Err("formatError".to_owned()));
    }
}
