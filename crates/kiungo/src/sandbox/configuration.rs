//! The text of a Kiungo's configuration that talks to the simulators.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::files::{NewFile, quoted};
use super::mappings::{ABSENT_AFTER, INDEXING_WINDOW_S, LADDER, PATIENCE_S};
use super::parties::{Addresses, CORE_USER, Secrets, Wallet};
use crate::secrets::sha256;

const ZONE: &str = "Africa/Dar_es_Salaam";

/// A Kiungo in a folder.
pub(crate) struct Configuration<'a> {
    /// The folder.
    pub(crate) folder: &'a Path,
    pub(crate) addresses: &'a Addresses,
    pub(crate) secrets: &'a Secrets,
    /// The comment at its beginning.
    pub(crate) head: &'a str,
    /// The line of `[database]`.
    pub(crate) database: &'a str,
    /// The section about a broker; empty if there is none.
    pub(crate) queue: &'a str,
    /// The name of the API key.
    pub(crate) key_name: &'a str,
    /// The log lines that are wanted.
    pub(crate) log_filter: &'a str,
}

impl Configuration<'_> {
    /// The configuration file.
    pub(crate) fn path(folder: &Path) -> PathBuf {
        folder.join("kiungo.toml")
    }

    /// The file of a provider's mapping.
    pub(crate) fn mapping_path(folder: &Path, wallet: Wallet) -> PathBuf {
        folder.join("mappings").join(format!("{}.toml", wallet.id()))
    }

    /// The file of a secret.
    pub(crate) fn secret_path(folder: &Path, name: &str) -> PathBuf {
        folder.join("secrets").join(name)
    }

    /// The configuration and its secrets; the mappings are written by whoever knows them.
    pub(crate) fn files(&self) -> Vec<NewFile> {
        let secrets = self.secrets.named().into_iter();
        let secrets = secrets
            .map(|(name, text)| NewFile::private(Self::secret_path(self.folder, name), text));
        let own = NewFile::open(Self::path(self.folder), self.text());
        std::iter::once(own).chain(secrets).collect()
    }

    /// A secret's file as the configuration names it: from its own folder, so that it can be moved.
    pub(crate) fn secret(name: &str) -> String {
        quoted(&Self::secret_path(Path::new(""), name))
    }

    /// A mapping's file as the configuration names it.
    pub(crate) fn mapping(wallet: Wallet) -> String {
        quoted(&Self::mapping_path(Path::new(""), wallet))
    }

    fn text(&self) -> String {
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

[[cores]]
id = "main"

[cores.fineract]
base_url = "http://{fineract}/fineract-provider"
tenant = "default"
time_zone = "{ZONE}"
auth = {{ type = "basic", username = "{CORE_USER}" }}
payment_type = 3
command_timeout_ms = {patience_ms}
read_timeout_ms = {patience_ms}
indexing_window_s = {INDEXING_WINDOW_S}

[cores.secrets]
password_file = {core_password}

[cores.traffic]
in_flight_max = 64
per_second_max = 5000
breaker_failures = 50
breaker_cool_down = "1s"

# The simulators answer and forget faster than anything real: so the waits are short.
[cores.inquiry]
ladder = {LADDER}
absent_after = "{ABSENT_AFTER}"
absent_times = 2
retry_first = "300ms"
retry_max = "2s"
retries_before_case = 50
case_after = "10m"

[log]
filter = "{log_filter}"
{queue}"#,
            head = self.head,
            port = self.addresses.kiungo.port(),
            kiungo = self.addresses.kiungo,
            database = self.database,
            key_name = self.key_name,
            key_digest = sha256(&self.secrets.api_key),
            fineract = self.addresses.fineract,
            patience_ms = PATIENCE_S * 1_000,
            core_password = Self::secret("core-password"),
            log_filter = self.log_filter,
            queue = self.queue,
        );
        for wallet in Wallet::ALL {
            text.push_str(&Self::provider(wallet));
        }
        text
    }

    fn provider(wallet: Wallet) -> String {
        let secrets: &[(&str, &str)] = match wallet {
            Wallet::Gsma => {
                &[("client_id", "gsma-client-id"), ("client_secret", "gsma-client-secret")]
            }
            Wallet::Mpesa => &[("api_key", "mpesa-api-key")],
        };
        let mut text = format!(
            "\n[[providers]]\nid = \"{}\"\nmapping = {}\ncallback_secret_file = {}\n\n\
             [providers.secrets]\n",
            wallet.id(),
            Self::mapping(wallet),
            Self::secret("callback"),
        );
        for (key, name) in secrets {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{key}_file = {}", Self::secret(name));
        }
        text
    }
}
