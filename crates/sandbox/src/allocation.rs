//! The secrets and addresses of a new sandbox, one of each for every member of the list.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use crate::list::members_of_a_sandbox;
use crate::member::{Member, Place};
use crate::parties::{Addresses, Secrets};
use crate::secrets::{self, NoChance};

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

    /// Each with the name of its file, those of the members first.
    pub fn named(&self) -> Vec<(&'static str, &str)> {
        let files = members_of_a_sandbox().flat_map(|(_, member)| member.secrets);
        let of_members = files.map(|secret| (secret.file, self.of(secret.file)));
        let own = [("callback", self.callback.as_str()), ("api-key", self.api_key.as_str())];
        of_members.chain(own).collect()
    }
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
}
