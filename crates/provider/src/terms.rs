//! The terms that a mapping file sets for every adapter alike: money format, code tables, callback
//! address.

use kiungo_domain::numbering::Market;
use kiungo_domain::{Currency, Money};
use kiungo_mapping::{CodeLine, CodeTables, Mapping, StatusTables};

use crate::Details;
use crate::order::WalletOperation;

/// The terms under which an adapter talks to its provider.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The one currency of this provider.
    pub currency: Currency,
    /// The phone numbers of its wallets.
    pub numbers: Market,
    /// The number of decimals that the provider takes; at most the currency's. Tanzanian shillings
    /// have two by ISO and are used whole.
    pub decimals: u8,
    /// The meanings of the provider's codes.
    pub codes: CodeTables,
    /// The meanings of the provider's words for the state of an operation.
    pub statuses: StatusTables,
    /// The address at which the provider calls back, with the secret and a trailing slash; `None`
    /// if it cannot.
    pub callback_base: Option<String>,
    /// The reader of details that are left out if they cannot be read.
    pub details: Details,
}

impl Terms {
    /// The terms that a mapping sets.
    pub fn of(mapping: &Mapping) -> Self {
        Self {
            currency: mapping.money().currency,
            numbers: mapping.numbers().clone(),
            decimals: mapping.money().decimals,
            codes: mapping.codes().clone(),
            statuses: mapping.statuses().clone(),
            callback_base: None,
            details: Details::of(mapping.id()),
        }
    }

    /// The reason that the provider cannot take exactly this amount; `None` if it can.
    pub fn refuses(&self, amount: Money) -> Option<String> {
        if amount.currency() != self.currency {
            return Some(format!(
                "the provider works in {}, not {}",
                self.currency,
                amount.currency()
            ));
        }
        (!amount.fits(self.decimals))
            .then(|| format!("the provider takes {} decimals, {amount} has more", self.decimals))
    }

    /// The meaning of a status word for every operation, whatever its case; `None` if it is not
    /// listed.
    pub fn status(&self, word: &str) -> Option<&CodeLine> {
        self.statuses.all.get(&word.to_ascii_lowercase())
    }

    /// The meaning of a status word for the operation that was asked about, whatever its case;
    /// `None` if it is not listed.
    pub fn status_of(&self, operation: WalletOperation, word: &str) -> Option<&CodeLine> {
        self.statuses.meaning(operation.into(), &word.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use kiungo_domain::transfer::Operation;
    use kiungo_mapping::{Lines, Meaning};

    use super::*;

    fn terms(decimals: u8) -> Terms {
        Terms {
            currency: Currency::from_code("TZS").unwrap(),
            numbers: Market::of(&["255"]).unwrap(),
            decimals,
            codes: CodeTables::default(),
            statuses: StatusTables::default(),
            callback_base: None,
            details: Details::default(),
        }
    }

    #[test]
    fn an_amount_finer_than_the_provider_takes_is_refused() {
        let amount = |text| Money::parse(text, Currency::from_code("TZS").unwrap()).unwrap();
        assert_eq!(terms(0).refuses(amount("125")), None);
        assert!(terms(0).refuses(amount("125.50")).is_some());
        assert_eq!(terms(2).refuses(amount("125.50")), None);
        let ugx = Money::parse("5", Currency::from_code("UGX").unwrap()).unwrap();
        assert!(terms(0).refuses(ugx).is_some());
    }

    #[test]
    fn a_status_word_may_mean_another_thing_for_one_operation() {
        let line = |text: &str| CodeLine {
            means: Meaning::Rejected,
            reason: None,
            retry: None,
            text: Some(text.to_owned()),
        };
        let mut terms = terms(0);
        terms.statuses.all.insert("cancelled".to_owned(), line("by the provider"));
        let own = Lines::from([("cancelled".to_owned(), line("by the customer"))]);
        terms.statuses.own = [(Operation::Collect, own)].into_iter().collect();
        let text = |operation| terms.status_of(operation, "Cancelled")?.text.clone();
        assert_eq!(text(WalletOperation::Collect).as_deref(), Some("by the customer"));
        assert_eq!(text(WalletOperation::PayOut).as_deref(), Some("by the provider"));
        assert_eq!(text(WalletOperation::Reverse).as_deref(), Some("by the provider"));
        assert_eq!(terms.status_of(WalletOperation::Collect, "lost"), None);
        assert_eq!(terms.statuses.lines().count(), 2);
    }
}
