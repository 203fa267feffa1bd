#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! The imperative shell: carries out what transfers decide.
//!
//! The clock, the source of ids, the store, the providers and the cores are passed in, so that the
//! whole also runs in a simulated world.
//!
//! From the top down; what stands lower knows nothing of what stands higher:
//!
//! * [`requests`]: the requests of cores for payouts
//! * [`engine`]: the handle: an engine is put together, set in motion, asked, and stopped
//! * `persons`: actions of persons ([`actions`]), and their decisions about arrivals
//! * `due`: work that is due, found in the store
//! * `intake`: transfers, callbacks, evidence and payments that come in
//! * `run`: the course of one transfer, from intent to outcome to the next intent
//! * `dispatch`: the assignment of work, in this process or among several
//! * `commit`: the commit path
//! * `counterparties`: providers and cores, with throttles, holds, orders and inquiries
//!
//! Below them, what all of them share:
//!
//! * `next_look`: the moment at which the due table is looked at next
//! * `tasks`: the tasks of an engine, and their end
//! * [`setup`]: the parts that an engine is given, and its options
//! * [`sharing`]: the means to share the work between processes
//! * [`request`]: the requests of users, and the answers
//! * `person_action`: the actions that persons can take
//! * `claims`: payments that persons bring in by their receipts
//! * [`clock`]: time and chance, passed in
//! * [`fail_point`]: points at which a process may die, for tests

pub mod clock;
pub mod engine;
pub mod fail_point;
pub mod request;
pub mod requests;
pub mod setup;
pub mod sharing;

mod claims;
mod commit;
mod counterparties;
mod dispatch;
mod due;
mod intake;
mod next_look;
mod person_action;
mod persons;
mod run;
mod tasks;

pub use claims::PaymentClaim;
pub use clock::{Clock, Ids, SystemClock, TimeOrderedIds};
pub use counterparties::holds::HELD_OPERATIONS;
pub use engine::Engine;
pub use person_action::{ActionKind, PersonAction};
pub use persons::action_request::{ActError, Acted, NewAction};
pub use persons::actions;
pub use persons::arrival_actions::ArrivalError;
pub use request::{
    BreakerState, CallbackAnswer, CallbackRefused, Caller, NewTransfer, Offers, ProviderStatus,
    RequestError, SubmitError, Submitted,
};
pub use setup::{
    CoreLink, EngineOptions, ExpectedFee, ProviderLink, ProviderRules, Setup, TrafficOptions,
};
pub use sharing::{Sharing, SharingOptions};
