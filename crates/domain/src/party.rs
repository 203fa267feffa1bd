//! The parties of a transfer: phone numbers and accounts in the core.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::identity::{CoreId, Slot};

/// A phone number in international form: digits only, country code first, no `+`.
///
/// Printing it (`Debug`, `Display`) masks the middle, so that a full number never reaches a log or
/// an error; [`Msisdn::digits`] is for requests and for the database.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Msisdn(Box<str>);

/// The text is not a phone number in its normal form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a phone number is 6 to 15 digits in international form, for example 255712345678")]
pub struct MsisdnError;

impl Msisdn {
    /// Takes a number that is in its normal form already. The numbers that people, cores and
    /// providers write are read by [`crate::numbering::Market::read`].
    ///
    /// Only the length is checked: sandboxes use numbers such as `000000000001`
    /// (`mpesa-openapi.md` §1), so national numbering plans do not apply here.
    pub fn parse(digits: &str) -> Result<Self, MsisdnError> {
        let plausible =
            (6..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if plausible { Ok(Self(digits.into())) } else { Err(MsisdnError) }
    }

    /// All digits, country code first.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.len().min(9) / 3;
        write!(f, "{}****{}", &self.0[..shown], &self.0[self.0.len() - 2..])
    }
}

impl fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Msisdn {
    type Error = MsisdnError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Msisdn> for String {
    fn from(msisdn: Msisdn) -> Self {
        msisdn.0.into_string()
    }
}

/// The two kinds of account that money is moved to and from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// A savings account.
    Savings,
    /// A loan.
    Loan,
}

impl AccountKind {
    /// The word used in the API and in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Savings => "savings",
            Self::Loan => "loan",
        }
    }
}

/// The name of an account before the core has been asked about it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKey {
    /// The core's numeric id.
    Id(u64),
    /// The number printed for the customer.
    AccountNo(String),
    /// An id given by another system.
    ExternalId(String),
    /// The one account of this kind whose owner has the phone number.
    Phone(Msisdn),
}

/// An account as somebody named it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AccountRef {
    /// Savings or loan; `None` where a payer wrote only a number.
    pub kind: Option<AccountKind>,
    /// The name.
    pub key: AccountKey,
}

impl AccountRef {
    /// The name as bytes, with its kind: equal names have equal bytes, whether or not the kind of
    /// account is known yet.
    fn name(&self) -> (&'static [u8], String) {
        match &self.key {
            AccountKey::Id(id) => (b"id", id.to_string()),
            AccountKey::AccountNo(number) => (b"no", number.clone()),
            AccountKey::ExternalId(id) => (b"external", id.clone()),
            AccountKey::Phone(msisdn) => (b"phone", msisdn.digits().to_owned()),
        }
    }

    /// The slot of transfers that name this account first.
    pub fn slot(&self, core: &CoreId) -> Slot {
        let (kind, name) = self.name();
        Slot::of(&[core.as_str().as_bytes(), kind, name.as_bytes()])
    }
}

/// An account as the core knows it: found, and identified by the core's own id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CoreAccount {
    /// Savings or loan.
    pub kind: AccountKind,
    /// The core's numeric id.
    pub id: u64,
}

impl fmt::Display for CoreAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.id)
    }
}

/// The longest label that every provider takes (`mpesa-openapi.md` §5).
const LABEL_CHARS_MAX: usize = 20;

/// The label that a customer sees for the account with this printed number, and that a payment to it
/// may name: its letters and digits. `None` if it has none.
pub fn label_of(account_no: &str) -> Option<String> {
    let label: String =
        account_no.chars().filter(char::is_ascii_alphanumeric).take(LABEL_CHARS_MAX).collect();
    (!label.is_empty()).then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_shown_masked() {
        let msisdn = Msisdn::parse("255712345678").expect("a number");
        assert_eq!(msisdn.digits(), "255712345678");
        assert_eq!(format!("{msisdn} {msisdn:?}"), "255****78 255****78");
    }

    #[test]
    fn a_name_in_another_form_is_refused() {
        for text in
            ["", "12345", "1234567890123456", "07x2345678", "+255712345678", "255 712345678"]
        {
            assert!(Msisdn::parse(text).is_err(), "{text}");
        }
    }
}
