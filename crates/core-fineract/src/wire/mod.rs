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

use kiungo_transport::json::Literal;
use serde::Deserialize;

pub(crate) use account::{
    Accounts, Client, ClientHit, Currency, ListedAccount, Loan, SavingsAccount, SearchHit,
};
pub(crate) use command::{Changes, CommandResult};
pub(crate) use date::Date;
pub(crate) use decimal::Decimal;
pub(crate) use error::ErrorBody;
pub(crate) use kiungo_transport::json::read_object;
pub(crate) use page::Page;
pub(crate) use requests::{RequestOwner, RequestedLoan, RequestedSavings};
pub(crate) use transaction::{
    LoanTransaction, LoanTransactions, PaymentDetail, SavingsTransaction,
};

/// A text, or something else where no text was given: an empty external id prints as `null` or
/// `{}`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "Literal")]
pub(crate) struct Text(pub(crate) Option<String>);

impl Text {
    /// The text, if there is one that is not blank.
    pub(crate) fn get(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.trim().is_empty())
    }
}

impl From<Literal> for Text {
    fn from(literal: Literal) -> Self {
        match literal {
            Literal::String(text) => Self(Some(text)),
            _ => Self(None),
        }
    }
}

/// An enumerated value: only its number is read, the rest is for people.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Enumerated {
    pub(crate) id: u64,
}
