//! Opening a database: lock, file, schema, connections.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::lock::{WriterLock, folder_of};
use super::options::SqliteOptions;
use super::schema;
use super::session::{SqliteReaders, Writing};
use crate::sql::{OpenError, SchemaState};

/// The longest time for which a statement waits for a lock. Only a backup or an operator's own
/// shell ever holds one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest time for which a query waits for a free connection before it fails.
const READER_WAIT_MAX: Duration = Duration::from_secs(10);

/// The log is folded into the database whenever it reaches this many pages of 4 KiB: 16 MiB. `SQLite`'s
/// own default of 4 MiB would do so in the middle of nearly every burst.
const LOG_PAGES_MAX: &str = "4096";

/// The cache of the writing connection, in KiB (`SQLite` writes it as a negative number): the upper
/// levels of all indexes of a few million transfers.
const WRITER_CACHE: &str = "-16384";

/// The cache of each reading connection, in KiB.
const READER_CACHE: &str = "-2048";

/// A writer, which holds the lock, and the readers.
pub(super) async fn open(options: &SqliteOptions) -> Result<(Writing, SqliteReaders), OpenError> {
    let path = &options.path;
    let lock = WriterLock::take(path)?;
    let writing = connect_options(path)
        .pragma("wal_autocheckpoint", LOG_PAGES_MAX)
        .pragma("cache_size", WRITER_CACHE);
    let mut connection = writing.connect().await.map_err(|error| refused(path, &error))?;
    migrate(path, &mut connection).await?;
    let reading =
        connect_options(path).pragma("cache_size", READER_CACHE).pragma("query_only", "1");
    let readers = SqlitePoolOptions::new()
        .min_connections(0)
        .max_connections(options.readers_max.max(1))
        .acquire_timeout(READER_WAIT_MAX)
        .test_before_acquire(false)
        .connect_lazy_with(reading);
    Ok((Writing::new(writing, connection, lock), SqliteReaders(readers)))
}

/// The schema of the file at `path`, which need not exist; its folder must.
pub(super) async fn schema_state(path: &Path) -> Result<SchemaState, OpenError> {
    let mut applied = Vec::new();
    folder_of(path)?;
    if path.exists() {
        let reading = SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIMEOUT);
        let reading = reading.pragma("query_only", "1").create_if_missing(false);
        let looked = async {
            let mut connection = reading.connect().await?;
            let applied = schema::applied(&mut connection).await?;
            connection.close().await.map(|()| applied)
        };
        applied = looked.await.map_err(|error| refused(path, &error))?;
    }
    SchemaState::new(&path.display().to_string(), schema::MIGRATIONS, &applied)
}

fn connect_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

async fn migrate(path: &Path, connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let migrated = schema::migrate(connection).await;
    migrated.map_err(|error| OpenError::of_migration(&path.display().to_string(), error))
}

fn refused(path: &Path, error: &sqlx::Error) -> OpenError {
    OpenError::Database { database: path.display().to_string(), message: error.to_string() }
}
