//! The place of a simulator in a sandbox: what it and the Kiungo that talks to it are told.

use std::net::SocketAddr;

use serde_json::Value;

use crate::Secrets;

/// A notification of a payment that finds Kiungo down is tried again so often, waiting this long
/// first and then twice as long each time: it outlasts any restart.
pub(crate) const CALLBACK_ATTEMPTS: u32 = 9;
pub(crate) const CALLBACK_RETRY_MS: u64 = 400;

/// A simulator as a part of a sandbox.
#[derive(Debug)]
pub struct Member {
    /// The secrets that it shares with Kiungo.
    pub secrets: &'static [NewSecret],
    /// The text of its options: the table `[NAME.options]`, with these lines that only one sandbox has.
    pub options: fn(&Place<'_>, more: &str) -> String,
    /// The lines with which `kiungo init --sandbox` completes the options.
    pub completed: fn() -> anyhow::Result<String>,
    /// The side of a transfer on which it is.
    pub side: Side,
}

/// A secret that is made for a sandbox.
#[derive(Debug)]
pub struct NewSecret {
    /// The name of its file.
    pub file: &'static str,
    /// The number of its characters; at most [`crate::secrets::LENGTH`].
    pub length: usize,
}

/// The side of a transfer.
#[derive(Debug)]
pub enum Side {
    /// A core: the text of its section in Kiungo's configuration.
    Core(fn(&Place<'_>) -> String),
    /// A provider, which is reached by a mapping.
    Provider(Provider),
}

/// A provider of a sandbox.
#[derive(Debug)]
pub struct Provider {
    /// The id in the configuration: that of the shipped mapping.
    pub id: &'static str,
    /// The values that differ from the shipped ones, as a text, by what the simulator says that a client
    /// has to know.
    pub changes: fn(&Place<'_>, facts: &Value) -> anyhow::Result<String>,
    /// The secrets of the adapter: the name in the configuration, and the name of the file.
    pub secrets: &'static [(&'static str, &'static str)],
}

/// The surroundings of a member.
pub struct Place<'a> {
    /// The address at which it listens.
    pub listen: SocketAddr,
    /// The address at which it calls back, with the secret and a trailing slash; empty for a core.
    pub callbacks: String,
    /// The secrets of the sandbox.
    pub secrets: &'a Secrets,
}

impl Member {
    /// The provider that it is; `None` if it is a core.
    pub const fn provider(&self) -> Option<&Provider> {
        match &self.side {
            Side::Core(_) => None,
            Side::Provider(provider) => Some(provider),
        }
    }
}
