//! The text of a Kiungo's configuration that talks to the simulators.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use kiungo_simulator::digest::sha256_hex;

use crate::files::{NewFile, quoted};
use crate::member::{Provider, Side};
use crate::{Addresses, Secrets};

/// A Kiungo in a folder.
pub struct Configuration<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// The addresses at which everybody listens.
    pub addresses: &'a Addresses,
    /// The secrets that everybody knows.
    pub secrets: &'a Secrets,
    /// The comment at its beginning.
    pub head: &'a str,
    /// The line of `[database]`.
    pub database: &'a str,
    /// The section about a broker; empty if there is none.
    pub queue: &'a str,
    /// The name of the API key.
    pub key_name: &'a str,
    /// The log lines that are wanted.
    pub log_filter: &'a str,
}

impl Configuration<'_> {
    /// The configuration file.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join("kiungo.toml")
    }

    /// The file of a provider's mapping.
    pub fn mapping_path(folder: &Path, provider: &str) -> PathBuf {
        folder.join("mappings").join(format!("{provider}.toml"))
    }

    /// The file of a secret.
    pub fn secret_path(folder: &Path, name: &str) -> PathBuf {
        folder.join("secrets").join(name)
    }

    /// The configuration and its secrets; the mappings are written by whoever knows them.
    pub fn files(&self) -> Vec<NewFile> {
        let secrets = self.secrets.named().into_iter();
        let secrets = secrets
            .map(|(name, text)| NewFile::private(Self::secret_path(self.folder, name), text));
        let own = NewFile::open(Self::path(self.folder), self.text());
        std::iter::once(own).chain(secrets).collect()
    }

    /// A secret's file as the configuration names it: from its own folder, so that it can be moved.
    pub fn secret(name: &str) -> String {
        quoted(&Self::secret_path(Path::new(""), name))
    }

    /// A mapping's file as the configuration names it.
    pub fn mapping(provider: &str) -> String {
        quoted(&Self::mapping_path(Path::new(""), provider))
    }

    fn text(&self) -> String {
        let places = self.addresses.places(self.secrets);
        let cores = places.iter().filter_map(|(_, member, place)| match &member.side {
            Side::Core(section) => Some(section(place)),
            Side::Provider(_) => None,
        });
        let mut text = format!(
            r#"{head}
[server]
listen = "127.0.0.1"
port = {port}
# How the simulated providers reach Kiungo.
public_url = "http://{kiungo}"
shutdown_grace = "10s"

[database]
{database}

[api]

# The key stands in secrets/api-key.
[[api.keys]]
name = "{key_name}"
sha256 = "{key_digest}"
roles = ["read", "write", "operate"]

{cores}
[log]
filter = "{log_filter}"
{queue}"#,
            head = self.head,
            port = self.addresses.kiungo.port(),
            kiungo = self.addresses.kiungo,
            database = self.database,
            key_name = self.key_name,
            key_digest = sha256_hex(self.secrets.api_key.as_bytes()),
            cores = cores.collect::<Vec<_>>().join("\n"),
            log_filter = self.log_filter,
            queue = self.queue,
        );
        for provider in places.iter().filter_map(|(_, member, _)| member.provider()) {
            text.push_str(&Self::provider(provider));
        }
        text
    }

    fn provider(provider: &Provider) -> String {
        let mut text = format!(
            "\n[[providers]]\nid = \"{}\"\nmapping = {}\ncallback_secret_file = {}\n\n\
             [providers.secrets]\n",
            provider.id,
            Self::mapping(provider.id),
            Self::secret("callback"),
        );
        for (key, name) in provider.secrets {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{key}_file = {}", Self::secret(name));
        }
        text
    }
}
