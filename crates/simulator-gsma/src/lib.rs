//! A provider that speaks the GSMA Mobile Money API, 1.2.0 and 1.1.2, as its reference
//! `gsma-mobile-money-api.md` describes it (§19 is the checklist).
//!
//! * `family`: the names of the family, and a provider that is ready to be served
//! * [`options`]: the options of this provider
//! * `security`: the admission of callers: Basic, API key, `OAuth2` tokens, content hash, client
//!   certificates
//! * `order`: reading a creation request; `schema`, `iso`: the form that it has to have
//! * `sandbox`: the accounts and amounts by which published suites know a sandbox
//! * `processing`: the three flows, and carrying an order out
//! * `simulator`: the provider as a whole
//! * `state`: ledger, transactions, request states
//! * `reads`, `accounts`: everything that is asked with GET
//! * `payments`: payments that customers start at the wallet
//! * `conduct`, `afterwards`, `charges`: the conduct of the provider that no request asks for
//! * `callback`: the messages to the client
//! * `error`, `format`: the error object, and how amounts, times and parties are written

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod accounts;
mod afterwards;
mod callback;
mod charges;
mod conduct;
mod error;
mod family;
mod format;
mod iso;
pub mod options;
mod order;
mod payments;
mod processing;
mod reads;
mod sandbox;
mod schema;
mod security;
mod simulator;
mod state;

pub use family::GsmaFamily;
pub use options::Options;
pub use simulator::Simulator;
pub use state::AccountStatus;
