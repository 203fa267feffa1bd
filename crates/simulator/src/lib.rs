//! The base of all simulated counterparties. A simulator is an [`axum::Router`] with books of its
//! own, so that an audit never has to trust Kiungo, and faults drawn from a seed. It shares no code
//! with the adapters beyond `kiungo-domain`, and the reader of settings: an adapter's mistake must
//! not be mirrored here. Each family of simulators is a crate of its own beside this one.
//!
//! * [`family`]: the seam by which a family is offered, built and served
//! * [`books`]: the balance of each party, and every movement: `GET /_sim/books`
//! * [`ledger`], [`people`], [`payment`]: e-money, names and payments of the customers of a provider
//! * [`faults`]: the faults and their rates, drawn from a seed: `PUT /_sim/faults`
//! * [`chance`]: numbers from a seed, and the conduct that is drawn for a business content
//! * [`response_faults`]: the faults that befall an answer
//! * [`callback_sender`], [`delivery`]: callbacks with their faults, and the way in which they travel
//! * [`control`]: `/_sim`: the faults of any simulator, and the books, wallets and payments of a provider
//! * [`clock`]: the time of day; [`digest`]: SHA-256
//! * [`serve`]: running a simulator on a port, [`tls`]: with certificates
//! * [`audit`]: the comparison of every transfer with the books, whoever kept them
//! * `testing`, a feature: a client and a mailbox for the tests of the families
//!
//! All waiting goes through `tokio::time`, which the simulated world pauses.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod audit;
pub mod books;
pub mod callback_sender;
pub mod chance;
pub mod clock;
pub mod control;
pub mod delivery;
pub mod digest;
pub mod family;
pub mod faults;
pub mod ledger;
pub mod payment;
pub mod people;
pub mod response_faults;
pub mod serve;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tls;
