#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! The seam between adapters and the network.
//!
//! An adapter makes an [`http::Request`] and reads an [`http::Response`]; a [`Transport`] carries
//! them. [`Network`] does it over TCP; the simulated world hands the request to a simulator's
//! router as a function call, with the fault that its seed drew.
//!
//! A transport must get one question right: *may the other side have seen the request?* See
//! [`Failure`].
//!
//! Beside it stands what more than one adapter does with requests and answers alike:
//!
//! * [`authorization`]: the values of `Authorization`
//! * [`token`]: tokens that are valid for a time
//! * [`percent`]: outside text in addresses
//! * [`content`]: the text of an answer, whatever its charset
//! * [`json`]: the objects and values in it

pub mod authorization;
mod bound;
pub mod content;
pub mod json;
mod network;
#[cfg(test)]
mod peer;
pub mod percent;
mod plaintext;
#[cfg(feature = "testing")]
pub mod testing;
pub mod token;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use thiserror::Error;

pub use bound::{Intended, sent_within, still_in_time};
pub use network::{Network, NetworkError, NetworkOptions};
pub use plaintext::{is_exposed, is_exposed_text};

/// A request with an absolute URL and a complete body.
pub type Request = http::Request<Bytes>;

/// A response with its whole body.
pub type Response = http::Response<Bytes>;

/// The reason that there is no response.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// The request failed before its first byte was written, so it was surely not executed.
    #[error("not sent: {why}")]
    NotSent {
        /// The cause, for people; without the URL's query, which can hold phone numbers.
        why: String,
    },
    /// The request failed later, or at an unknown point: it may have been executed.
    #[error("no answer: {why}")]
    NoAnswer {
        /// The cause, for people; without the URL's query, which can hold phone numbers.
        why: String,
    },
}

/// Carries a request to the other side and its response back.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends `request` once, if it is [`still_in_time`], waiting `timeout` at most for the whole response. Never retries,
    /// never follows a redirect. Dropping the future does not tell whether the request was seen.
    async fn send(&self, request: Request, timeout: Duration) -> Result<Response, Failure>;
}
