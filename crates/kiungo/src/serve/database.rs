//! Opening the store that `database.url` names.

use kiungo_store::{SqliteOptions, SqliteStore};
use secrecy::ExposeSecret as _;

use crate::commands::Failure;
use crate::config::Database;

/// Opens the database.
///
/// # Errors
/// That the address is of no kind that is known, or why it does not open.
pub(crate) async fn open(database: &Database) -> Result<SqliteStore, Failure> {
    let path = path(database)?;
    let options =
        SqliteOptions { readers_max: database.connections_max, ..SqliteOptions::new(path) };
    SqliteStore::open(&options)
        .await
        .map_err(|error| Failure::failed(format!("database.url: {error}")))
}

/// The file, without opening it.
///
/// # Errors
/// That the address is of no kind that is known.
pub(crate) fn path(database: &Database) -> Result<String, Failure> {
    // Not shown: it may hold a password.
    let url = database.url.expose_secret();
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
    match path {
        Some(path) if !path.is_empty() && !path.starts_with(":memory:") => Ok(path.to_owned()),
        Some(_) => Err(Failure::Usage(
            "database.url: needs a file: sqlite://data/kiungo.db; money is not kept in memory"
                .into(),
        )),
        None => Err(Failure::Usage(
            "database.url: is not sqlite://PATH, the only kind of database for now".to_owned(),
        )),
    }
}
