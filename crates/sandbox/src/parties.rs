//! The parties of a sandbox: the addresses at which each listens, and the secrets that only they
//! know.

use std::collections::BTreeMap;
use std::net::SocketAddr;

/// The secrets that only the parties of a sandbox know.
pub struct Secrets {
    /// A key of Kiungo's API.
    pub api_key: String,
    /// The secret part of the addresses at which Kiungo is called back.
    pub callback: String,
    /// The secrets of the members, by the names of their files.
    pub(crate) of_members: BTreeMap<&'static str, String>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

impl Secrets {
    /// The secret in a member's file; empty if no member has such a file.
    pub fn of(&self, file: &str) -> &str {
        self.of_members.get(file).map_or("", String::as_str)
    }
}

/// The addresses at which everybody listens.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// Kiungo.
    pub kiungo: SocketAddr,
    /// The simulators that take part, each by its word.
    pub simulators: Vec<(&'static str, SocketAddr)>,
}

impl Addresses {
    /// The address at which a provider calls back, with the secret and a trailing slash.
    pub(crate) fn callbacks(&self, provider: &str, secrets: &Secrets) -> String {
        format!("http://{}/callbacks/{provider}/{}/", self.kiungo, secrets.callback)
    }
}
