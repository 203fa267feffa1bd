//! The messages on the wire, exactly: both date shapes, the three paging shapes, amounts as text
//! (`fineract.md` §2.2). Unknown members are ignored.

mod account;
mod command;
mod date;
mod decimal;
mod error;
mod page;
mod requests;
mod transaction;

use kiungo_transport::content;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

pub(crate) use account::{
    Accounts, Client, ClientHit, Currency, ListedAccount, Loan, SavingsAccount, SearchHit,
};
pub(crate) use command::{Changes, CommandResult};
pub(crate) use date::Date;
pub(crate) use decimal::Decimal;
pub(crate) use error::ErrorBody;
pub(crate) use page::Page;
pub(crate) use requests::{RequestOwner, RequestedLoan, RequestedSavings};
pub(crate) use transaction::{
    LoanTransaction, LoanTransactions, PaymentDetail, SavingsTransaction,
};

/// Reads a JSON object. A list is refused, although serde would read one as a struct, its elements
/// as the members in our order: an element without a name says nothing.
pub(crate) fn read_object<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    let text = content::text(body);
    if text.trim_start().starts_with('[') {
        return Err(serde::de::Error::custom("an object was expected"));
    }
    serde_json::from_str(&text)
}

/// A text, or something else where no text was given: an empty external id prints as `null` or
/// `{}`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "TextOrNot")]
pub(crate) struct Text(pub(crate) Option<String>);

impl Text {
    /// The text, if there is one that is not blank.
    pub(crate) fn get(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.trim().is_empty())
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrNot {
    Text(String),
    Other(IgnoredAny),
}

impl From<TextOrNot> for Text {
    fn from(value: TextOrNot) -> Self {
        match value {
            TextOrNot::Text(text) => Self(Some(text)),
            TextOrNot::Other(IgnoredAny) => Self(None),
        }
    }
}

/// An enumerated value: only its number is read, the rest is for people.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Enumerated {
    pub(crate) id: u64,
}
