//! The addresses at which the provider calls us, and the form of our answers.

use bytes::Bytes;
use kiungo_domain::Reference;
use kiungo_provider::{CallbackReply, RawCallback};
use kiungo_transport::percent;
use uuid::Uuid;

use crate::form::is_uuid;
use crate::paths::account_pairs;

/// The meaning of a callback's method and path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// The result of the operation that was given this address.
    Result(Reference),
    /// Telling of a payment that a customer started at the wallet.
    Payment,
    /// The same as a request, whose state will be asked for.
    PaymentOffer,
    /// The provider reads the bills of an account: may this account be paid?
    Bills { account: String },
    /// The provider pays a bill of an account.
    BillPayment { account: String },
    /// The provider asks for the state of its request, by the id that we gave it (§4.1).
    RequestState(Uuid),
    /// The provider asks for the same by its own id (§4.5).
    Response(String),
    /// The provider reads the error that its request ended in (§4.5).
    Failure(Uuid),
    /// The provider reads the payment that its request became.
    Paid(Uuid),
    /// The provider asks whether we are there (§6.4).
    Heartbeat,
}

impl Route {
    pub(crate) fn of(callback: &RawCallback) -> Option<Self> {
        let path = callback.path.split_once('?').map_or(&*callback.path, |(path, _)| path);
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (callback.method.as_str(), segments.as_slice()) {
            ("PUT" | "POST", ["results", reference]) => {
                Reference::parse(reference).ok().map(Self::Result)
            }
            ("PUT", ["payments"]) => Some(Self::Payment),
            ("POST", ["payments"]) => Some(Self::PaymentOffer),
            ("GET", ["heartbeat"]) => Some(Self::Heartbeat),
            ("GET", ["requeststates", name]) => named(name).map(Self::RequestState),
            ("GET", ["errors", name]) => named(name).map(Self::Failure),
            ("GET", ["payments", name]) => named(name).map(Self::Paid),
            ("GET", ["responses", id]) => {
                is_uuid(id).then(|| Self::Response(id.to_ascii_lowercase()))
            }
            ("GET", ["accounts", account @ .., "bills"]) => {
                addressed(account).map(|account| Self::Bills { account })
            }
            (
                "POST",
                ["accounts", account @ .., "bills", "payments"]
                | ["accounts", account @ .., "bills", _, "payments"],
            ) => addressed(account).map(|account| Self::BillPayment { account }),
            ("POST", ["bills", reference, "payments"]) => {
                percent::decode(reference).map(|account| Self::BillPayment { account })
            }
            _ => None,
        }
    }
}

/// The name that we gave to an offer.
fn named(text: &str) -> Option<Uuid> {
    Uuid::parse_str(text).ok().filter(|_| is_uuid(text))
}

/// The account that a path addresses, in the single or the multiple form (§7.3): the text that the
/// payer typed, which is the identifier that is not his phone number.
fn addressed(segments: &[&str]) -> Option<String> {
    match segments {
        [_kind, id] => percent::decode(id),
        [multiple] => {
            let pairs = account_pairs(multiple)?;
            let typed = pairs.iter().find(|(kind, _)| !kind.eq_ignore_ascii_case("msisdn"));
            typed.or(pairs.first()).map(|(_, id)| id.clone())
        }
        _ => None,
    }
}

/// An answer with a JSON body.
pub(crate) fn json_reply(status: u16, body: &serde_json::Value) -> CallbackReply {
    CallbackReply {
        status,
        body: Some(("application/json; charset=utf-8", Bytes::from(body.to_string()))),
    }
}
