#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! The one binary: command line, configuration, wiring.

#[allow(dead_code, unused_imports, reason = "the commands that read it are wired up next")]
mod config;

fn main() {}
