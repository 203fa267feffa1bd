//! The one place that knows which kinds of database there are: the address decides.

use std::sync::Arc;

use kiungo_store::Store;
use kiungo_store_sql::{
    OpenError, PostgresOptions, PostgresStore, SchemaState, SqliteOptions, SqliteStore,
};

/// The address of the database, and its bounds. Never shows a password.
#[derive(Debug, Clone)]
pub(crate) enum Address {
    Sqlite(SqliteOptions),
    Postgres(Box<PostgresOptions>),
}

impl Address {
    /// Reads `sqlite://PATH` or `postgres://…`; what is wrong with it otherwise, without repeating
    /// it.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options = PostgresOptions::new(url).map_err(|error| error.to_string())?;
            return Ok(Self::Postgres(Box::new(options)));
        }
        let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
        match path {
            Some(path) if !path.is_empty() && !path.starts_with(":memory:") => {
                Ok(Self::Sqlite(SqliteOptions::new(path)))
            }
            Some(_) => {
                Err("needs a file: sqlite://data/kiungo.db; money is not kept in memory".to_owned())
            }
            None => {
                Err("is neither sqlite://PATH nor postgres://USER@HOST:5432/DATABASE".to_owned())
            }
        }
    }

    /// The database, for people.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Sqlite(options) => options.path.display().to_string(),
            Self::Postgres(options) => options.shown(),
        }
    }

    /// Opens it and brings its schema up to date. `PostgreSQL` may be open elsewhere meanwhile.
    pub(crate) async fn open(&self) -> Result<Database, OpenError> {
        match self {
            Self::Sqlite(options) => SqliteStore::open(options).await.map(Database::sqlite),
            Self::Postgres(options) => PostgresStore::open(options).await.map(Database::postgres),
        }
    }

    /// [`Address::open`] by one of several processes that share the work: what becomes known goes to
    /// the outbox too. `None` if only one process can have it.
    pub(crate) async fn open_shared(&self) -> Option<Result<Database, OpenError>> {
        let mut shared = self.clone();
        let Self::Postgres(options) = &mut shared else { return None };
        options.outbox = true;
        Some(shared.open().await)
    }

    /// [`Address::open`] by whoever carries out what is due: the embedded queue has one process.
    pub(crate) async fn open_alone(&self) -> Result<Database, OpenError> {
        let mut alone = self.clone();
        if let Self::Postgres(options) = &mut alone {
            options.exclusive = true;
        }
        alone.open().await
    }

    /// Reads how far its schema is, without changing anything.
    pub(crate) async fn schema(&self) -> Result<SchemaState, OpenError> {
        match self {
            Self::Sqlite(options) => SqliteStore::schema(options).await,
            Self::Postgres(options) => PostgresStore::schema(options).await,
        }
    }
}

/// An open database.
pub(crate) enum Database {
    Sqlite(Arc<SqliteStore>),
    Postgres(Arc<PostgresStore>),
}

impl Database {
    fn sqlite(store: SqliteStore) -> Self {
        Self::Sqlite(Arc::new(store))
    }

    fn postgres(store: PostgresStore) -> Self {
        Self::Postgres(Arc::new(store))
    }

    /// The store in it.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::clone(store) as Arc<dyn Store>,
            Self::Postgres(store) => Arc::clone(store) as Arc<dyn Store>,
        }
    }

    /// Commits what waits, and releases it.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }
}
