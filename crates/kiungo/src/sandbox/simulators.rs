//! The simulators of a sandbox: `simulators.toml`, which holds where each listens and its options.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use kiungo_simulators::{fineract, gsma, mpesa};
use serde::Deserialize;
use thiserror::Error;

use super::parties::{Addresses, CORE_USER, Secrets, Wallet};

/// A notification of a payment that finds Kiungo down is tried again so often, waiting this long
/// first and then twice as long each time: it outlasts any restart.
const CALLBACK_ATTEMPTS: u32 = 9;
const CALLBACK_RETRY_MS: u64 = 400;
/// The longest file that is read, in bytes.
const BYTES_MAX: u64 = 1024 * 1024;

/// The three of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Simulators {
    pub(crate) fineract: Simulated<fineract::Options>,
    pub(crate) gsma: Simulated<gsma::Options>,
    pub(crate) mpesa: Simulated<mpesa::Options>,
}

/// One of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Simulated<O> {
    /// Where it is served.
    pub(crate) listen: SocketAddr,
    /// Its options.
    pub(crate) options: O,
}

/// The file cannot be used.
#[derive(Debug, Error)]
pub(crate) enum Unusable {
    /// There is none.
    #[error(
        "there is no {}: `kiungo init --sandbox --dir {}` writes it, and all that belongs to it",
        .file.display(), .folder.display()
    )]
    Missing {
        /// The file.
        file: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// It cannot be read.
    #[error("{} cannot be read: {why}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The reason.
        why: String,
    },
    /// What stands in it is not what is expected.
    #[error("{}: {why}", .file.display())]
    Wrong {
        /// The file.
        file: PathBuf,
        /// The fault, and the line in which it is.
        why: String,
    },
}

impl Simulators {
    /// The file in a folder.
    pub(crate) fn path(folder: &Path) -> PathBuf {
        folder.join("simulators.toml")
    }

    /// Reads the file of a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self, Unusable> {
        let file = Self::path(folder);
        let unreadable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Unusable::Missing { file: file.clone(), folder: folder.to_owned() }
            }
            _ => Unusable::Unreadable { file: file.clone(), why: error.to_string() },
        };
        if std::fs::metadata(&file).map_err(unreadable)?.len() > BYTES_MAX {
            let why = format!("is longer than {BYTES_MAX} bytes");
            return Err(Unusable::Wrong { file, why });
        }
        let text = std::fs::read_to_string(&file).map_err(unreadable)?;
        Self::parse(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                let before = text.get(..span.start).unwrap_or(&text);
                before.bytes().filter(|byte| *byte == b'\n').count() + 1
            });
            // The error's own form shows the line, which may hold a secret.
            Unusable::Wrong { file, why: format!("line {line}: {}", error.message()) }
        })
    }

    /// Reads the text of such a file.
    pub(crate) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Each with its address.
    pub(crate) fn addresses(&self) -> [(&'static str, SocketAddr); 3] {
        [
            ("fineract", self.fineract.listen),
            ("gsma", self.gsma.listen),
            ("mpesa", self.mpesa.listen),
        ]
    }
}

/// What differs between sandboxes.
pub(crate) struct Ground<'a> {
    /// The comment at the file's beginning.
    pub(crate) head: &'a str,
    /// The currency of the GSMA provider.
    pub(crate) gsma_currency: &'a str,
    /// The private key of M-Pesa; a new one in each process if absent.
    pub(crate) mpesa_private_key: Option<&'a str>,
    /// The section about the core's clients; empty if none.
    pub(crate) clients: &'a str,
}

/// The text of the file: simulators that listen at these addresses and know these secrets.
pub(crate) fn text(addresses: &Addresses, secrets: &Secrets, ground: &Ground<'_>) -> String {
    let private_key = ground.mpesa_private_key;
    let private_key = private_key.map(|key| format!("private_key = \"{key}\"\n"));
    let (gsma, mpesa) =
        (addresses.callbacks(Wallet::Gsma, secrets), addresses.callbacks(Wallet::Mpesa, secrets));
    format!(
        r#"{head}
[fineract]
listen = "{fineract_listen}"

[fineract.options]
users = [{{ name = "{CORE_USER}", password = "{core_password}" }}]
{clients}
[gsma]
listen = "{gsma_listen}"

[gsma.options]
currency = "{gsma_currency}"
# Where payments that customers start at the wallet are told.
notify_base = "{gsma}"
callback_attempts = {CALLBACK_ATTEMPTS}
callback_retry_ms = {CALLBACK_RETRY_MS}

[gsma.options.security]
oauth = {{ name = "{gsma_client}", secret = "{gsma_secret}" }}

[mpesa]
listen = "{mpesa_listen}"

[mpesa.options]
api_key = "{mpesa_api_key}"
# A real one has 4096 bits; making such a key takes seconds.
key_bits = 2048
{private_key}whole_amounts = true
asynchronous = true
delay_ms = 100
response_url = "{mpesa}results"
callback_attempts = {CALLBACK_ATTEMPTS}
callback_retry_ms = {CALLBACK_RETRY_MS}

[mpesa.options.paybill]
notify_base = "{mpesa}"
"#,
        head = ground.head,
        fineract_listen = addresses.fineract,
        core_password = secrets.core_password,
        clients = ground.clients,
        gsma_listen = addresses.gsma,
        gsma_currency = ground.gsma_currency,
        gsma_client = secrets.gsma_client,
        gsma_secret = secrets.gsma_secret,
        mpesa_listen = addresses.mpesa,
        mpesa_api_key = secrets.mpesa_api_key,
        private_key = private_key.unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> String {
        let ground =
            Ground { head: "", gsma_currency: "LSL", mpesa_private_key: Some("AA=="), clients: "" };
        text(&Addresses::from_port(1), &Secrets::new().unwrap(), &ground)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let simulators = Simulators::parse(&written()).unwrap();
        assert_eq!(simulators.gsma.options.currency.code(), "LSL");
        assert_eq!(simulators.mpesa.options.private_key.as_deref(), Some("AA=="));
        assert_eq!(simulators.mpesa.listen.port(), 4);
    }

    #[test]
    fn a_mistake_is_named_with_file_and_line_and_without_what_stands_there() {
        let home = tempfile::tempdir().unwrap();
        let missing = Simulators::read(home.path()).unwrap_err().to_string();
        assert!(missing.contains("kiungo init --sandbox --dir"), "{missing}");
        let text = written().replace("api_key = \"", "api_key = [\"sesame\"] # \"");
        std::fs::write(Simulators::path(home.path()), text).unwrap();
        let wrong = Simulators::read(home.path()).unwrap_err().to_string();
        assert!(wrong.contains("simulators.toml: line "), "{wrong}");
        assert!(!wrong.contains("sesame"), "{wrong}");
    }
}
