//! A schema of its own for each test.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use kiungo_store::Store;
use kiungo_store::contract::Harness;
use kiungo_store_sql::{PostgresOptions, PostgresStore};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// The schema, which is dropped with it, and the store that was opened last.
pub(super) struct Schema {
    name: String,
    open: Mutex<Option<Arc<PostgresStore>>>,
}

impl Schema {
    /// An empty one.
    pub(super) async fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("kiungo_test_{}_{number}", std::process::id());
        run(format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")).await;
        Self { name, open: Mutex::new(None) }
    }

    /// Returns the options with which a store is opened in it.
    pub(super) fn options(&self) -> PostgresOptions {
        PostgresOptions::new(&self.url()).unwrap()
    }

    /// The name of the schema, and of every connection that looks for its tables there.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn url(&self) -> String {
        let (server, name) = (server(), &self.name);
        let behind = if server.contains('?') { '&' } else { '?' };
        format!("{server}{behind}options[search_path]={name}&application_name={name}")
    }

    async fn open_as(&self, options: &PostgresOptions) -> Arc<PostgresStore> {
        let store = Arc::new(PostgresStore::open(options).await.unwrap());
        *self.open.lock().unwrap() = Some(Arc::clone(&store));
        store
    }

    /// A connection of its own.
    pub(super) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }
}

/// In a thread of its own, because the test's runtime is ending.
impl Drop for Schema {
    fn drop(&mut self) {
        let statement = format!("DROP SCHEMA {} CASCADE", self.name);
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(run(statement));
        });
        let _ = dropped.join();
    }
}

#[async_trait]
impl Harness for Schema {
    async fn open(&self) -> Arc<dyn Store> {
        self.open_as(&self.options()).await
    }

    async fn open_with_outbox(&self) -> Arc<dyn Store> {
        let mut options = self.options();
        options.outbox = true;
        self.open_as(&options).await
    }

    async fn reopen(&self, _store: Arc<dyn Store>) -> Option<Arc<dyn Store>> {
        let open = self.open.lock().unwrap().take();
        open.unwrap().close().await;
        Some(self.open().await)
    }
}

fn server() -> String {
    std::env::var("KIUNGO_TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!(
            "KIUNGO_TEST_DATABASE_URL names no PostgreSQL database: `cargo xtask test` starts a \
             server and sets it; any database in which schemas may be created will do"
        )
    })
}

async fn run(statements: String) {
    let mut connection = PgConnection::connect(&server()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
