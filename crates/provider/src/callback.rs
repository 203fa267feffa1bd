//! The messages that a provider sends us unasked (rule 6: a hint, unless it is signed).

use std::fmt;

use bytes::Bytes;
use kiungo_domain::outcome::Reason;
use kiungo_domain::{Finding, Money, Msisdn, Receipt, Reference, Timestamp};
use kiungo_transport::content::{self, ContentError};
use serde_json::Value;
use thiserror::Error;
use uuid::Uuid;

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

    /// The same callback with its body unpacked from `gzip`, so that people can read the stored
    /// one. A body that cannot be unpacked stays as it came, for a person.
    ///
    /// # Errors
    /// The body unpacks to more than `bytes_max` bytes.
    pub fn unpacked(mut self, bytes_max: usize) -> Result<Self, TooLong> {
        let is_coding = |name: &str| name == "content-encoding";
        let named = self.headers.iter().filter(|(name, _)| is_coding(name));
        let codings: Vec<&str> = named.map(|(_, value)| value.as_str()).collect();
        if codings.is_empty() {
            return Ok(self);
        }
        match content::unpacked(&codings.join(","), self.body.clone(), bytes_max) {
            Ok(body) => {
                self.body = body;
                self.headers.retain(|(name, _)| !is_coding(name) && name != "content-length");
                Ok(self)
            }
            Err(ContentError::TooLong { bytes_max }) => Err(TooLong { bytes_max }),
            Err(ContentError::Coding(_) | ContentError::Damaged) => Ok(self),
        }
    }
}

/// A callback is longer than may be, once it is unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the body has more than {bytes_max} bytes when it is unpacked")]
pub struct TooLong {
    /// The bound, in bytes.
    pub bytes_max: usize,
}

/// The content of a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackContent {
    /// The result of an operation of ours.
    Result {
        /// Our reference, if the callback names it (in its body, header or path).
        reference: Option<Reference>,
        /// The claim about it.
        finding: Finding,
    },
    /// The answer to an inquiry of ours, which the provider gives by callback. The adapter has made
    /// sure that it answers a question that we asked: it counts as an inquiry's finding, and asking
    /// again would only bring another callback. If it leaves something unclear, a person has to
    /// clear that up.
    Answer {
        /// The operation that was asked about.
        reference: Reference,
        /// The finding.
        finding: Finding,
    },
    /// Content that concerns no operation: the answer to a question that was put to see whether the
    /// provider answers.
    Nothing,
    /// A customer has paid by himself.
    Payment(PaymentNotice),
    /// A customer is about to pay by himself, and the provider asks whether to take it.
    Validation(PaymentNotice),
    /// A customer pays by himself, and the provider will ask what we made of it.
    Offer(Offer),
    /// The provider asks what we made of an offer. Nothing is stored.
    StateQuery(StateQuery),
    /// The provider asks whether we are there. Nothing is stored.
    Heartbeat,
    /// The provider sends something that is refused by its form alone, before any account is looked
    /// at: no money follows from it, and nothing is stored.
    Malformed(Refusal),
}

/// A payment that is checked before it is taken, and answered for afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The payment.
    pub notice: PaymentNotice,
    /// The provider's own id for this request, where it gave one: the same id is the same offer,
    /// however often it is sent.
    pub correlation: Option<String>,
    /// The money has moved already. Such a payment cannot be turned away: whatever account it names,
    /// it is kept.
    pub made: bool,
    /// The provider asks to be told its outcome, at an address where it may be told:
    /// [`crate::Notifier`].
    pub calls_back: bool,
}

/// Inquiries about an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateQuery {
    /// By the name that we gave it.
    Name(Uuid),
    /// By the provider's own id for its request.
    Correlation(String),
}

/// The state of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferState {
    /// The name that we gave it.
    pub name: Uuid,
    /// The request as it came.
    pub offer: RawCallback,
    /// Its standing.
    pub standing: Standing,
}

