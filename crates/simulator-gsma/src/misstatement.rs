//! The provider at odds with its books: the draws of its conduct, an empty float, and transactions
//! that are stated otherwise than they are.

use std::sync::PoisonError;

use kiungo_domain::{Money, Timestamp};
use serde_json::{Value, json};

use super::Simulator;
use super::conduct::Place;
use super::format::pair;
use super::state::Transaction;

impl Simulator {
    /// True if a piece of conduct befalls `key` this time.
    pub(super) fn happens(&self, name: &str, key: &str, rate: u16) -> bool {
        let mut draws = self.inner.draws.lock().unwrap_or_else(PoisonError::into_inner);
        draws.happens(self.inner.faults.seed(), name, key, rate)
    }

    /// True if the float is empty now, by the options.
    pub(super) fn float_is_empty(&self, began: Timestamp) -> bool {
        let Some((from, to)) = self.options().conduct.float_empty_ms else { return false };
        let since = self.now().as_micros().saturating_sub(began.as_micros()).max(0) / 1_000;
        (from..to).contains(&u64::try_from(since).unwrap_or(0))
    }

    /// The transaction as it is stated at `place`, which is not always as it is.
    pub(super) fn misstate(&self, place: Place, of: &Transaction, body: &mut Value) {
        let conduct = &self.options().conduct;
        if !conduct.other_in.contains(&place) {
            return;
        }
        let happens = |name: &str, rate| self.happens(name, &of.key, rate);
        if happens("other_amount", conduct.other_amount) {
            let other = of.amount.minor().saturating_add(100);
            let other = Money::from_minor(other, of.amount.currency());
            body["amount"] = other.map(Money::to_short_decimal).unwrap_or_default().into();
        }
        if happens("other_wallet", conduct.other_wallet) {
            let other = json!([pair("msisdn", "+255799999999")]);
            body[of.customers_side()] = other;
        }
        if happens("other_reference", conduct.other_reference) {
            let name = "requestingOrganisationTransactionReference";
            let other = body[name].as_str().map_or_else(|| "OTHER".to_owned(), other_digit);
            body[name] = other.into();
        }
        if happens("other_receipt", conduct.other_receipt) {
            body["transactionReference"] = of.reference.replacen("REF-", "REF-8", 1).into();
        }
    }
}

/// The same text with another first character, so that it is of the same form.
fn other_digit(text: &str) -> String {
    let mut letters = text.chars();
    let first = if letters.next() == Some('1') { '2' } else { '1' };
    std::iter::once(first).chain(letters).collect()
}
