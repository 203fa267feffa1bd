//! The adapter against a scripted other side: each request is asserted, each answer is a fixture.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod auth;
mod callbacks;
mod codes;
mod inquiries;
mod options;
mod orders;
mod payments;
mod robustness;
mod statements;
mod world;
