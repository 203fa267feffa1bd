//! Opening a database: lock, file, schema, connections.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::lock::{WriterLock, folder_of};
use super::schema;
use super::session::Writing;
use crate::sql::{OpenError, SchemaState};

/// The longest time for which a statement waits for a lock. Only a backup or an operator's own
/// shell ever holds one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The log is folded into the database whenever it reaches this many pages of 4 KiB: 16 MiB. `SQLite`'s
/// own default of 4 MiB would do so in the middle of nearly every burst.
const LOG_PAGES_MAX: i64 = 4_096;

/// The cache of the writing connection, in KiB (`SQLite` writes it as a negative number): the upper
/// levels of all indexes of a few million transfers.
const WRITER_CACHE: i64 = -16_384;

/// The cache of each reading connection, in KiB.
const READER_CACHE: i64 = -2_048;

/// The number of statements that a connection keeps prepared: more than a store has.
const STATEMENTS_KEPT: usize = 256;

/// Opens the database at `path` for writing, with its lock, and brings its schema up to date.
pub(super) fn writing(path: &Path) -> Result<Writing, OpenError> {
    let lock = WriterLock::take(path)?;
    let mut connection = writer(path).map_err(|error| refused(path, &error))?;
    schema::migrate(path, &mut connection)?;
    Ok(Writing::new(path.to_owned(), connection, lock))
}

/// A connection that writes.
pub(super) fn writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path)?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES_MAX)?;
    connection.pragma_update(None, "cache_size", WRITER_CACHE)?;
    Ok(connection)
}

/// A connection that reads.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path)?;
    connection.pragma_update(None, "cache_size", READER_CACHE)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// The schema of the file at `path`, which need not exist; its folder must.
pub(super) fn schema_state(path: &Path) -> Result<SchemaState, OpenError> {
    let mut applied = Vec::new();
    folder_of(path)?;
    if path.exists() {
        let read = || {
            let connection = Connection::open_with_flags(path, flags())?;
            connection.busy_timeout(BUSY_TIMEOUT)?;
            connection.pragma_update(None, "query_only", true)?;
            schema::applied(&connection)
        };
        let found = read().map_err(|error| refused(path, &error))?;
        applied = found.into_iter().map(|migration| migration.version).collect();
    }
    SchemaState::new(&path.display().to_string(), schema::MIGRATIONS, &applied)
}

/// The file exists: the lock made it.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags())?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

/// Only one thread at a time has a connection, so that it needs no lock of its own.
fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// The error about a database that cannot be used.
pub(super) fn refused(path: &Path, error: &rusqlite::Error) -> OpenError {
    OpenError::Database { database: path.display().to_string(), message: error.to_string() }
}
