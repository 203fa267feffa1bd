//! The simulators as a stranger's client meets them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod gsma;
mod harness;
mod mpesa;
