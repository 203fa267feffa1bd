//! What a provider tells us unasked (rule 6: a hint, unless it is signed).

use bytes::Bytes;
use kiungo_domain::{Finding, Money, Msisdn, Receipt, Reference, Timestamp};
use thiserror::Error;

/// A callback as it arrived, behind `/callbacks/{provider}/{secret}/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCallback {
    /// The method, upper case.
    pub method: String,
    /// The path behind the secret, without a leading slash, and still percent-encoded.
    pub path: String,
    /// The headers, names in lower case; `authorization` and cookies are not kept.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Bytes,
}

impl RawCallback {
    /// The first value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What a callback says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackNews {
    /// The result of an operation of ours.
    Result {
        /// Our reference, if the callback names it (in its body, header or path).
        reference: Option<Reference>,
        /// What it claims.
        finding: Finding,
    },
    /// The answer to an inquiry of ours, which the provider gives by callback. The adapter has made
    /// sure that it answers a question that we asked: it counts as an inquiry's finding, and asking
    /// again would only bring another callback. What it leaves unclear, a person has to clear up.
    Answer {
        /// The operation that was asked about.
        reference: Reference,
        /// What was found.
        finding: Finding,
    },
    /// Nothing that matters to anybody: the answer to a question that was put to see whether the
    /// provider answers.
    Nothing,
    /// A customer has paid by himself.
    Payment(PaymentNotice),
    /// A customer is about to pay by himself, and the provider asks whether to take it.
    Validation(PaymentNotice),
}

/// A payment that a customer started at the wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentNotice {
    /// The provider's id for it. In a validation it may not exist yet: then `None`.
    pub receipt: Option<Receipt>,
    /// The payer, where the provider says it in full.
    pub msisdn: Option<Msisdn>,
    /// The gross amount.
    pub amount: Money,
    /// What the payer typed as account.
    pub account_reference: String,
    /// Our own reference, where the payment turns out to be one that we asked for.
    pub reference: Option<Reference>,
    /// When the provider recorded it.
    pub at: Option<Timestamp>,
}

/// What we answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Stored; or, for a validation: take the payment.
    Accepted,
    /// For a validation: do not take the payment. The text is for the provider's log.
    Refused(String),
    /// It cannot be read; it has been kept for a person.
    Unreadable,
}

/// The answer in the provider's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackReply {
    /// The HTTP status.
    pub status: u16,
    /// The body with its content type; `None` for an empty one.
    pub body: Option<(&'static str, Bytes)>,
}

/// A callback that cannot be read; it is kept whole, with this reason (rule 12).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallbackError {
    /// No callback of this provider has this path or method.
    #[error("no callback of this provider is sent with {0}")]
    UnknownPath(String),
    /// The body is not what the path promises.
    #[error("the body cannot be read: {0}")]
    Unreadable(String),
    /// The signature is missing or wrong.
    #[error("the signature is missing or wrong")]
    BadSignature,
}
