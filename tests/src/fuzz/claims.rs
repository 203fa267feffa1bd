//! The rules that must hold for everything that an adapter says, about everything that it was
//! answered.

use kiungo_domain::outcome::{Acceptance, Rejection};
use kiungo_domain::{Finding, Msisdn, Outcome, Receipt, Reference};
use kiungo_provider::{CallbackError, CallbackReply, RawCallback, ReadError};

/// The longest text for people, in characters: it goes into the store, the log and the API.
const TEXT_CHARS_MAX: usize = 640;
/// The longest code of another side that is kept, in characters.
const CODE_CHARS_MAX: usize = 240;
/// The longest id that is kept to ask with, in bytes.
const HANDLE_BYTES_MAX: usize = 320;

/// Checks texts: bounded, of one line, without the customer's number and without our secrets.
#[derive(Debug)]
pub(super) struct Claims {
    hidden: Vec<String>,
}

impl Claims {
    /// A secret that the other side prints itself is no longer ours to keep; in an escape it may.
    pub(super) fn new(customer: &Msisdn, secrets: &[&str], printed: &[u8]) -> Self {
        let stands = |secret: &str| printed.windows(secret.len()).any(|w| w == secret.as_bytes());
        let escapes = printed.contains(&b'\\');
        let kept = secrets.iter().filter(|secret| !escapes && !stands(secret));
        let kept = kept.map(|secret| (*secret).to_owned());
        Self { hidden: kept.chain([customer.digits().to_owned()]).collect() }
    }

    pub(super) fn text(&self, text: &str) {
        let count = text.chars().count();
        assert!(count <= TEXT_CHARS_MAX, "a text of {count} characters");
        assert!(!text.chars().any(char::is_control), "control characters in {text:?}");
        for hidden in &self.hidden {
            assert!(!text.contains(hidden.as_str()), "{hidden} must not stand in {text:?}");
        }
    }

    pub(super) fn rejection(&self, rejection: &Rejection) {
        self.text(&rejection.message);
        self.text(&rejection.code);
        let count = rejection.code.chars().count();
        assert!((1..=CODE_CHARS_MAX).contains(&count), "a code of {count} characters");
    }

    pub(super) fn outcome(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Executed(confirmation) => receipt(&confirmation.receipt),
            Outcome::Pending(accepted) => acceptance(accepted),
            Outcome::Rejected(rejection) => self.rejection(rejection),
            Outcome::NotSent { why, .. } | Outcome::Unknown { why } => self.text(why),
        }
    }

    pub(super) fn finding(&self, finding: &Finding) {
        match finding {
            Finding::Executed(confirmation) | Finding::Reversed(confirmation) => {
                receipt(&confirmation.receipt);
            }
            Finding::Rejected(rejection) => self.rejection(rejection),
            Finding::InProgress(accepted) => acceptance(accepted),
            Finding::Absent => {}
            Finding::Unclear { why } => self.text(why),
        }
    }

    pub(super) fn read<T>(&self, read: &Result<T, ReadError>) {
        if let Err(error) = read {
            self.text(&error.to_string());
        }
    }

    pub(super) fn callback_error(&self, error: &CallbackError) {
        self.text(&error.to_string());
    }
}

/// An id to ask with is short and printable, or it cannot be kept and asked with.
fn acceptance(accepted: &Acceptance) {
    let Some(handle) = &accepted.handle else { return };
    let length = handle.len();
    assert!((1..=HANDLE_BYTES_MAX).contains(&length), "a handle of {length} bytes");
    assert!(!handle.chars().any(char::is_control), "control characters in {handle:?}");
}

/// A receipt is no longer than it may be, and can be seen.
pub(super) fn receipt(receipt: &Receipt) {
    let text = receipt.as_str();
    assert!((1..=256).contains(&text.chars().count()), "{receipt}");
    let hidden = |c: char| c.is_control() || (c.is_whitespace() && c != ' ') || c == '\u{202e}';
    assert!(!text.contains(hidden) && text.trim() == text, "{receipt}");
}

/// A reference names a step of a transfer, in every form that it is sent in.
pub(super) fn reference(reference: Reference) {
    let again = Reference::new(reference.transfer(), reference.step(), reference.generation());
    assert_eq!(again, reference, "not a reference of ours");
    for text in [reference.hyphenated(), reference.compact()] {
        assert_eq!(Reference::parse(&text), Ok(reference), "{text} is not read back");
    }
}

/// A reply is one of HTTP's, with JSON in its body, and does not grow beyond what it answers.
pub(super) fn reply(callback: &RawCallback, reply: &CallbackReply) {
    assert!((200..500).contains(&reply.status), "{} is no reply", reply.status);
    let Some((kind, body)) = &reply.body else { return };
    assert!(kind.starts_with("application/json"), "{kind}");
    let read: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(body);
    assert!(read.is_ok(), "the reply is no JSON: {body:?}");
    // An escaped character takes six.
    let bound = 6 * (callback.body.len() + callback.path.len()) + 1_024;
    assert!(body.len() <= bound, "a reply of {} bytes", body.len());
}
