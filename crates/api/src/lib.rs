#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! The application's interface, whatever carries it: HTTP, AMQP and the command line stand on it.
//!
//! * [`service`]: the questions and orders of a caller to the engine
//! * [`core_requests`]: the same about the requests of cores for payouts
//! * [`access`]: the rights of a caller; [`scope`]: the part of the business that a key may see and move
//! * [`wire`]: requests and answers as JSON
//! * [`problem`]: RFC 9457 problem details, one code for each thing that can go wrong
//!
//! With the feature `testing`, there is a service for the tests of whatever carries the API. With the
//! feature `axum`, a [`Problem`](problem::Problem) is the answer of an axum handler.

pub mod access;
pub mod core_requests;
mod digest;
mod options;
pub mod problem;
pub mod scope;
pub mod service;
#[cfg(feature = "testing")]
pub mod testing;
pub mod wire;

pub use access::{Identity, Role};
pub use core_requests::CoreRequestService;
pub use digest::{DigestError, SecretDigest, sha256_hex};
pub use options::OptionsError;
pub use scope::Scope;
pub use service::{Service, Wallets};
