//! The contract, over every store.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod memory;
#[cfg(feature = "postgres-tests")]
mod postgres;
mod sqlite;
