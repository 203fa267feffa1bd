//! Pays the requests of cores: approved loans and requested withdrawals become transfers, by
//! themselves or when a person says so.
//!
//! A hook and the poller are two ways to hear of the same thing. A reported request is read from
//! the core, evaluated by the rules, and written down once
//! ([`CoreRequestRow`](kiungo_store::CoreRequestRow), on its version); a row that is accepted
//! becomes a transfer under an idempotency key made of its name. So it does not matter how often it
//! is heard of, by how many processes, or where one of them dies: there is one transfer. A transfer
//! that failed is not begun again by itself.
//!
//! * [`rules`]: the choice of the requests that are paid, and of the wallets (pure)
//! * [`intake`]: takes up requests, from hooks and from polls
//! * `decide`: the decisions of persons
//! * `content`: the stored content of a request
//! * `poll`: the search for requests that hooks missed
//! * `in_vain`: requests that the poller has read to no effect

mod content;
mod decide;
mod in_vain;
pub mod intake;
mod poll;
pub mod rules;

pub use content::Content;
pub use decide::DecideError;
pub use intake::{
    HookError, HookResult, RequestIntake, RequestLink, RequestLinkOptions, RequestTurns,
};
pub use poll::PollError;
pub use rules::{Action, Conditions, Evaluation, Payee, RequestRules, Rule, WalletSource};
