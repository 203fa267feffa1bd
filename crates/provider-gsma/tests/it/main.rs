//! The adapter against a scripted other side, where each request is asserted and each answer is a
//! fixture; and against the simulator, where money moves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod auth;
mod callbacks;
mod codes;
mod family;
mod inquiries;
mod mutual_tls;
mod notify;
mod options;
mod orders;
mod payments;
mod robustness;
mod simulated;
mod statements;
mod world;
