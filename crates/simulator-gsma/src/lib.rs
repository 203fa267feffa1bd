//! A provider that speaks the GSMA Mobile Money API, 1.2.0 and 1.1.2, as its reference
//! `gsma-mobile-money-api.md` describes it (§19 is the checklist).
//!
//! * `family`: the names of the family, and a provider that is ready to be served
//! * `routes`: the addresses of the provider
//! * `security`: admitting callers: Basic, API key, `OAuth2` tokens, client certificates; `admission`:
//!   the credentials and tokens, and the content hash
//! * `processing`: the three flows, and carrying an order out
//! * `reads`, `accounts`: everything that is asked with GET
//! * `payments`: payments that customers start at the wallet
//! * `afterwards`, `charges`, `misstatement`: the conduct of the provider that no request asks for
//! * `callback`, `letter`: the messages to the client
//! * `simulator`: the provider as a whole
//! * `sandbox`, `trigger`: the accounts and amounts by which published suites know a sandbox
//! * `state`: ledger, transactions, request states
//! * `order`: reading a creation request; `schema`, `iso`: the form that it has to have
//! * [`options`]: the options of this provider, with `conduct`
//! * `error`, `format`, `version`: the error object, how amounts, times and parties are written, and
//!   the versions of the API

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod accounts;
mod admission;
mod afterwards;
mod callback;
mod charges;
mod conduct;
mod error;
mod family;
mod format;
mod iso;
mod letter;
mod misstatement;
pub mod options;
mod order;
mod payments;
mod processing;
mod reads;
mod routes;
mod sandbox;
mod schema;
mod security;
mod simulator;
mod state;
mod trigger;
mod version;

pub use family::GsmaFamily;
pub use options::Options;
pub use simulator::Simulator;
pub use state::AccountStatus;
