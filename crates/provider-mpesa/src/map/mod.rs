//! From answers to outcomes and findings: pure, and strict about what may complete or reject.

pub(crate) mod payment;
pub(crate) mod query;

use kiungo_domain::{Receipt, Reference};

use crate::wire::Text;

/// The message about a 404 without a code, for a call; for an operation it is no outcome.
pub(crate) const NOT_THERE: &str = "HTTP 404 without an M-Pesa response code: check base_url, \
                                    environment and market";

/// A receipt, if there is one. Letters and digits, at most 20 (`mpesa-openapi.md` §5): anything
/// else that is there is no answer to build on.
fn receipt(text: Option<&str>) -> Result<Option<Receipt>, Unreadable> {
    let Some(text) = text else { return Ok(None) };
    let plain = text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let receipt = plain.then(|| Receipt::new(text).ok()).flatten();
    receipt.map(Some).ok_or(Unreadable("the transaction id"))
}

/// Our reference, if it is echoed.
fn reference(text: &Text) -> Result<Option<Reference>, Unreadable> {
    let Some(text) = text.get() else { return Ok(None) };
    Reference::parse(text).map(Some).map_err(|_| Unreadable("the echoed conversation id"))
}

/// M-Pesa's own conversation id, if it can be kept: only people ask with it, so one that is much
/// longer than the 32 characters of all examples (`mpesa-openapi.md` §6), or unprintable, is left out.
fn handle(text: &Text) -> Option<String> {
    let fits = |id: &&str| id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_graphic());
    text.get().filter(fits).map(str::to_owned)
}

/// A value that is there and cannot be read: it makes the whole answer unknown.
#[derive(Debug)]
struct Unreadable(&'static str);

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} cannot be read", self.0)
    }
}
