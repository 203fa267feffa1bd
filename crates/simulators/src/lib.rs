//! Counterparties as they behave, faults included: a Fineract core, a GSMA provider, and an M-Pesa
//! `OpenAPI` market. Each is an [`axum::Router`] with books of its own, so that an audit never has
//! to trust Kiungo. They share no code with the adapters beyond `kiungo-domain`: an adapter's
//! mistake must not be mirrored here.
//!
//! * [`audit`]: the comparison of every transfer with the books
//! * [`books`]: the balance of each party, and every movement: `GET /_sim/books`
//! * [`faults`]: the faults and their rates, drawn from a seed: `PUT /_sim/faults`
//! * [`delivery`]: the way in which a simulator sends its callbacks
//! * [`response_faults`]: the faults that befall an answer
//! * [`serve`]: running a simulator on a port, [`tls`]: with certificates
//!
//! All waiting goes through `tokio::time`, which the simulated world pauses.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod audit;
pub mod books;
mod callback_sender;
pub mod clock;
mod control;
pub mod delivery;
mod digest;
pub mod faults;
pub mod fineract;
pub mod gsma;
mod ledger;
pub mod mpesa;
pub mod payment;
mod people;
pub mod response_faults;
pub mod serve;
pub mod tls;
