//! The contract, over every queue.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod memory;
#[cfg(feature = "rabbit-tests")]
mod rabbit;
