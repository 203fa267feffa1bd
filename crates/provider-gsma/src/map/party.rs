//! Reads the parties of a payment: they are lists of identifiers (`gsma-mobile-money-api.md` §7.2,
//! §10.1).

use kiungo_domain::Msisdn;
use kiungo_domain::numbering::Market;

use crate::config::{AccountId, Options};
use crate::wire::{KeyValue, Transaction};

/// The organisation's own account, under all names that the provider gives it.
#[derive(Debug, Clone)]
pub(crate) struct OwnAccount {
    names: Vec<AccountId>,
}

/// The direction in which the money went, seen from the organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Incoming,
    Outgoing,
    /// The parties do not say.
    Untold,
}

impl OwnAccount {
    pub(crate) fn new(options: &Options) -> Self {
        let names = std::iter::once(&options.account).chain(&options.account_aliases);
        Self { names: names.cloned().collect() }
    }

    /// True if this identifier is one of ours.
    pub(crate) fn is(&self, identifier: &KeyValue) -> bool {
        let same = |own: &AccountId, value: &str| {
            let number = Some(own).filter(|own| own.kind.eq_ignore_ascii_case("msisdn"));
            let number = number.and_then(|own| Msisdn::parse(own.id.trim_start_matches('+')).ok());
            own.id == value || number.is_some_and(|number| number.is_written(value))
        };
        self.names.iter().any(|own| identifier.is(&own.kind) && same(own, identifier.value()))
    }

    fn among(&self, party: Option<&[KeyValue]>) -> bool {
        party.unwrap_or_default().iter().any(|identifier| self.is(identifier))
    }

    /// The direction in which the money went. A missing party is the caller's own account (§10.1).
    pub(crate) fn direction(&self, transaction: &Transaction) -> Direction {
        let debit = given(transaction.debit_party.as_deref());
        let credit = given(transaction.credit_party.as_deref());
        match (self.named_direction(transaction), debit, credit) {
            (Direction::Untold, Some(_), None) => Direction::Incoming,
            (Direction::Untold, None, Some(_)) => Direction::Outgoing,
            (named, _, _) => named,
        }
    }

    /// The direction in which the money went, by the parties that are named alone.
    pub(crate) fn named_direction(&self, transaction: &Transaction) -> Direction {
        let debit = self.among(transaction.debit_party.as_deref());
        let credit = self.among(transaction.credit_party.as_deref());
        match (debit, credit) {
            (false, true) => Direction::Incoming,
            (true, false) => Direction::Outgoing,
            (true, true) | (false, false) => Direction::Untold,
        }
    }

    /// True if a party that should be us names another account of the kind that ours is.
    pub(crate) fn is_other(&self, party: Option<&[KeyValue]>) -> bool {
        let comparable =
            |identifier: &KeyValue| self.names.iter().any(|own| identifier.is(&own.kind));
        !self.among(party) && party.unwrap_or_default().iter().any(comparable)
    }
}

fn given(party: Option<&[KeyValue]>) -> Option<&[KeyValue]> {
    party.filter(|party| !party.is_empty())
}

/// The phone number of a party: the expected one if it is among them, in any notation, else the
/// first one that is stated in full. A number that is masked, hashed or cut off does not say whose
/// it is, and counts as not stated.
pub(crate) fn msisdn(
    party: Option<&[KeyValue]>,
    own: &OwnAccount,
    numbers: &Market,
    expected: Option<&Msisdn>,
) -> Option<Msisdn> {
    let stated = || {
        let identifiers = party.unwrap_or_default().iter();
        identifiers.filter(|identifier| identifier.is("msisdn") && !own.is(identifier))
    };
    let same = |expected: &&Msisdn| stated().any(|stated| expected.is_written(stated.value()));
    let first = || stated().find_map(|stated| numbers.stated(stated.value()));
    expected.filter(same).cloned().or_else(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> OwnAccount {
        let name = |kind: &str, id: &str| AccountId { kind: kind.to_owned(), id: id.to_owned() };
        OwnAccount { names: vec![name("accountid", "4400"), name("msisdn", "+26657999999")] }
    }

    fn party(identifiers: &[(&str, &str)]) -> Vec<KeyValue> {
        identifiers.iter().map(|(key, value)| KeyValue::new(key, value)).collect()
    }

    #[test]
    fn the_direction_follows_our_own_account() {
        let direction = |debit, credit| {
            let transaction =
                Transaction { debit_party: debit, credit_party: credit, ..Transaction::default() };
            own().direction(&transaction)
        };
        let wallet = Some(party(&[("msisdn", "+26657000001")]));
        let ours = Some(party(&[("AccountId", "4400")]));
        let number = Some(party(&[("msisdn", "26657999999")]));
        let other = Some(party(&[("accountid", "4401")]));
        assert_eq!(direction(wallet.clone(), ours.clone()), Direction::Incoming);
        assert_eq!(direction(ours.clone(), wallet.clone()), Direction::Outgoing);
        assert_eq!(direction(number, wallet.clone()), Direction::Outgoing);
        assert_eq!(direction(wallet.clone(), None), Direction::Incoming);
        assert_eq!(direction(Some(Vec::new()), wallet.clone()), Direction::Outgoing);
        assert_eq!(direction(wallet, other), Direction::Untold);
        assert_eq!(direction(ours.clone(), ours), Direction::Untold);
        assert_eq!(direction(None, None), Direction::Untold);
    }

    #[test]
    fn a_number_is_read_in_every_notation_and_a_masked_one_says_nothing() {
        let read = |market: &str, expected: &str, identifiers: &[(&str, &str)]| {
            let expected = Msisdn::parse(expected).unwrap();
            let numbers = Market::of(&[market]).unwrap();
            let read = msisdn(Some(&party(identifiers)), &own(), &numbers, Some(&expected));
            read.map(|number| number.digits().to_owned())
        };
        for (market, wallet, stated, expected) in [
            ("266", "26657000001", "+266 57000001", Some("26657000001")),
            ("266", "26657000001", "57000001", Some("26657000001")),
            ("266", "26657000001", "57000002", Some("26657000002")),
            ("266", "26657000001", "+26657****01", None),
            ("266", "26657000001", "+26657999999", None),
            ("255", "255700000001", "0700000001", Some("255700000001")),
            ("255", "255700000001", "700000001", Some("255700000001")),
            ("255", "255700000001", "00255700000001", Some("255700000001")),
            ("255", "255700000001", "tel:+255700000001", Some("255700000001")),
            ("255", "255700000001", "2557****0001", None),
            ("255", "255700000001", "2557****0002", None),
            ("255", "255700000001", "0700000002", Some("255700000002")),
            ("255", "255700000001", "+254700000001", Some("254700000001")),
        ] {
            let read = read(market, wallet, &[("msisdn", stated)]);
            assert_eq!(read.as_deref(), expected, "{stated}");
        }
        let both = [("MSISDN", "26657000002"), ("msisdn", "26657000001")];
        assert_eq!(read("266", "26657000001", &both).as_deref(), Some("26657000001"));
        let others = [("accountid", "7"), ("linkref", "8")];
        assert_eq!(read("266", "26657000001", &others), None);
    }
}
