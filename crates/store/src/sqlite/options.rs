//! How a `SQLite` store is opened, and why it may not open.

use std::path::PathBuf;

use thiserror::Error;

/// Where the database is, and its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// The database file, on a local disk: `SQLite`'s locks and shared memory do not work over a
    /// network. It and its folder are created if need be, readable by their owner only.
    pub path: PathBuf,
    /// How many requests share a transaction at most. By default 512: past that a transaction
    /// gains little, and its callers wait longer.
    pub batch_max: usize,
    /// How many requests wait for the committer at most; further callers wait for a place. By
    /// default 4,096: eight full batches, a fraction of a second of work, a few megabytes.
    pub queue_max: usize,
    /// How many queries run at the same time at most. By default 4: queries are short, and each
    /// connection keeps a cache and a thread.
    pub readers_max: u32,
}

impl SqliteOptions {
    /// The defaults for a database at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), batch_max: 512, queue_max: 4_096, readers_max: 4 }
    }
}

/// Why a store did not open. Each message names the file and what to do.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has it open for writing.
    #[error(
        "{} is in use by {holder}: stop it first, or configure another database", path.display()
    )]
    InUse {
        /// The database.
        path: PathBuf,
        /// Who holds it, as far as is known.
        holder: String,
    },
    /// A newer Kiungo has migrated it.
    #[error(
        "{} was migrated by a newer Kiungo (migration {version}, which this one does not know): \
         run that version, or restore a backup made before it", path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// The first migration that is not known.
        version: i64,
    },
    /// A migration that it went through differs from the one that this program holds.
    #[error(
        "{} went through another migration {version} than this Kiungo holds: run the version that \
         created it, or restore a backup", path.display()
    )]
    Changed {
        /// The database.
        path: PathBuf,
        /// The migration.
        version: i64,
    },
    /// A file or folder cannot be created, opened or locked.
    #[error("cannot open {}: {error}; check that the folder exists and may be written", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// `SQLite` refuses it.
    #[error(
        "cannot use {} as a database: {message}; check the disk, or restore a backup",
        path.display()
    )]
    Database {
        /// The database.
        path: PathBuf,
        /// What `SQLite` says.
        message: String,
    },
}
