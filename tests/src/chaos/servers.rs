//! The database and the broker: private ones, which are stopped and started.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use kiungo_test_servers::{Postgres, Rabbit};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// Both; they stop, and their files go, when this is dropped.
pub(super) struct Servers {
    postgres: Arc<Mutex<Postgres>>,
    rabbit: Arc<Mutex<Rabbit>>,
    /// The address of the database.
    pub(super) database: String,
    /// The address of the broker.
    pub(super) broker: String,
}

impl Servers {
    /// Starts them; installs what is missing.
    ///
    /// # Errors
    /// One of them does not start.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let root = root();
        let at = root.clone();
        let rabbit = spawn_blocking(move || Rabbit::start(&at));
        let postgres = spawn_blocking(move || Postgres::start(&root)).await;
        // Both are waited for, so that none is left behind if the other fails.
        let rabbit = rabbit.await;
        let (postgres, rabbit) = (postgres??, rabbit??);
        let (database, broker) = (postgres.url(), rabbit.url());
        let (postgres, rabbit) = (Arc::new(Mutex::new(postgres)), Arc::new(Mutex::new(rabbit)));
        Ok(Self { postgres, rabbit, database, broker })
    }

    /// Stops the database, as in a power cut or in an orderly way, and starts it after a while.
    ///
    /// # Errors
    /// It does not stop or start.
    pub(super) async fn restart_database(&self, crash: bool, away: Duration) -> anyhow::Result<()> {
        let postgres = Arc::clone(&self.postgres).lock_owned().await;
        let postgres = spawn_blocking(move || {
            if crash { postgres.crash() } else { postgres.halt() }.map(|()| postgres)
        });
        let postgres = postgres.await?.context("PostgreSQL does not stop")?;
        sleep(away).await;
        spawn_blocking(move || postgres.serve()).await?
    }

    /// Stops the broker, and starts it after a while.
    ///
    /// # Errors
    /// It does not start.
    pub(super) async fn restart_broker(&self, away: Duration) -> anyhow::Result<()> {
        let mut rabbit = Arc::clone(&self.rabbit).lock_owned().await;
        let rabbit = spawn_blocking(move || {
            rabbit.halt();
            rabbit
        });
        let mut rabbit = rabbit.await?;
        sleep(away).await;
        spawn_blocking(move || rabbit.serve()).await?
    }
}

/// The workspace's folder.
pub(super) fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.ancestors().nth(1).map(Path::to_owned).unwrap_or(own)
}
