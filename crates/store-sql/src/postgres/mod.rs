//! The store in a `PostgreSQL` database: for any number of processes, on any number of machines.
//!
//! * [`options`]: its address, and its bounds
//! * [`open`], [`schema`]: opening it
//! * [`owner`]: that only one process opens it, or several that share the work
//! * [`statements`]: every statement
//! * [`session`]: the one connection that writes, and those that read
//! * [`journals`]: the reading of journals, many in one query
//! * [`parameters`]: the binding of values
//! * [`combined`]: several writing statements as one
//! * [`failure`]: the meaning of a failure
//!
//! Each process has one connection that writes. Two processes may commit at the same time; what one
//! of them judges by is locked until its end (transfers, inbox items), or refused by a key when the
//! other was quicker (events, accounts held, receipts, idempotency keys, arrivals). Then the batch is
//! judged anew.

mod combined;
mod failure;
mod journals;
mod open;
mod options;
mod owner;
mod parameters;
mod schema;
mod session;
mod statements;
#[cfg(all(test, feature = "postgres-tests"))]
mod tests;

use crate::batch::committer::{Bounds, Committer};
use crate::sql::writer::Writer;
use crate::sql::{OpenError, SchemaState, SqlStore};
pub use options::PostgresOptions;
pub(crate) use session::PostgresReaders;
#[cfg(test)]
pub(crate) use statements::STATEMENTS;

/// A store in a `PostgreSQL` database.
pub type PostgresStore = SqlStore<PostgresReaders>;

impl PostgresStore {
    /// Opens the database and brings its schema up to date; the database itself has to exist. Of
    /// several processes that do so at the same time, one migrates and the others wait.
    pub async fn open(options: &PostgresOptions) -> Result<Self, OpenError> {
        let (session, readers) = open::open(options).await?;
        let PostgresOptions { batch_max, queue_max, outbox, .. } = *options;
        let bounds = Bounds { batch_max, queue_max };
        Ok(Self::new(Committer::start(Writer(session), bounds), readers, outbox))
    }

    /// Reads how far the schema is, without changing anything.
    pub async fn schema(options: &PostgresOptions) -> Result<SchemaState, OpenError> {
        open::schema_state(options).await
    }
}
