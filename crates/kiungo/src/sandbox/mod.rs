//! A Kiungo that talks to the built-in simulators, as files: `kiungo init --sandbox` writes them,
//! `kiungo simulate all` reads a part of them, and `kiungo demo` runs on them.
//!
//! * [`parties`]: who is in it: secrets, addresses, providers
//! * [`mappings`]: the shipped mappings, as they fit the simulators
//! * [`configuration`]: the text of Kiungo's configuration
//! * [`simulators`]: the options of the simulators
//! * [`files`]: writing files, secrets among them

pub(crate) mod configuration;
pub(crate) mod files;
pub(crate) mod mappings;
pub(crate) mod parties;
pub(crate) mod simulators;

pub(crate) use files::NewFile;
pub(crate) use parties::{Addresses, Secrets, Wallet};
