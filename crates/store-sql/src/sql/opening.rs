//! The reasons for which a database does not open.

use std::path::PathBuf;

use sqlx::migrate::MigrateError;
use thiserror::Error;

/// The reason that a store did not open. Each message names the database and what to do.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has the file open for writing.
    #[error(
        "{} is in use by {holder}: stop it first, or configure another database", path.display()
    )]
    InUse {
        /// The database.
        path: PathBuf,
        /// The process that holds it, as far as is known.
        holder: String,
    },
    /// Another process has the database open for itself.
    #[error("{database} is in use by {holder}: stop it first, or configure another database")]
    Taken {
        /// The database.
        database: String,
        /// The process that has it, as far as is known.
        holder: String,
    },
    /// A newer Kiungo has migrated it.
    #[error(
        "{database} was migrated by a newer Kiungo (migration {version}, which this one does not \
         know): run that version, or restore a backup made before it"
    )]
    Newer {
        /// The database.
        database: String,
        /// The first migration that is not known.
        version: i64,
    },
    /// A migration that it went through differs from the one that this program holds.
    #[error(
        "{database} went through another migration {version} than this Kiungo holds: run the \
         version that created it, or restore a backup"
    )]
    Changed {
        /// The database.
        database: String,
        /// The migration.
        version: i64,
    },
    /// The folder of a file does not exist. It is not made: it may be mistyped.
    #[error(
        "the folder {0} for the database {1} does not exist: correct the path, or make the folder for a \
         new, empty database: mkdir -p {0}", folder.display(), path.display()
    )]
    NoFolder {
        /// The database.
        path: PathBuf,
        /// The folder.
        folder: PathBuf,
    },
    /// A file or folder cannot be created, opened or locked.
    #[error("cannot open {}: {error}; check that the folder exists and may be written", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's message.
        error: std::io::Error,
    },
    /// The address of a server cannot be read. It is not repeated, because it may hold a password.
    #[error(
        "the address of the database cannot be read: {message}; it looks like \
         postgres://user:password@host:5432/name"
    )]
    Address {
        /// The fault in the address.
        message: String,
    },
    /// The server cannot be reached, or refuses the login.
    #[error(
        "cannot connect to {database}: {message}; check that it runs and is reached from here, the \
         user, the password, and that the database exists"
    )]
    Unreachable {
        /// The database.
        database: String,
        /// The failure.
        message: String,
    },
    /// It is no database that Kiungo can use.
    #[error("cannot use {database} as a database: {message}; check the disk, or restore a backup")]
    Database {
        /// The database.
        database: String,
        /// The database's message.
        message: String,
    },
    /// The server is not one that Kiungo works with.
    #[error("cannot use {database}: {message}")]
    Unsuitable {
        /// The database.
        database: String,
        /// The fault, and the remedy.
        message: String,
    },
}

impl OpenError {
    /// The error of a schema that could not be brought up to date.
    pub(crate) fn of_migration(database: &str, error: MigrateError) -> Self {
        let database = database.to_owned();
        match error {
            MigrateError::VersionMissing(version) => Self::Newer { database, version },
            MigrateError::VersionMismatch(version) | MigrateError::Dirty(version) => {
                Self::Changed { database, version }
            }
            other => Self::Database { database, message: other.to_string() },
        }
    }
}
