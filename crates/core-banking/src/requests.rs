//! The requests of a core for payouts: loans that were approved, withdrawals that staff requested.
//!
//! A hook only says that there may be something (rule 6: it is not signed); the request itself is
//! read from the core. Nothing here moves money.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use kiungo_domain::{CoreAccount, Kind, Money, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A core that can be asked what it wants paid out.
#[async_trait]
pub trait CoreRequests: Send + Sync {
    /// Lists the requests that are open now, a page at a time. One that is opened or settled
    /// between two pages may be missed: it is there the next time.
    async fn list(
        &self,
        after: Option<&PageMark>,
        at: Timestamp,
    ) -> Result<RequestPage, RequestsError>;

    /// A request with all its facts; `None` if it is not open.
    async fn read(
        &self,
        id: &RequestId,
        at: Timestamp,
    ) -> Result<Option<CoreRequest>, RequestsError>;

    /// Reads the hint of a hook.
    fn hint(&self, hook: &RawHook) -> Hint;
}

/// The name of a request within its core, always the same: `loan-123`. 1 to 64 lower-case letters,
/// digits and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestId(String);

/// The text names no request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the name of a core's request is 1 to 64 of a-z, 0-9 and -, for example loan-123")]
pub struct RequestIdError;

impl RequestId {
    /// Reads a name.
    pub fn new(text: &str) -> Result<Self, RequestIdError> {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(fits);
        if fits { Ok(Self(text.to_owned())) } else { Err(RequestIdError) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RequestId {
    type Error = RequestIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text)
    }
}

impl From<RequestId> for String {
    fn from(id: RequestId) -> Self {
        id.0
    }
}

/// The kind of payment that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// A loan paid out to a wallet.
    Disbursement,
    /// Money of a savings account paid out to a wallet.
    Withdrawal,
}

impl RequestKind {
    /// The kind of transfer that it becomes.
    pub const fn transfer(self) -> Kind {
        match self {
            Self::Disbursement => Kind::Disbursement,
            Self::Withdrawal => Kind::Withdrawal,
        }
    }

    /// The word used in the configuration and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disbursement => "disbursement",
            Self::Withdrawal => "withdrawal",
        }
    }
}

/// A payout that a core asks for, as it says now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreRequest {
    /// Its name.
    pub id: RequestId,
    /// The kind of payment that is asked for.
    pub kind: RequestKind,
    /// The account.
    pub account: CoreAccount,
    /// The number printed for the customer.
    pub account_no: String,
    /// The gross amount that the core is to book.
    pub amount: Money,
    /// The facts that rules may ask about.
    pub facts: Facts,
    /// The reason that it cannot be paid out as it is, for people; `None` if nothing is known that
    /// speaks against it.
    pub obstacle: Option<String>,
}

/// The facts that rules may ask about a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The product's id.
    pub product: Option<u64>,
    /// The id of the owner's office.
    pub office: Option<u64>,
    /// The owner's phone number, as the core keeps it: free text.
    pub phone: Option<String>,
    /// Fields of data tables: `table.column` of the account, `client/table.column` of its owner. One
    /// that is empty is not there.
    pub fields: BTreeMap<String, String>,
    /// True if phone and fields have been read; otherwise only the present ones are known.
    pub complete: bool,
}

/// A part of what is open. Where several kinds are open, they take turns: many of one keep none of
/// another waiting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestPage {
    /// The requests.
    pub listed: Vec<Listed>,
    /// The start of the next page; `None` on the last.
    pub next: Option<PageMark>,
    /// The reason that a part of the open requests could not be listed, where the rest could.
    pub failed: Option<RequestsError>,
}

/// A request in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub id: RequestId,
    /// The request as the list shows it, without all facts ([`Facts::complete`]); `None` where the
    /// list only names it.
    pub request: Option<CoreRequest>,
}

/// The end of a page; only the adapter that made it knows what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageMark(pub String);

/// A hook as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawHook {
    /// Header names in lower case, and their values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl RawHook {
    /// The first header of this name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The hint of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// This request may be open.
    Request(RequestId),
    /// A request may be open: the list tells.
    Somewhere,
    /// The hook does not concern us.
    Nothing,
}

/// The core gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RequestsError(pub String);
