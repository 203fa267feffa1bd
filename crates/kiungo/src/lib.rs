//! Kiungo as a program: configuration, wiring, commands.
//!
//! * [`config`]: what an operator writes, checked before anything starts
//! * [`wiring`]: from mapping files and options to what an engine is made of
//! * [`overlay`]: a mapping with other values, for simulators

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod config;
pub mod overlay;
pub mod wiring;
