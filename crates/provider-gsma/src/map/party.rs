//! Who paid whom: parties are lists of identifiers (`gsma-mobile-money-api.md` §7.2, §10.1).

use kiungo_domain::Msisdn;

use crate::config::{AccountId, Options};
use crate::wire::{KeyValue, Transaction};

/// The organisation's own account, under all names that the provider gives it.
#[derive(Debug, Clone)]
pub(crate) struct OwnAccount {
    names: Vec<AccountId>,
}

/// Which way the money went, seen from the organisation.
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

    /// Whether this identifier is one of ours.
    pub(crate) fn is(&self, identifier: &KeyValue) -> bool {
        let same = |own: &AccountId, value: &str| {
            if own.kind.eq_ignore_ascii_case("msisdn") {
                matches!((Msisdn::parse(&own.id), Msisdn::parse(value)), (Ok(a), Ok(b)) if a == b)
            } else {
                own.id == value
            }
        };
        self.names.iter().any(|own| identifier.is(&own.kind) && same(own, identifier.value()))
    }

    fn among(&self, party: Option<&[KeyValue]>) -> bool {
        party.unwrap_or_default().iter().any(|identifier| self.is(identifier))
    }

    /// Which way the money went. A missing party is the caller's own account (§10.1).
    pub(crate) fn direction(&self, transaction: &Transaction) -> Direction {
        let debit = given(transaction.debit_party.as_deref());
        let credit = given(transaction.credit_party.as_deref());
        match (self.named_direction(transaction), debit, credit) {
            (Direction::Untold, Some(_), None) => Direction::Incoming,
            (Direction::Untold, None, Some(_)) => Direction::Outgoing,
            (named, _, _) => named,
        }
    }

    /// Which way the money went, by the parties that are named alone.
    pub(crate) fn named_direction(&self, transaction: &Transaction) -> Direction {
        let debit = self.among(transaction.debit_party.as_deref());
        let credit = self.among(transaction.credit_party.as_deref());
        match (debit, credit) {
            (false, true) => Direction::Incoming,
            (true, false) => Direction::Outgoing,
            (true, true) | (false, false) => Direction::Untold,
        }
    }

    /// Whether a party that should be us names another account of the kind that ours is.
    pub(crate) fn is_other(&self, party: Option<&[KeyValue]>) -> bool {
        let comparable =
            |identifier: &KeyValue| self.names.iter().any(|own| identifier.is(&own.kind));
        !self.among(party) && party.unwrap_or_default().iter().any(comparable)
    }
}

fn given(party: Option<&[KeyValue]>) -> Option<&[KeyValue]> {
    party.filter(|party| !party.is_empty())
}

/// The phone number of a party: the one that is expected if it is among them, else the first one.
/// `Ok(None)` if none is stated, `Err` if what is stated is no full number.
pub(crate) fn msisdn(
    party: Option<&[KeyValue]>,
    own: &OwnAccount,
    expected: Option<&Msisdn>,
) -> Result<Option<Msisdn>, Masked> {
    let stated = party.unwrap_or_default().iter();
    let numbers: Vec<_> = stated
        .filter(|identifier| identifier.is("msisdn") && !own.is(identifier))
        .map(|identifier| Msisdn::parse(identifier.value()))
        .collect();
    if numbers.is_empty() {
        return Ok(None);
    }
    let readable: Vec<Msisdn> = numbers.into_iter().flatten().collect();
    let same = readable.iter().find(|number| Some(*number) == expected);
    same.or(readable.first()).cloned().map(Some).ok_or(Masked)
}

/// A phone number is stated, but not in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Masked;

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
    fn a_number_is_read_in_every_spelling_and_a_masked_one_is_said_to_be_masked() {
        let expected = Msisdn::parse("26657000001").unwrap();
        let read = |identifiers: &[(&str, &str)]| {
            msisdn(Some(&party(identifiers)), &own(), Some(&expected))
        };
        assert_eq!(read(&[("msisdn", "+266 57000001")]), Ok(Some(expected.clone())));
        assert_eq!(
            read(&[("MSISDN", "26657000002"), ("msisdn", "26657000001")]),
            Ok(Some(expected.clone()))
        );
        assert_eq!(read(&[("accountid", "7"), ("linkref", "8")]), Ok(None));
        assert_eq!(read(&[("msisdn", "+26657****01")]), Err(Masked));
        assert_eq!(read(&[("msisdn", "+26657999999")]), Ok(None));
    }
}
