//! The server over a fake engine and a real store in memory: every route, every error, every bound.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod actions;
mod bad_input;
mod bounds;
mod callbacks;
mod docs;
mod duplicates;
mod health;
mod keys;
mod logged;
mod metrics;
mod requests;
mod schema;
mod scopes;
mod slow;
mod sockets;
mod store;
mod suspense;
mod transfers;
mod world;
