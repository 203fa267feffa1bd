//! The conduct of a provider that no request asks for: charges, late and double approvals,
//! reversals of its own, an empty float, statements that differ from the books.
//!
//! Rates are parts per 10,000. A draw depends on the seed, the business content, and how often that
//! content was drawn before, as with [`kiungo_simulator::faults`].

use std::collections::BTreeMap;
use std::sync::PoisonError;

use kiungo_domain::{Money, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Simulator;
use super::callback::pair;
use super::state::Transaction;

/// The conduct of the provider beyond its answers; nothing of it happens unless an option says so.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools)] // They are switches, independent of each other.
pub struct Conduct {
    /// True if a correlation id that was used before is refused. If not, the operation is carried
    /// out again; `/responses` still leads to the first.
    pub deduplicates: bool,
    /// The charge for an operation (`collect`, `pay_out`, `payment`) beside its amount. Answers
    /// state it in `fees`; it stands in the books as operation `fee`.
    pub charges: BTreeMap<String, Charge>,
    /// From when until when payouts are refused because the float is empty (`insufficientFunds`), in
    /// milliseconds since the simulator's start, whatever the float holds.
    pub float_empty_ms: Option<(u64, u64)>,
    /// Collections that are refused or expire, and that the customer nevertheless approves `late_ms`
    /// afterwards: carried out, and called back once more.
    pub approved_late: u16,
    /// Collections that the customer approves once more `late_ms` afterwards: a second transaction
    /// with a reference of its own under the same client reference.
    pub approved_twice: u16,
    /// Completed collections, payouts and payments that the provider takes back `late_ms` afterwards,
    /// unasked. The transaction says `reversed` from then on.
    pub reversed_later: u16,
    /// True if such a reversal is called back to where the result was.
    pub reversals_told: bool,
    /// The delay of "late".
    pub late_ms: u64,
    /// Transactions that are stated with another amount than the books have.
    pub other_amount: u16,
    /// Transactions that are stated with another customer's number.
    pub other_wallet: u16,
    /// Transactions that are stated with another client reference.
    pub other_reference: u16,
    /// Transactions that are stated under another transaction reference.
    pub other_receipt: u16,
    /// The places of such statements.
    pub other_in: Vec<Place>,
    /// Collections that are told as payments, too, in the form of `notify`.
    pub collections_told: u16,
    /// True if such a notification says the customer's number; else it is masked.
    pub told_with_number: bool,
    /// True if such a notification carries the client reference.
    pub told_with_reference: bool,
}

impl Default for Conduct {
    fn default() -> Self {
        Self {
            deduplicates: true,
            charges: BTreeMap::new(),
            float_empty_ms: None,
            approved_late: 0,
            approved_twice: 0,
            reversed_later: 0,
            reversals_told: false,
            late_ms: 60_000,
            other_amount: 0,
            other_wallet: 0,
            other_reference: 0,
            other_receipt: 0,
            other_in: vec![Place::Answers, Place::Inquiries, Place::Callbacks],
            collections_told: 0,
            told_with_number: true,
            told_with_reference: true,
        }
    }
}

/// A charge for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charge {
    /// In minor units of the operation's currency.
    pub minor: i64,
    /// The payer of the charge.
    pub paid_by: PaidBy,
}

/// The payer of a charge. Answers say it as the fee's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaidBy {
    /// The customer, on top of what he pays or out of what he has.
    Customer,
    /// The organisation, out of its float, as far as that goes.
    Organisation,
}

impl PaidBy {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Organisation => "organisation",
        }
    }
}

/// The place where a transaction is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the answer to its creation.
    Answers,
    /// In the answers to inquiries.
    Inquiries,
    /// In callbacks and notifications.
    Callbacks,
}

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

#[cfg(test)]
mod tests {
    use kiungo_simulator::chance::Draws;

    #[test]
    fn a_rate_is_kept_and_a_content_is_drawn_anew_each_time() {
        let mut draws = Draws::default();
        let hits = (0..10_000).filter(|_| draws.happens(7, "late", "one", 1_000)).count();
        assert!((800..1_200).contains(&hits), "{hits}");
        assert!((0..100).all(|_| !draws.happens(7, "late", "one", 0)));
        assert!((0..100).all(|_| draws.happens(7, "late", "one", 10_000)));
    }
}
