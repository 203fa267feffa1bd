//! The parties of a sandbox: the addresses at which each listens, and the secrets that only they
//! know.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use crate::list::members_of_a_sandbox;
use crate::member::{Member, Place};
use crate::secrets::{self, NoChance};

/// The secrets that only the parties of a sandbox know.
pub struct Secrets {
    /// A key of Kiungo's API.
    pub api_key: String,
    /// The secret part of the addresses at which Kiungo is called back.
    pub callback: String,
    /// The secrets of the members, by the names of their files.
    of_members: BTreeMap<&'static str, String>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

impl Secrets {
    /// Makes new ones.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn new() -> Result<Self, NoChance> {
        let mut of_members = BTreeMap::new();
        for secret in members_of_a_sandbox().flat_map(|(_, member)| member.secrets) {
            let mut text = secrets::fresh()?;
            text.truncate(secret.length);
            of_members.insert(secret.file, text);
        }
        Ok(Self { api_key: secrets::fresh()?, callback: secrets::fresh()?, of_members })
    }

    /// The secret in a member's file; empty if no member has such a file.
    pub fn of(&self, file: &str) -> &str {
        self.of_members.get(file).map_or("", String::as_str)
    }

    /// Each with the name of its file, those of the members first.
    pub fn named(&self) -> Vec<(&'static str, &str)> {
        let files = members_of_a_sandbox().flat_map(|(_, member)| member.secrets);
        let of_members = files.map(|secret| (secret.file, self.of(secret.file)));
        let own = [("callback", self.callback.as_str()), ("api-key", self.api_key.as_str())];
        of_members.chain(own).collect()
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
    /// Loopback addresses: Kiungo's port, and those after it for all members.
    pub fn from_port(port: u16) -> Self {
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let ports = (1..).map(|offset: u16| port.saturating_add(offset));
        let words = members_of_a_sandbox().map(|(family, _)| family.names().word);
        Self { kiungo: at(port), simulators: words.zip(ports.map(at)).collect() }
    }

    /// The members that take part, each with its word and its place.
    pub(crate) fn places<'a>(
        &self,
        secrets: &'a Secrets,
    ) -> Vec<(&'static str, &'static Member, Place<'a>)> {
        let place =
            |(family, member): (&'static dyn kiungo_simulator::family::Family, &'static Member)| {
                let word = family.names().word;
                let (_, listen) = self.simulators.iter().find(|(known, _)| *known == word)?;
                let callbacks =
                    member.provider().map(|provider| self.callbacks(provider.id, secrets));
                let callbacks = callbacks.unwrap_or_default();
                Some((word, member, Place { listen: *listen, callbacks, secrets }))
            };
        members_of_a_sandbox().filter_map(place).collect()
    }

    /// The address at which a provider calls back, with the secret and a trailing slash.
    fn callbacks(&self, provider: &str, secrets: &Secrets) -> String {
        format!("http://{}/callbacks/{provider}/{}/", self.kiungo, secrets.callback)
    }
}
