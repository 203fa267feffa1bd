#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! The imperative shell: carries out what transfers decide.
//!
//! The clock, the source of ids, the store, the providers and the cores are passed in, so that the
//! whole also runs in a simulated world.
//!
//! * [`setup`]: what an engine is made of
//! * [`request`]: what users ask of it, and what it answers
//! * [`engine`]: the handle: submitting, reversing, assigning, callbacks, starting and stopping
//! * `advance`: one transfer, from intent to outcome to the next intent
//! * `commit`: making a decision durable
//! * `daily`: what one wallet may move in a day
//! * `operate`: orders and inquiries, from the state of a transfer
//! * `lanes`: one operation at a time per core account (rule 11)
//! * `gate`: in-flight limit, rate limit and breaker of one counterparty
//! * `fees`: what a mapping expects, beside what the provider states
//! * `inbox`: callbacks and payments started at the wallet
//! * [`requests`]: what cores ask to be paid out
//! * `schedule`: what is due, found again after a restart
//! * [`sharing`]: several processes: what is announced, and what is given back
//! * `shards`: which part of the work is whose
//! * `sweep`: what is due, announced

pub mod clock;
pub mod crash;
pub mod engine;
pub mod request;
pub mod requests;
pub mod setup;

mod advance;
mod answers;
mod commit;
mod daily;
mod fees;
mod gate;
mod inbox;
mod lanes;
mod operate;
mod schedule;
mod shards;
pub mod sharing;
mod sweep;

pub use clock::{Clock, Ids, SystemClock, TimeOrderedIds};
pub use engine::Engine;
pub use request::{
    BreakerState, CallbackAnswer, CallbackRefused, Caller, NewTransfer, Offers, ProviderStatus,
    RequestError, SubmitError, Submitted,
};
pub use setup::{
    CoreLink, DailyLimit, EngineOptions, ExpectedFee, ProviderLink, ProviderRules, Setup,
    TrafficOptions,
};
pub use sharing::{Sharing, SharingOptions};
