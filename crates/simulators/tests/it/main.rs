//! The simulators as a stranger's client meets them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fineract;
mod gsma;
mod harness;
mod mpesa;
mod serve;
