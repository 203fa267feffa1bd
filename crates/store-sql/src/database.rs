//! The one place that knows which kinds of database there are: the address decides.

use std::path::Path;
use std::sync::Arc;

use kiungo_store::Store;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{OpenError, PostgresOptions, PostgresStore, SchemaState, SqliteOptions, SqliteStore};

/// The address of the database, and its bounds. Never shows a password.
#[derive(Debug, Clone)]
pub enum Address {
    /// A file.
    Sqlite(SqliteOptions),
    /// A server.
    Postgres(Box<PostgresOptions>),
}

impl Address {
    /// Reads `sqlite://PATH` or `postgres://…`; what is wrong with it otherwise, without repeating
    /// it. Relative paths count from `folder`.
    pub fn parse(url: &str, folder: Option<&Path>) -> Result<Self, String> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let url = with_files_below(url, folder.unwrap_or(Path::new("")));
            let options = PostgresOptions::new(&url).map_err(|error| error.to_string())?;
            return Ok(Self::Postgres(Box::new(options)));
        }
        match sqlite_path(url) {
            Some(path) if !path.is_empty() && !path.starts_with(":memory:") => {
                let path = folder.unwrap_or(Path::new("")).join(path);
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
    pub fn shown(&self) -> String {
        match self {
            Self::Sqlite(options) => options.path.display().to_string(),
            Self::Postgres(options) => options.shown(),
        }
    }

    /// Opens it and brings its schema up to date. `PostgreSQL` may be open elsewhere meanwhile.
    pub async fn open(&self) -> Result<Database, OpenError> {
        match self {
            Self::Sqlite(options) => {
                let is_new = !options.path.exists();
                let store = SqliteStore::open(options).await?;
                if is_new {
                    let path = options.path.display();
                    tracing::info!("a new, empty database was made at {path}");
                }
                Ok(Database::sqlite(store))
            }
            Self::Postgres(options) => PostgresStore::open(options).await.map(Database::postgres),
        }
    }

    /// [`Address::open`] by one of several processes that share the work: what becomes known goes to
    /// the outbox too. `None` if only one process can have it.
    pub async fn open_shared(&self) -> Option<Result<Database, OpenError>> {
        let mut shared = self.clone();
        let Self::Postgres(options) = &mut shared else { return None };
        options.outbox = true;
        Some(shared.open().await)
    }

    /// [`Address::open`] by whoever carries out what is due: the embedded queue has one process.
    pub async fn open_alone(&self) -> Result<Database, OpenError> {
        let mut alone = self.clone();
        if let Self::Postgres(options) = &mut alone {
            options.exclusive = true;
        }
        alone.open().await
    }

    /// Reads how far its schema is, without changing anything.
    pub async fn schema(&self) -> Result<SchemaState, OpenError> {
        match self {
            Self::Sqlite(options) => SqliteStore::schema(options).await,
            Self::Postgres(options) => PostgresStore::schema(options).await,
        }
    }
}

/// The path in `sqlite://PATH`.
pub fn sqlite_path(url: &str) -> Option<&str> {
    url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"))
}

/// The address of a server, with the relative paths of its parameters counted from `folder`.
fn with_files_below(url: &str, folder: &Path) -> String {
    /// The files that an address can name, as libpq and the driver write them.
    const FILES: [&str; 7] =
        ["sslrootcert", "ssl-root-cert", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key"];
    let Some((address, query)) = url.split_once('?') else { return url.to_owned() };
    let below = |parameter: &str| match parameter.split_once('=') {
        Some((name, path)) if FILES.contains(&name) && !path.is_empty() => {
            let is_absolute = ["/", "%2f", "%2F"].iter().any(|slash| path.starts_with(slash));
            let folder = folder.to_string_lossy();
            if is_absolute || folder.is_empty() {
                return parameter.to_owned();
            }
            // What parts folders stays.
            let folder = folder.split('/').map(encoded).collect::<Vec<_>>().join("/");
            format!("{name}={folder}/{path}")
        }
        _ => parameter.to_owned(),
    };
    let parameters: Vec<_> = query.split('&').map(below).collect();
    format!("{address}?{}", parameters.join("&"))
}

/// As part of an address: all but unreserved characters (RFC 3986 §2.3) is encoded.
fn encoded(text: &str) -> String {
    const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, &RESERVED).to_string()
}

/// An open database.
pub enum Database {
    /// A file.
    Sqlite(Arc<SqliteStore>),
    /// A server.
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
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::clone(store) as Arc<dyn Store>,
            Self::Postgres(store) => Arc::clone(store) as Arc<dyn Store>,
        }
    }

    /// Commits what waits, and releases it.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_an_address_count_from_the_folder_unless_they_are_absolute() {
        let below = |url| with_files_below(url, Path::new("/etc/my bank"));
        for (url, expected) in [
            ("postgres://k@h/d", "postgres://k@h/d"),
            (
                "postgres://k@h/d?sslmode=verify-full&sslrootcert=ca.pem",
                "postgres://k@h/d?sslmode=verify-full&sslrootcert=/etc/my%20bank/ca.pem",
            ),
            ("postgres://k@h/d?sslrootcert=%2Fca.pem", "postgres://k@h/d?sslrootcert=%2Fca.pem"),
            ("postgres://k@h/d?sslcert=/ca.pem", "postgres://k@h/d?sslcert=/ca.pem"),
        ] {
            assert_eq!(below(url), expected);
            assert_eq!(with_files_below(url, Path::new("")), url);
        }
    }

    #[test]
    fn a_database_file_counts_from_the_folder() {
        let shown = |url| Address::parse(url, Some(Path::new("conf"))).unwrap().shown();
        assert_eq!(shown("sqlite://data/kiungo.db"), "conf/data/kiungo.db");
        assert_eq!(shown("sqlite:///var/lib/kiungo.db"), "/var/lib/kiungo.db");
    }
}
