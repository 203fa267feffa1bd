//! An M-Pesa `OpenAPI` market, as its reference describes it (`mpesa-openapi.md` §12 is the
//! checklist); payments that customers start at the wallet are notified in the form of
//! `daraja-mpesa-kenya.md` §4.3.
//!
//! From below to the top:
//!
//! * [`options`], `conduct`: the options of this market; those of conduct that no request asks for
//! * `codes`, `triggers`: response codes, and the sandbox's magic numbers
//! * `call`, `answer`: a call as received, and the forms of answers
//! * `fields`, `order`: the field dictionary, and reading a request by it
//! * `keys`, `book_lines`: RSA, and the lines of the books
//! * `sessions`, `limits`, `mandates`: what the market remembers, each as data
//! * `state`: the memory of the market
//! * `simulator`: the market as a whole
//! * `stated_receipt`: receipts that are stated, truly or not
//! * `admission`, `session`: who may do what, and opening sessions
//! * `execution`: moving money, charging for it, taking it back
//! * `client_messages`, `callback`, `paybill`: results of asynchronous operations; payments started
//!   at the wallet
//! * `afterwards`: what follows after an operation has ended, by option
//! * `money`, `debit`, `query`: the operations, the four direct debit calls, the two queries
//! * `statement`, `market_controls`: the portal's statement, and what can be asked and done under
//!   `/_sim`
//! * `routes`: the API and `/_sim` put together
//! * `family`: the names of the family, and a market that is ready to be served

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod admission;
mod afterwards;
mod answer;
mod book_lines;
mod call;
mod callback;
mod client_messages;
mod codes;
mod conduct;
mod debit;
mod execution;
mod family;
mod fields;
mod keys;
mod limits;
mod mandates;
mod market_controls;
mod money;
pub mod options;
mod order;
mod paybill;
mod query;
mod routes;
mod session;
mod sessions;
mod simulator;
mod state;
mod stated_receipt;
mod statement;
mod triggers;

pub use family::MpesaFamily;
pub use keys::new_private_key;
pub use options::Options;
pub use simulator::Simulator;
