//! The built-in simulators as one list, and a Kiungo that talks to them as files: `kiungo simulate` runs
//! what the list names, `kiungo init --sandbox` writes the files, `kiungo simulate all` reads a part of
//! them, and the demo runs on them.
//!
//! * [`SIMULATORS`]: every simulator, one entry for each
//! * [`member`], [`members`]: the place of a simulator in a sandbox: its secrets, options and mapping
//! * [`Addresses`], [`Secrets`]: where everybody listens, and what only they know
//! * [`shipped`]: the shipped mappings; [`mappings`]: the same as they fit the simulators
//! * [`configuration`]: the text of Kiungo's configuration
//! * [`simulators`]: the file with the options of the simulators
//! * [`files`]: writing files, secrets among them; [`secrets`]: making secrets

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod allocation;
pub mod configuration;
pub mod files;
mod list;
pub mod mappings;
pub mod member;
pub mod members;
mod parties;
pub mod secrets;
pub mod shipped;
pub mod simulators;

/// The folder of a sandbox where none is named, from the working directory.
pub const FOLDER: &str = "data/sandbox";

pub use files::NewFile;
pub use list::{Entry, SIMULATORS, members_of_a_sandbox};
pub use parties::{Addresses, Secrets};
