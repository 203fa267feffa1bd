//! A simulator's books: the truth that an audit compares.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One executed movement between a customer and the organisation (provider), or on an account
/// (core). A reversal or undo is a movement of its own that names the one it takes back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// The simulator's id: a provider's receipt, a core's transaction id.
    pub receipt: String,
    /// The client's id for the operation, as it came over the wire; empty if started at the wallet.
    pub reference: String,
    /// `collect`, `pay_out`, `reverse`, `payment` (started at the wallet); or `deposit`, `repay`,
    /// `withdraw`, `disburse`, `undo`.
    pub operation: String,
    /// The customer's number, or the core account as `savings:34` / `loan:3`.
    pub party: String,
    /// Minor units (ISO 4217), never negative.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// The receipt of the movement that this one takes back; empty otherwise.
    #[serde(default)]
    pub takes_back: String,
    /// The text that the payer typed as account (provider), or the provider's receipt that the core
    /// was told (`receiptNumber`); empty if none.
    #[serde(default)]
    pub label: String,
    /// The day for which the core booked it, as `2026-03-02`; empty at a provider.
    #[serde(default)]
    pub value_date: String,
    /// True if no request asked for it now: an approval after a refusal or a second one, a reversal of
    /// the provider's own, a charge.
    #[serde(default)]
    pub unasked: bool,
}

/// The books as `GET /_sim/books` shows them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// Balances in minor units by party; `float` is the organisation's at a provider.
    pub balances: BTreeMap<String, i64>,
    /// The balance of each party at the start, in the same form.
    pub opening: BTreeMap<String, i64>,
    /// Every movement in order.
    pub movements: Vec<Movement>,
}
