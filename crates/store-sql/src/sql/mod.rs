//! The part that the SQL databases share, above their statements: it says which rows are asked for
//! and how they are read, in which order a batch is read and written, and which way a search takes.
//!
//! A database brings its [`Statements`], a [`Session`] that writes, and [`Readers`].
//!
//! * [`statements`]: the list of all statements, with their parameters and columns
//! * [`session`]: rows in, rows out
//! * [`store`]: the store
//! * [`transfers`], [`reports`], [`dues`], [`inbox`], [`outbox`], [`leases`], [`holds`], [`actions`],
//!   [`requests`], [`archive`]: its subjects
//! * [`writer`]: a batch read and written
//! * [`stages`]: the statements that write a batch, in their order
//! * [`maintenance`]: the work between two batches
//! * [`read`]: rows read back
//! * [`search`]: the ways into a search
//! * [`opening`]: the reasons for which a database does not open
//! * [`schema`]: the comparison of its schema with the program's

mod actions;
mod archive;
mod dues;
mod holds;
mod inbox;
mod leases;
mod maintenance;
pub(crate) mod opening;
mod outbox;
pub(crate) mod read;
mod reports;
mod requests;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod schema;
pub(crate) mod search;
pub(crate) mod session;
pub(crate) mod stages;
pub(crate) mod statements;
mod store;
mod transfers;
pub(crate) mod writer;

pub use opening::OpenError;
pub use schema::{SchemaState, SchemaStep};
pub(crate) use session::{Parameter, Readers, Record};
pub(crate) use statements::Statements;
pub use store::SqlStore;
