//! The adapter from outside: its requests and its readings, over a scripted transport.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod activation;
mod asynchronous;
mod callbacks;
mod codes;
mod family;
mod limits;
mod options;
mod payments;
mod properties;
mod queries;
mod secrecy;
mod sessions;
mod simulated;
mod support;
