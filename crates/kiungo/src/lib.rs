//! Kiungo as a program: configuration, wiring, commands.
//!
//! * [`run`]: the whole program, from its arguments to its exit code
//! * `commands`: one module for each command
//! * `config`: the operator's configuration, checked before anything starts
//! * `components`: from the configuration to cores and providers
//! * `serve`: the engine behind HTTP, from start to graceful stop
//! * `logging`: the destination of log lines
//! * [`adapters`]: from mapping files and options to what an engine is made of
//! * [`families`]: the families of providers, one line for each
//! * [`mapping_override`]: a mapping with other values, for simulators
//! * `requirements`: the things that a mapping leaves to be given

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod adapters;
mod commands;
mod components;
mod config;
pub mod families;
mod logging;
pub mod mapping_override;
mod requirements;
mod serve;

pub use commands::run;
