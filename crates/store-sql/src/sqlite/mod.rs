//! The store in a `SQLite` file: the default, for one machine.
//!
//! * [`options`]: its path, and its bounds
//! * [`open`], [`lock`], [`schema`]: opening it
//! * [`statements`]: every statement
//! * [`session`]: the one connection that writes, [`readers`]: those that read
//! * [`row`]: values in, rows out
//!
//! The calls of the library block. Those that write run on the committer's thread, where a batch is one
//! visit; those that read run on the runtime's threads for blocking work.

mod lock;
mod open;
mod options;
mod readers;
mod row;
mod schema;
mod session;
mod statements;
#[cfg(test)]
mod tests;

use std::path::Path;

use crate::batch::committer::{Bounds, Committer};
use crate::sql::writer::Writer;
use crate::sql::{OpenError, SchemaState, SqlStore};
pub use options::SqliteOptions;
pub(crate) use readers::SqliteReaders;
#[cfg(test)]
pub(crate) use statements::STATEMENTS;

/// A store in a `SQLite` file, open for as long as it lives.
pub type SqliteStore = SqlStore<SqliteReaders>;

impl SqliteStore {
    /// Opens the database and brings its schema up to date; creates it if there is none.
    pub async fn open(options: &SqliteOptions) -> Result<Self, OpenError> {
        let SqliteOptions { batch_max, queue_max, outbox, .. } = *options;
        let path = options.path.clone();
        let session = blocking(&options.path, move || open::writing(&path)).await?;
        let readers = SqliteReaders::new(options);
        let committer = Committer::start_thread(Writer(session), Bounds { batch_max, queue_max });
        let path = options.path.clone();
        let committer = committer.map_err(|error| OpenError::Io { path, error })?;
        Ok(Self::new(committer, readers, outbox))
    }

    /// Reads how far the schema is, without changing anything, also while another process uses the
    /// file.
    pub async fn schema(options: &SqliteOptions) -> Result<SchemaState, OpenError> {
        let path = options.path.clone();
        blocking(&options.path, move || open::schema_state(&path)).await
    }
}

/// Runs what blocks on a thread for such work.
async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|stopped| {
        Err(OpenError::Database {
            database: path.display().to_string(),
            message: stopped.to_string(),
        })
    })
}
