#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! The imperative shell: carries out what transfers decide.
//!
//! The clock, the source of ids, the store, the providers and the cores are passed in, so that the
//! whole also runs in a simulated world.
//!
//! From the top down; what stands lower knows nothing of what stands higher.
//!
//! **The handle.**
//! * [`engine`]: an engine is put together, set in motion, asked, and stopped
//! * `persons`: actions of persons, and their decisions about transfers, arrivals and holds
//! * `ask_again`: questions about operations that were executed already
//! * `suggestions`: accounts that a person may give suspended money to
//! * `reading`: reads at a provider on request
//! * `wallet`: from the text that somebody wrote to the number of a wallet
//! * [`requests`]: the requests of cores for payouts
//! * `parts`: the parts of an engine, put together
//!
//! **Persons.**
//! * [`actions`]: actions of persons, with a second person where one is needed
//! * `interrupted`: approved actions whose process died, completed
//! * `arrival_desk`: decisions about arrivals that are kept for persons
//! * `action_request`: the requests for actions, and the answers
//! * `action_content`: an action as it is stored
//! * `person_action`: the actions that persons can take
//!
//! **Work that is due.**
//! * `schedule`: taken up by this process, also after a restart
//! * `sweep`: announced to several processes
//! * `shards`: the division of the work among processes
//! * `wall_clock`: the consequences of a clock that is set back
//!
//! **What comes in.**
//! * `submission`: transfers that clients want
//! * `callbacks`: what providers send: stored, acknowledged
//! * `inbox`: everything that arrives unasked, handled
//! * `payments`: payments that customers start at the wallet
//! * `answers`: inquiries that are answered by callback
//! * `hear`: evidence about operations of ours
//! * `judge`: payments that providers offer, judged
//! * `telling`: telling providers the outcome of their offers
//! * `offers`: the fate of offers
//! * `arrivals`: arrivals as they are kept
//! * `claims`: payments that persons bring in by their receipts
//!
//! **A transfer's course.**
//! * `runner`: one transfer, from intent to outcome to the next intent
//! * `decisions`: the end of a turn: a decision is committed, or the transfer rests
//! * `sender`: operations, sent once their intent is durable
//! * `carried`: two transfers for one payment
//! * `changes`: changes of transfers from outside their own course
//!
//! **Who works on what.**
//! * `dispatcher`: the assignment of transfers to tasks and processes
//! * `distribution`: whether this process does all of the work, or a broker delivers it
//! * `announcements`: announcements of shared work
//! * `deliveries`: deliveries of shared work, acknowledged once it rests
//! * `account_locks`: one operation at a time per core account (rule 11)
//! * [`sharing`]: the means to share the work
//! * `backlog`: the work that nobody has begun
//!
//! **The commit path.**
//! * `committer`: making a decision durable
//! * `limits`: the amounts that a wallet and the organisation may move in a day
//! * `fees`: the fees that a mapping expects, beside those that the provider states
//! * `holds`: operations of providers that are held as a whole
//!
//! **The ground.**
//! * `operate`: orders and inquiries, from the state of a transfer
//! * `candidates`: the choice among the accounts that a payer may have named
//! * `ports`: the providers and cores, each with its throttle
//! * `throttle`: in-flight limit, rate limit and breaker of one counterparty
//! * `next_look`: the moment at which the due table is looked at next
//! * `tasks`: the tasks of an engine, and their end
//! * [`setup`]: the parts that an engine is given, and its options
//! * [`request`]: the requests of users, and the answers
//! * [`clock`], [`fail_point`]: time, chance, and the points at which a process may die

pub mod actions;
pub mod clock;
pub mod engine;
pub mod fail_point;
pub mod request;
pub mod requests;
pub mod setup;
pub mod sharing;

mod account_locks;
mod action_content;
mod action_request;
mod announcements;
mod answers;
mod arrival_desk;
mod arrivals;
mod ask_again;
mod backlog;
mod callbacks;
mod candidates;
mod carried;
mod changes;
mod claims;
mod committer;
mod decisions;
mod deliveries;
mod dispatcher;
mod distribution;
mod fees;
mod hear;
mod holds;
mod inbox;
mod interrupted;
mod judge;
mod limits;
mod next_look;
mod offers;
mod operate;
mod parts;
mod payments;
mod person_action;
mod persons;
mod ports;
mod reading;
mod runner;
mod schedule;
mod sender;
mod shards;
mod submission;
mod suggestions;
mod sweep;
mod tasks;
mod telling;
mod throttle;
mod wall_clock;
mod wallet;

pub use action_request::{ActError, Acted, NewAction};
pub use arrival_desk::ArrivalError;
pub use claims::PaymentClaim;
pub use clock::{Clock, Ids, SystemClock, TimeOrderedIds};
pub use engine::Engine;
pub use holds::HELD_OPERATIONS;
pub use person_action::{ActionKind, PersonAction};
pub use request::{
    BreakerState, CallbackAnswer, CallbackRefused, Caller, NewTransfer, Offers, ProviderStatus,
    RequestError, SubmitError, Submitted,
};
pub use setup::{
    CoreLink, EngineOptions, ExpectedFee, ProviderLink, ProviderRules, Setup, TrafficOptions,
};
pub use sharing::{Sharing, SharingOptions};
