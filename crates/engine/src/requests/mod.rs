//! Pays the requests of cores: approved loans and requested withdrawals become transfers, by
//! themselves or when a person says so.
//!
//! A hook and the poller are two ways to learn of the same request. A reported request is read from
//! the core, evaluated by the rules, and written down once
//! ([`CoreRequestRow`](kiungo_store::CoreRequestRow), on its version); a row that is accepted
//! becomes a transfer under an idempotency key made of its name. So there is one transfer, however
//! often the request is reported, to however many processes, and wherever one of them dies. A
//! transfer that failed is not begun again by itself.
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
