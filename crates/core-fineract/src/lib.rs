#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod answer;
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
mod near;
mod posting;
mod probe;
mod requests;
mod suggest;
mod trail;
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
