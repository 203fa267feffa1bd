//! The operator's configuration: built-in defaults, then a file, then the environment.
//!
//! [`Config::load`] reads all of it and reports everything that is wrong at once, each with file,
//! line and key, or with the environment variable. [`Config::check`] loads the mappings and compares
//! the sections with each other. Every setting with its meaning: `config/default.toml`.
//!
//! * `load`: the whole of it
//! * `sources`: the layers, and where each key stands
//! * `read`: reading key by key
//! * `blanks`: settings that are still to be filled in
//! * [`sections`]: server, engine, actions of persons, API, log
//! * [`database`]: the database
//! * [`queue`]: the queue
//! * [`messaging`]: commands and events over AMQP
//! * [`parties`]: cores and providers
//! * [`requests`]: the requests of cores for payouts
//! * `scope`: the part of the business that a key is bound to
//! * [`secret`]: values that are never printed
//! * [`check`]: the checks that sections fit together

mod blanks;
pub(crate) mod check;
pub(crate) mod database;
mod load;
pub(crate) mod messaging;
pub(crate) mod parties;
pub(crate) mod problem;
pub(crate) mod proxy;
pub(crate) mod queue;
mod read;
pub(crate) mod requests;
mod scope;
pub(crate) mod secret;
pub(crate) mod sections;
mod sources;
#[cfg(test)]
mod tests;

pub(crate) use check::Checked;
pub(crate) use load::Config;
pub(crate) use parties::{CoreConfig, ProviderConfig};
pub(crate) use sources::Sources;
