//! The contract of the queue, over a broker.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[cfg(feature = "rabbit-tests")]
mod rabbit;