/// The standing of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The payment is being worked on, or waits for a person.
    Pending,
    /// The payment has been booked. This state is final.
    Booked {
        /// True if it was reversed later on.
        reversed: bool,
    },
    /// The payment was never booked, and the money went back.
    Failed(Refusal),
}

/// The reason that a payment is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of reason.
    pub reason: RefusedFor,
    /// The text is for the provider's log.
    pub message: String,
}

/// The kinds of reason for which a payment is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusedFor {
    /// Our rules or the core's account do not allow it.
    Rule(Reason),
    /// The same request id came before, with another content.
    Duplicate,
    /// A field is missing.
    Missing(&'static str),
    /// A field is not of its form; the form, as the provider's documents write it.
    Form(&'static str, &'static str),
    /// The currency is another one than the provider's.
    Currency,
}

impl fmt::Display for RefusedFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(reason) => {
                let word = serde_json::to_value(reason).ok();
                f.write_str(word.as_ref().and_then(Value::as_str).unwrap_or("rule"))
            }
            Self::Duplicate => f.write_str("duplicate"),
            Self::Missing(field) => write!(f, "{field} is missing"),
            Self::Form(field, form) => write!(f, "{field} is not {form}"),
            Self::Currency => f.write_str("currency"),
        }
    }
}

impl Refusal {
    /// A refusal by rules, or by the account.
    pub fn by_rule(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason: RefusedFor::Rule(reason), message: message.into() }
    }
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
    /// The text that the payer typed as account.
    pub account_reference: String,
    /// Our own reference, where the payment turns out to be one that we asked for.
    pub reference: Option<Reference>,
    /// A fee that the provider states beside the amount (rule 9).
    pub fee: Option<Money>,
    /// The time at which the provider recorded it.
    pub at: Option<Timestamp>,
}

/// Our answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackDecision {
    /// Stored; or, for a validation: take the payment.
    Accepted,
    /// For an offer: taken, which is not yet booked. This is its outcome so far.
    Taken(Box<OfferState>),
    /// For a validation or an offer: do not take the payment.
    Refused(Refusal),
    /// For a question about an offer: its state; `None` if there is no such offer.
    State(Option<Box<OfferState>>),
    /// The callback cannot be read; unless it only asked for something, it has been kept for a
    /// person.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf '{"a":1}' | gzip -n`
    const PACKED: &[u8] = &[
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xab, 0x56, 0x4a, 0x54, 0xb2,
        0x32, 0xac, 0x05, 0x00, 0xaf, 0xac, 0x1b, 0x56, 0x07, 0x00, 0x00, 0x00,
    ];

    fn packed(coding: &str, body: &'static [u8]) -> RawCallback {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        RawCallback {
            method: "POST".to_owned(),
            path: "payments".to_owned(),
            headers: vec![header("content-encoding", coding), header("accept", "*/*")],
            body: Bytes::from_static(body),
        }
    }

    #[test]
    fn gzip_is_taken_off_within_the_bound_and_what_cannot_be_is_kept_as_it_came() {
        let read = packed("gzip", PACKED).unpacked(7).unwrap();
        assert_eq!(read.body, "{\"a\":1}");
        assert_eq!((read.header("content-encoding"), read.header("accept")), (None, Some("*/*")));
        assert_eq!(packed("gzip", PACKED).unpacked(6), Err(TooLong { bytes_max: 6 }));
        let plain = RawCallback { headers: Vec::new(), ..packed("", PACKED) };
        assert_eq!(plain.clone().unpacked(9), Ok(plain), "nothing was declared");
        for (coding, body) in [("gzip", &PACKED[..20]), ("br", PACKED), ("gzip, gzip", PACKED)] {
            let callback = packed(coding, body);
            assert_eq!(callback.clone().unpacked(99), Ok(callback), "{coding}");
        }
    }
}
