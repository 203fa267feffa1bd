//! One module for each command, and the parts that several share.
//!
//! * `client`: the client of a Kiungo that runs
//! * `answer`: the answers of the API as people read them
//! * `account`: the account that a command names
//! * `config_file`: the option that names the configuration file

#![allow(clippy::doc_markdown, reason = "the help shows these texts as they stand")]

mod account;
pub(crate) mod action;
mod answer;
pub(crate) mod archive;
pub(crate) mod arrival;
pub(crate) mod case;
mod client;
pub(crate) mod completions;
pub(crate) mod config;
mod config_file;
pub(crate) mod core_request;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod init;
pub(crate) mod man;
pub(crate) mod mapping;
pub(crate) mod migrate;
pub(crate) mod provider;
pub(crate) mod queue;
pub(crate) mod serve;
pub(crate) mod simulate;
pub(crate) mod suspense;
pub(crate) mod transfer;
pub(crate) mod version;
