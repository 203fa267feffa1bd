//! The folder of the demo: configuration, mappings made from the shipped ones, secrets, database,
//! log. Everything that stands in it is written anew by each run.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use kiungo_sandbox::configuration::Configuration;
use kiungo_sandbox::files::{remove, write_over};
use kiungo_sandbox::{Addresses, NewFile, Secrets, mappings, members};
use kiungo_store_sql::{Address, SqliteOptions};
use secrecy::{ExposeSecret as _, SecretString};

use super::broker::Broker;
use super::world::Facts;

/// The beginning of a configuration by which a demo knows its own folder.
const OURS: &str = "# Written by `kiungo demo`";
const HEAD: &str = "# Written by `kiungo demo`; the next demo in this folder writes it anew.\n";

/// The rules for what a payer types.
const ACCOUNT_REFERENCES: &str = r#"
[[account_reference]]
pattern = "LN{digits:1-9}"
kind = "loan"
key = "account_no"
pad = 9

[[account_reference]]
pattern = "SV{digits:1-9}"
kind = "savings"
key = "account_no"
pad = 9
"#;

/// The country and the currency of both providers.
const GSMA_IN_TANZANIA: &str = r#"
[provider]
time_zone = "Africa/Dar_es_Salaam"

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
"#;

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
        folder.of_a_demo()?;
        for name in ["kiungo.db", "kiungo.db-wal", "kiungo.db-shm", "kiungo.toml", "kiungo.log"] {
            remove(&folder.path.join(name)).with_context(named)?;
        }
        Ok(folder)
    }

    /// Refuses a folder with a configuration that no demo has written: it may hold real books.
    fn of_a_demo(&self) -> anyhow::Result<()> {
        let config = self.config();
        match fs::read_to_string(&config) {
            Ok(text) if !text.starts_with(OURS) => bail!(
                "{} was not written by a demo, which would replace it: take another folder (--data)",
                config.display()
            ),
            _ => Ok(()),
        }
    }

    /// Has the work shared through this broker.
    pub(super) fn share(&mut self, broker: Option<&Broker>) {
        self.queue =
            broker.map(|broker| (broker.section(&Configuration::secret("queue")), broker.url()));
    }

    pub(super) fn config(&self) -> PathBuf {
        Configuration::path(&self.path)
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
        facts: &Facts,
    ) -> anyhow::Result<()> {
        let secret = |name: &str| Configuration::secret_path(&self.path, name);
        let database = format!("url_file = {}", Configuration::secret("database"));
        let queue = self.queue.as_ref();
        let configuration = Configuration {
            folder: &self.path,
            addresses,
            secrets,
            head: HEAD,
            database: &database,
            queue: queue.map_or("", |(section, _)| section),
            key_name: "demo",
            log_filter: "warn",
        };
        let mut files = configuration.files();
        files.push(NewFile::private(secret("database"), self.url.expose_secret()));
        files.extend(queue.map(|(_, url)| NewFile::private(secret("queue"), url.expose_secret())));
        let facts = |simulator: &str| facts.of(simulator);
        for (provider, text) in mappings::mappings(addresses, secrets, facts, changes)? {
            files.push(NewFile::open(Configuration::mapping_path(&self.path, provider), text));
        }
        write_over(&files)
    }
}

/// Writes the files of a demo to this folder, without its day, for tests that check that Kiungo
/// takes them; `queue` is the address of a broker. The path of the configuration.
///
/// # Errors
/// The folder belongs to somebody else or cannot be written, or the broker cannot be used.
pub async fn write_configuration(folder: &Path, queue: Option<&str>) -> anyhow::Result<PathBuf> {
    let broker = queue.map(Broker::new).transpose()?;
    let mut folder = Folder::prepare(folder, None).await?;
    folder.share(broker.as_ref());
    let nowhere = Addresses::from_port(1);
    let facts = Facts { mpesa_public_key: "MIIB".to_owned() };
    folder.write(&nowhere, &Secrets::new()?, &facts)?;
    Ok(folder.config())
}

/// The database at `url`, if no Kiungo has used it: data in it would belong to another owner.
async fn empty_database(url: &str) -> anyhow::Result<Address> {
    let address = Address::parse(url, None).map_err(|why| anyhow!("--database {why}"))?;
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

/// The differences between the demo's mapping and that of any sandbox: both providers work in one
/// country, and a payer names an account by its number alone.
fn changes(provider: &str) -> String {
    match provider {
        members::gsma::ID => format!("{GSMA_IN_TANZANIA}{ACCOUNT_REFERENCES}"),
        _ => ACCOUNT_REFERENCES.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_that_is_not_a_demos_is_left_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        let config = Configuration::path(home.path());
        fs::write(&config, "[server]\n").unwrap();
        let complaint = Folder::prepare(home.path(), None).await.unwrap_err().to_string();
        assert!(complaint.starts_with(&config.display().to_string()), "{complaint}");
        assert_eq!(fs::read_to_string(&config).unwrap(), "[server]\n");
    }

    #[test]
    fn a_broker_that_cannot_be_used_is_refused_without_its_password() {
        for url in ["amqp://k:sesame@broker.example", "postgres://k:sesame@127.0.0.1/k"] {
            let complaint = format!("{:#}", Broker::new(url).err().unwrap());
            assert!(complaint.starts_with("--queue") && !complaint.contains("sesame"));
        }
    }
}
