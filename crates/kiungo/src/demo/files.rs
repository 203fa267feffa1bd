//! The folder of the demo: configuration, mappings made from the shipped ones, secrets, database,
//! log. Everything that stands in it is written anew by each run.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use aws_lc_rs::digest::{SHA256, digest};
use kiungo_store_sql::SqliteOptions;
use secrecy::{ExposeSecret as _, SecretString};
use toml::Value;
use uuid::Uuid;

use super::broker::Broker;
use super::workload::Wallet;
use crate::database::Address;
use crate::mapping_override;

/// The time for which Kiungo waits for an answer: shorter than the simulators' "late", so that late
/// answers are lost ones.
const PATIENCE_S: u64 = 2;
/// After how long "not found" is believed: past everything that can still be under way at a
/// simulator, with room for a busy machine.
const ABSENT_AFTER: &str = "6s";
const INDEXING_WINDOW_S: u64 = 5;
/// The questions of a day that lasts half a minute.
const LADDER: &str = r#"["400ms", "1s", "1500ms", "2s"]"#;
const ZONE: &str = "Africa/Dar_es_Salaam";

/// The secrets that only the demo's own parties know; new for each run.
pub(super) struct Secrets {
    pub(super) api_key: String,
    pub(super) core_password: String,
    pub(super) gsma_client: String,
    pub(super) gsma_secret: String,
    pub(super) mpesa_api_key: String,
    callback: String,
}

impl Secrets {
    /// New ones.
    pub(super) fn new() -> Self {
        // Each has 74 bits of chance: more than a loopback port needs.
        let random = || format!("{}{}", Uuid::now_v7().simple(), Uuid::now_v7().simple());
        Self {
            api_key: random(),
            core_password: random(),
            gsma_client: random(),
            gsma_secret: random(),
            mpesa_api_key: Uuid::now_v7().simple().to_string(),
            callback: random(),
        }
    }
}

/// The addresses at which everybody listens.
#[derive(Debug, Clone)]
pub(super) struct Addresses {
    pub(super) kiungo: SocketAddr,
    pub(super) fineract: SocketAddr,
    pub(super) gsma: SocketAddr,
    pub(super) mpesa: SocketAddr,
}

impl Addresses {
    /// The address at which `wallet` calls back, with the secret and a trailing slash.
    pub(super) fn callbacks(&self, wallet: Wallet, secrets: &Secrets) -> String {
        format!("http://{}/callbacks/{}/{}/", self.kiungo, wallet.id(), secrets.callback)
    }
}

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
    database: Address,
    /// The address as it was given, which may hold a password.
    url: SecretString,
    /// The section of the configuration about the broker, and its address; if there is one.
    queue: Option<(String, SecretString)>,
}

impl Folder {
    /// Opens the folder at `path` and removes what an earlier demo left there; the database is a
    /// file in it, or the empty one at `url`.
    pub(super) async fn prepare(path: &Path, url: Option<&str>) -> anyhow::Result<Self> {
        let path = std::path::absolute(path)?;
        let own = path.join("kiungo.db");
        let (database, url) = if let Some(url) = url {
            (empty_database(url).await?, url.to_owned())
        } else {
            let url = format!("sqlite://{}", own.display());
            (Address::Sqlite(SqliteOptions::new(&own)), url)
        };
        let folder = Self { path, database, url: SecretString::from(url), queue: None };
        let named = || format!("cannot prepare the folder {}", folder.path.display());
        fs::create_dir_all(&folder.path).with_context(named)?;
        if own.exists() {
            // A demo that still runs here must not lose its database.
            match Address::Sqlite(SqliteOptions::new(&own)).open().await {
                Ok(database) => database.close().await,
                Err(error @ kiungo_store_sql::OpenError::InUse { .. }) => return Err(error.into()),
                Err(_) => {}
            }
        }
        for name in ["kiungo.db", "kiungo.db-wal", "kiungo.db-shm", "kiungo.toml", "kiungo.log"] {
            remove(&folder.path.join(name)).with_context(named)?;
        }
        fs::create_dir_all(folder.path.join("mappings")).with_context(named)?;
        fs::create_dir_all(folder.path.join("secrets")).with_context(named)?;
        Ok(folder)
    }

    /// Has the work shared through this broker.
    pub(super) fn share(&mut self, broker: Option<&Broker>) {
        self.queue = broker.map(|broker| (broker.section(&self.secret("queue")), broker.url()));
    }

    pub(super) fn config(&self) -> PathBuf {
        self.path.join("kiungo.toml")
    }

    pub(super) const fn database(&self) -> &Address {
        &self.database
    }

