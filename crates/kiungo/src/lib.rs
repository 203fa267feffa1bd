//! Kiungo as a program: configuration, wiring, commands.
//!
//! * [`run`]: the whole program, from its arguments to its exit code
//! * `command_line`: every command with its options
//! * `commands`: one module for each command
//! * `terminal`: answers, tables and times on the terminal
//! * `failure`: the failures of commands, and their exit codes
//! * `runtime`: the threads on which a command runs
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
mod command_line;
mod commands;
mod components;
mod config;
mod failure;
pub mod families;
mod logging;
pub mod mapping_override;
mod requirements;
mod runtime;
mod serve;
mod terminal;

pub use command_line::run;
