//! The mandates of direct debits, as data (`mpesa-openapi.md` §6).

use std::collections::BTreeMap;

/// Mandates by the client's reference.
#[derive(Debug, Default)]
pub(super) struct Mandates {
    pub(super) by_reference: BTreeMap<String, Mandate>,
    pub(super) count: u64,
}

/// A customer's consent to be debited.
#[derive(Debug, Clone)]
pub(super) struct Mandate {
    pub(super) id: String,
    pub(super) party: String,
    pub(super) token: String,
    pub(super) active: bool,
    pub(super) first_payment: String,
    pub(super) frequency: String,
    pub(super) days: (String, String),
    pub(super) expiry: String,
}
