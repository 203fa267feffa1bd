#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! The imperative shell: carries out what transfers decide.
//!
//! The clock, the source of ids, the store, the providers and the cores are passed in, so that the
//! whole also runs in a simulated world.
//!
//! * [`setup`]: the parts of an engine, and its options
//! * [`request`]: the requests of users, and the answers
//! * [`engine`]: the handle: submitting, reversing, assigning, callbacks, starting and stopping
//! * `advance`: one transfer, from intent to outcome to the next intent
//! * `commit`: making a decision durable
//! * `limits`: the amounts that a wallet and the organisation may move in a day
//! * `operate`: orders and inquiries, from the state of a transfer
//! * `candidates`: the choice among the accounts that a payer may have named
//! * `suggestions`: accounts that a person may give suspended money to
//! * `account_locks`: one operation at a time per core account (rule 11)
//! * `holds`: operations of providers that are held as a whole
//! * `hear`: evidence about operations of ours
//! * `ask_again`: questions about operations that were executed already
//! * `payments`: payments that customers start at the wallet
//! * `carried`: two transfers for one payment
//! * [`actions`]: actions of persons, with a second person where one is needed
//! * `action_content`: an action as it is stored
//! * `person_action`: the actions that persons can take
//! * `interrupted`: approved actions whose process died, completed
//! * `persons`: decisions about transfers and arrivals, carried out
//! * `throttle`: in-flight limit, rate limit and breaker of one counterparty
//! * `fees`: the fees that a mapping expects, beside those that the provider states
//! * `inbox`: everything that arrives unasked: stored, acknowledged, handled
//! * `judge`: payments that providers offer: judged, taken, answered for
//! * `telling`: telling providers the outcome of their offers
//! * `reading`: reads at a provider on request
//! * [`requests`]: the requests of cores for payouts
//! * `schedule`: due work, found again after a restart
//! * `next_look`: the moment at which the due table is looked at next
//! * `ports`: the providers and cores, each with its throttle
//! * `tasks`: the tasks of an engine, and their end
//! * `deliveries`: deliveries of shared work, acknowledged once it rests
//! * [`sharing`]: several processes: what is announced, and what is given back
//! * `shards`: the division of the work among processes
//! * `sweep`: due work, announced to the processes
//! * `wall_clock`: the consequences of a clock that is set back
//! * `wallet`: from the text that somebody wrote to the number of a wallet

pub mod actions;
pub mod clock;
pub mod engine;
pub mod fail_point;
pub mod request;
pub mod requests;
pub mod setup;

mod account_locks;
mod action_content;
mod advance;
mod answers;
mod ask_again;
mod candidates;
mod carried;
mod commit;
mod deliveries;
mod fees;
mod hear;
mod holds;
mod inbox;
mod interrupted;
mod judge;
mod limits;
mod next_look;
mod operate;
mod payments;
mod person_action;
mod persons;
mod ports;
mod reading;
mod schedule;
mod shards;
pub mod sharing;
mod suggestions;
mod sweep;
mod tasks;
mod telling;
mod throttle;
mod wall_clock;
mod wallet;

pub use actions::{ActError, Acted, ActionKind, NewAction, PersonAction};
pub use clock::{Clock, Ids, SystemClock, TimeOrderedIds};
pub use engine::Engine;
pub use holds::HELD_OPERATIONS;
pub use persons::{ArrivalError, PaymentClaim};
pub use request::{
    BreakerState, CallbackAnswer, CallbackRefused, Caller, NewTransfer, Offers, ProviderStatus,
    RequestError, SubmitError, Submitted,
};
pub use setup::{
    CoreLink, EngineOptions, ExpectedFee, ProviderLink, ProviderRules, Setup, TrafficOptions,
};
pub use sharing::{Sharing, SharingOptions};
