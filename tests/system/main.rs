#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The binary as its users meet it: started as a process, spoken to over HTTP, audited by the books
//! of simulated counterparties.
//!
//! * `world`: the counterparties
//! * `kiungo`: the process, and a client of its API
//! * `postgres`: a database of a server, and what commands do with it
//! * `rabbit`: a broker, and what commands do with it
//! * `workers`: several processes that share the work
//! * `amqp`: commands and events, as another system meets them
//! * `actions`: what persons do by hand
//! * `cli`: what commands answer, and their exit codes
//! * `configuration`: its file, its paths, its first mistakes
//! * `doctor`: what the doctor finds
//! * `requests`: what a core asks to be paid out
//! * `serving`: serving, stopping, starting again
//! * `restart`: stopping and starting while clients ask
//! * `crash_matrix`: dying at every point
//! * `demo`: the demo as a user runs it
//! * `first_transfer`: the page about the first transfer, followed to the letter

mod actions;
#[cfg(all(feature = "postgres-tests", feature = "rabbit-tests"))]
mod amqp;
mod cli;
mod configuration;
mod crash_matrix;
mod demo;
mod doctor;
mod first_transfer;
mod kiungo;
#[cfg(feature = "postgres-tests")]
mod postgres;
#[cfg(feature = "rabbit-tests")]
mod rabbit;
mod requests;
mod restart;
mod serving;
#[cfg(all(feature = "postgres-tests", feature = "rabbit-tests"))]
mod workers;
mod world;
