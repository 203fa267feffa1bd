//! The store in a `SQLite` file: the default, for one machine.
//!
//! * [`options`]: its path, and its bounds
//! * [`open`], [`lock`], [`schema`]: opening it
//! * [`statements`]: every statement
//! * [`session`]: the one connection that writes, and those that read

mod lock;
mod open;
mod options;
mod schema;
mod session;
mod statements;
#[cfg(test)]
mod tests;

use crate::batch::committer::Bounds;
use crate::sql::{OpenError, SchemaState, SqlStore};
pub use options::SqliteOptions;
pub(crate) use session::SqliteReaders;

/// A store in a `SQLite` file, open for as long as it lives.
pub type SqliteStore = SqlStore<SqliteReaders>;

impl SqliteStore {
    /// Opens the database and brings its schema up to date; creates it if there is none.
    pub async fn open(options: &SqliteOptions) -> Result<Self, OpenError> {
        let (session, readers) = open::open(options).await?;
        let SqliteOptions { batch_max, queue_max, outbox, .. } = *options;
        Ok(Self::new(session, readers, Bounds { batch_max, queue_max }, outbox))
    }

    /// Reads how far the schema is, without changing anything, also while another process uses the
    /// file.
    pub async fn schema(options: &SqliteOptions) -> Result<SchemaState, OpenError> {
        open::schema_state(&options.path).await
    }
}
