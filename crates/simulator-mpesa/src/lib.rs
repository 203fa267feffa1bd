//! An M-Pesa `OpenAPI` market, as its reference describes it (`mpesa-openapi.md` §12 is the
//! checklist); payments that customers start at the wallet are notified in the form of
//! `daraja-mpesa-kenya.md` §4.3.
//!
//! * `family`: the names of the family, and a market that is ready to be served
//! * [`options`]: the options of this market
//! * `keys`, `session`, `admission`: RSA, sessions, and who may do what
//! * `fields`, `order`: the field dictionary, and reading a request by it
//! * `money`, `limits`: operations that move money, and how much they may
//! * `conduct`, `afterwards`: the conduct of the market that no request asks for, by option
//! * `debit`: the four direct debit calls
//! * `query`: the two queries
//! * `callback`, `paybill`: results of asynchronous operations; payments started at the wallet
//! * `statement`, `desk`: the portal's statement, and what can be asked and done under `/_sim`
//! * `codes`, `triggers`: response codes, and the sandbox's magic numbers
//! * `simulator`: the market as a whole
//! * `state`: the memory of the market

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod admission;
mod afterwards;
mod answer;
mod callback;
mod codes;
mod conduct;
mod debit;
mod desk;
mod family;
mod fields;
mod keys;
mod limits;
mod money;
pub mod options;
mod order;
mod paybill;
mod query;
mod session;
mod simulator;
mod state;
mod statement;
mod triggers;

pub use family::MpesaFamily;
pub use keys::new_private_key;
pub use options::Options;
pub use simulator::Simulator;
