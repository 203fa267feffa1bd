//! Payments that persons bring in by their receipts.

use kiungo_domain::{Money, Msisdn, Receipt};
use kiungo_provider::PaymentNotice;
use serde::{Deserialize, Serialize};

/// The method of the arrival that a claim becomes. No HTTP request has a method with a blank, so a
/// sender that knows the address of callbacks cannot claim.
pub(crate) const CLAIM_METHOD: &str = "KIUNGO CLAIM";

/// A payment that a person wants brought in by its receipt (a *claim*): the provider is asked, then
/// the ordinary pipeline runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentClaim {
    /// The provider's receipt.
    pub receipt: Receipt,
    /// The gross amount, as the person sees it; the provider's answer is compared with it.
    pub amount: Money,
    /// The payer, where the person knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msisdn: Option<Msisdn>,
    /// The account as the payer typed it, where the person knows it; else the money waits in
    /// suspense.
    #[serde(default)]
    pub account_reference: String,
}

/// The payment that a claim is about.
pub(crate) fn claimed(body: &[u8]) -> Option<PaymentNotice> {
    let claim: PaymentClaim = serde_json::from_slice(body).ok()?;
    Some(PaymentNotice {
        receipt: Some(claim.receipt),
        msisdn: claim.msisdn,
        amount: claim.amount,
        account_reference: claim.account_reference,
        reference: None,
        fee: None,
        at: None,
    })
}
