//! A service for the tests of whatever carries the API: it stores, and does not move money.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test fails where its service is used wrongly"
)]

mod fake;
mod instructions;

pub use fake::{Conduct, FakeService, Tanzania};
pub use instructions::{START, rejection, tzs, wallet_deposit};
