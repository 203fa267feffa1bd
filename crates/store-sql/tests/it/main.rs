//! The contract of the store, over each database.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(feature = "postgres-tests")]
mod postgres;
mod sqlite;
