#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod answer;
mod audit_trail;
mod auth;
mod booking;
mod calendar;
mod catalogue;
mod check;
mod client;
mod config;
mod fineract;
mod hold;
mod inquiry;
mod lookup;
mod posting;
mod probe;
mod requests;
mod similar_accounts;
mod suggest;
mod undo;
mod version;
mod wire;

#[cfg(test)]
mod tests;

pub use config::{
    Auth, ClientAuth, ClosedPeriods, HolderMatch, Options, OptionsError, Secrets, Switch,
};
pub use fineract::Fineract;
pub use requests::{DataTable, RequestOptions, Requests, WithdrawalTable};
