#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! The stores in SQL databases: the port `kiungo-store`, carried out by `SQLite` and `PostgreSQL`.
//!
//! * [`SqliteStore`]: one file, one machine
//! * [`PostgresStore`]: a server, any number of processes
//! * [`Address`], [`Database`]: the kinds of database, told apart by their address
//! * `batch`: group commit, for any database
//! * `sql`: what the two databases share above their statements (rows, conflicts, ways of searching)

mod batch;
mod database;
mod postgres;
mod sql;
mod sqlite;

pub use database::{Address, Database, sqlite_path};
pub use postgres::{PostgresOptions, PostgresStore};
pub use sql::{OpenError, SchemaState, SchemaStep, SqlStore};
pub use sqlite::{SqliteOptions, SqliteStore};
