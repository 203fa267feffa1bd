//! The contract, over the store in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod memory;
