//! The amounts by which published suites decide the outcome of an order
//! (`gsma-mobile-money-api.md` §15.3).

use kiungo_domain::{Money, Timestamp};

use super::error::{ApiError, Category};

/// The failure that a compliance amount stands for (§15.3).
pub(super) fn failure(
    kind: &str,
    amount: Money,
    same_parties: bool,
    now: Timestamp,
) -> Option<ApiError> {
    let is = |text: &str| Money::parse(text, amount.currency()) == Ok(amount);
    let (category, code) = match kind {
        "merchantpay" if is("7") && same_parties => (Category::BusinessRule, "samePartiesError"),
        "merchantpay" if is("10") => (Category::Validation, "genericError"),
        "merchantpay" if is("17") => (Category::BusinessRule, "insufficientFunds"),
        "disbursement" if is("51") => (Category::BusinessRule, "insufficientFunds"),
        "adjustment" if is("61") => (Category::Validation, "mandatoryValueNotSupplied"),
        _ => return None,
    };
    Some(ApiError::new(category, code, "Triggered by the amount", now))
}
