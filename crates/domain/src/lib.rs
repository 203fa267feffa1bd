#![deny(clippy::wildcard_enum_match_arm)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! The pure core of Kiungo: money, identities, outcomes, and the transfer with its ledger.
//!
//! Nothing here performs I/O, reads a clock, or draws a random number; everything is data in, data
//! out, so that the rules that keep money safe can be tested exhaustively.
//!
//! * [`mod@excerpt`]: outside text made fit for people
//! * [`mod@decimal`]: decimal numbers, read and printed exactly
//! * [`money`]: integer minor units with a currency, parsed and printed exactly
//! * [`party`]: phone numbers and accounts
//! * [`numbering`]: the forms of phone numbers by country, and the numbers that a provider takes
//! * [`identity`]: ids of transfers, operations, providers and cores
//! * [`outcome`]: the outcomes of attempts, and the findings of inquiries
//! * [`hold`]: conditions under which a provider's operation is held as a whole
//! * [`policy`]: the numbers and choices that a mapping gives to the rules
//! * [`transfer`]: the saga: events, what follows from them, and the ledger postings
//! * [`time`]: a moment, as microseconds since 1970 UTC
//! * [`typed`]: text that a payer typed by hand, and what it may name

pub mod decimal;
pub mod excerpt;
pub mod hold;
pub mod identity;
pub mod money;
pub mod numbering;
pub mod outcome;
pub mod party;
pub mod policy;
pub mod time;
pub mod transfer;
pub mod typed;

pub use excerpt::excerpt;
pub use identity::{CoreId, ProviderId, Receipt, Reference, Slot, TransferId};
pub use money::{Currency, Money};
pub use outcome::{Finding, Outcome};
pub use party::{AccountKind, AccountRef, CoreAccount, Msisdn};
pub use time::Timestamp;
pub use transfer::{Kind, Transfer};
