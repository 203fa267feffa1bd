#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![allow(clippy::doc_markdown, reason = "`OpenAPI` is a name here, not code")]
#![doc = include_str!("../README.md")]

mod bearer;
mod callback;
mod client;
mod config;
mod family;
mod ids;
mod limits;
mod map;
mod market;
mod notice;
mod probe;
mod questions;
mod recent;
mod session;
mod settings;
mod text;
mod wire;

pub use client::Mpesa;
pub use config::{Answers, Environment, Notification, Options, OptionsError, Secrets, TurnedAway};
pub use family::MpesaFamily;
pub use market::{Market, MarketDetails};