    pub(super) fn log(&self) -> PathBuf {
        self.path.join("kiungo.log")
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all that Kiungo reads.
    pub(super) fn write(
        &self,
        addresses: &Addresses,
        secrets: &Secrets,
        mpesa_public_key: &str,
    ) -> anyhow::Result<()> {
        for (name, secret) in [
            ("core-password", &secrets.core_password),
            ("gsma-client-id", &secrets.gsma_client),
            ("gsma-client-secret", &secrets.gsma_secret),
            ("mpesa-api-key", &secrets.mpesa_api_key),
            ("callback", &secrets.callback),
            ("api-key", &secrets.api_key),
        ] {
            write_secret(&self.path.join("secrets").join(name), secret)?;
        }
        write_secret(&self.path.join("secrets").join("database"), self.url.expose_secret())?;
        if let Some((_, url)) = &self.queue {
            write_secret(&self.path.join("secrets").join("queue"), url.expose_secret())?;
        }
        let gsma =
            mapping_override::merge(mapping_override::GSMA_SANDBOX, &gsma_changes(addresses))?;
        fs::write(self.mapping(Wallet::Gsma), gsma)?;
        let mpesa = mpesa_changes(addresses, mpesa_public_key);
        fs::write(
            self.mapping(Wallet::Mpesa),
            mapping_override::merge(mapping_override::MPESA_TZ, &mpesa)?,
        )?;
        fs::write(self.config(), self.config_text(addresses, secrets))?;
        Ok(())
    }

    fn mapping(&self, wallet: Wallet) -> PathBuf {
        self.path.join("mappings").join(format!("{}.toml", wallet.id()))
    }

    fn secret(&self, name: &str) -> String {
        quoted(&self.path.join("secrets").join(name))
    }

    fn config_text(&self, addresses: &Addresses, secrets: &Secrets) -> String {
        let mut text = format!(
            r#"# Written by `kiungo demo`; the next demo in this folder writes it anew.

[server]
listen = "127.0.0.1"
port = {port}
public_url = "http://{kiungo}"
shutdown_grace = "10s"

[database]
url_file = {database}

[api]

[[api.keys]]
name = "demo"
sha256 = "{key_digest}"
roles = ["read", "write", "operate"]

[[cores]]
id = "main"

[cores.fineract]
base_url = "http://{fineract}/fineract-provider"
tenant = "default"
time_zone = "{ZONE}"
auth = {{ type = "basic", username = "kiungo" }}
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

[cores.inquiry]
ladder = {LADDER}
absent_after = "{ABSENT_AFTER}"
absent_times = 2
retry_first = "300ms"
retry_max = "2s"
retries_before_case = 50
case_after = "10m"

[log]
filter = "warn"
"#,
            port = addresses.kiungo.port(),
            kiungo = addresses.kiungo,
            database = self.secret("database"),
            key_digest = sha256_hex(&secrets.api_key),
            fineract = addresses.fineract,
            patience_ms = PATIENCE_S * 1_000,
            core_password = self.secret("core-password"),
        );
        text.push_str(self.queue.as_ref().map_or("", |(section, _)| section));
        for (wallet, secrets) in [
            (
                Wallet::Gsma,
                &[("client_id", "gsma-client-id"), ("client_secret", "gsma-client-secret")][..],
            ),
            (Wallet::Mpesa, &[("api_key", "mpesa-api-key")][..]),
        ] {
            let secrets = secrets.iter().fold(String::new(), |mut lines, (key, name)| {
                // Writing to a String cannot fail.
                let _ = writeln!(lines, "{key}_file = {}", self.secret(name));
                lines
            });
            let _ = write!(
                text,
                "\n[[providers]]\nid = \"{}\"\nmapping = {}\ncallback_secret_file = {}\n\n\
                 [providers.secrets]\n{secrets}",
                wallet.id(),
                quoted(&self.mapping(wallet)),
                self.secret("callback"),
            );
        }
        text
    }
}

/// The database at `url`, if no Kiungo has been there: whatever it holds belongs to somebody.
async fn empty_database(url: &str) -> anyhow::Result<Address> {
    let address = Address::parse(url).map_err(|why| anyhow!("--database {why}"))?;
    let Address::Postgres(options) = &address else {
        bail!("--database takes postgres://…; a file is made in the folder given by --data");
    };
    if !options.is_private() {
        bail!("--database: the server is on another machine: add ?sslmode=verify-full");
    }
    if address.schema().await?.applied.is_some() {
        let shown = options.shown();
        bail!("--database: {shown} holds the books of a Kiungo: make an empty one (createdb)");
    }
    Ok(address)
}

/// The differences between a mapping for a day that lasts half a minute and a real one.
fn changes_of_both() -> String {
    format!(
        r#"
[numbers]
dial_codes = ["255"]

[money]
currency = "TZS"

[limits.collect]
min = "100"
max = "3000000"

[limits.pay_out]
min = "1000"
max = "5000000"

[inquiry]
ladder = {LADDER}
absent_after = "{ABSENT_AFTER}"
absent_times = 2
# The simulators' queries can be trusted: what they do not find after this long never arrived.
when_payout_absent = "reject"
case_after = "10m"
retry_first = "300ms"
retry_max = "2s"
retries_before_case = 50

[traffic]
in_flight_max = 64
per_second_max = 5000

[traffic.breaker]
failures = 50
window = "10s"
cool_down = "1s"

[[account_reference]]
pattern = "LN{{digits:1-9}}"
kind = "loan"
key = "account_no"
pad = 9

[[account_reference]]
pattern = "SV{{digits:1-9}}"
kind = "savings"
key = "account_no"
pad = 9
"#
    )
}

fn gsma_changes(addresses: &Addresses) -> String {
    let gsma = addresses.gsma;
    // A payout that never arrived is sent again here: the provider refuses a second arrival.
    let both = changes_of_both()
        .replace("when_payout_absent = \"reject\"", "when_payout_absent = \"resend\"");
    format!(
        r#"{both}
[provider]
name = "GSMA provider (simulated)"
time_zone = "{ZONE}"

[core]
payment_type = 3
on_core_rejection = "suspense"

[callbacks]
validation = false

[gsma]
base_url = "http://{gsma}/v1.2/mm"
token_url = "http://{gsma}/v1/oauth/accesstoken"
collect_timeout_s = {PATIENCE_S}
pay_out_timeout_s = {PATIENCE_S}
read_timeout_s = {PATIENCE_S}
indexing_window_s = {INDEXING_WINDOW_S}

[gsma.payments]
validates = false
"#
    )
}

fn mpesa_changes(addresses: &Addresses, public_key: &str) -> String {
    format!(
        r#"{both}
[provider]
name = "M-Pesa Tanzania (simulated)"

[core]
payment_type = 2
on_core_rejection = "refund"

[callbacks]
expected = true
payments = true
validation = true

[mpesa]
base_url = "http://{mpesa}"
public_key = "{public_key}"
activation_delay = "0s"
session_timeout = "5s"
collect_timeout = "{PATIENCE_S}s"
pay_out_timeout = "{PATIENCE_S}s"
query_timeout = "{PATIENCE_S}s"
indexing_window = "{INDEXING_WINDOW_S}s"
answers = "asynchronous"
notification = "c2b-confirmation"
validates_payments = true
"#,
        both = changes_of_both(),
        mpesa = addresses.mpesa,
    )
}

fn quoted(path: &Path) -> String {
    Value::from(path.display().to_string()).to_string()
}

fn sha256_hex(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a file that only its owner reads.
fn write_secret(path: &Path, secret: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    remove(path)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file =
        options.open(path).with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(secret.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kiungo_mapping::Mapping;

    use super::*;
    use crate::config::{Config, Sources};

    #[tokio::test]
    async fn what_is_written_is_a_configuration_without_complaint() {
        check(None).await;
        let broker = Broker::new("amqp://kiungo:secret@127.0.0.1:1/%2f").unwrap();
        check(Some(&broker)).await;
    }

    #[test]
    fn a_broker_that_cannot_be_used_is_refused_without_its_password() {
        for url in ["amqp://k:sesame@broker.example", "postgres://k:sesame@127.0.0.1/k"] {
            let complaint = format!("{:#}", Broker::new(url).err().unwrap());
            assert!(complaint.starts_with("--queue") && !complaint.contains("sesame"));
        }
    }

    async fn check(broker: Option<&Broker>) {
        let home = tempfile::tempdir().unwrap();
        let mut folder = Folder::prepare(home.path(), None).await.unwrap();
        folder.share(broker);
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let addresses =
            Addresses { kiungo: local(1), fineract: local(2), gsma: local(3), mpesa: local(4) };
        folder.write(&addresses, &Secrets::new(), "MIIB").unwrap();
        for wallet in Wallet::ALL {
            Mapping::load(&folder.mapping(wallet)).unwrap();
        }
        let sources = Sources { file: Some(folder.config()), environment: BTreeMap::new() };
        let config = Config::load(&sources).unwrap();
        config.check().unwrap();
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    }
}
