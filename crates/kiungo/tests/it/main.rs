#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The binary as its users meet it: started as a process, spoken to over HTTP, audited by the books
//! of simulated counterparties.
//!
//! * `world`: the counterparties
//! * `kiungo`: the process, and a client of its API
//! * `cli`: what commands answer, and their exit codes
//! * `serving`: serving, stopping, starting again
//! * `crash_matrix`: dying at every point
//! * `demo`: the demo as a user runs it

mod cli;
mod crash_matrix;
mod demo;
mod kiungo;
mod serving;
mod world;
