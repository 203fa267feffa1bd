//! The contract, over every store.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod memory;
mod sqlite;
