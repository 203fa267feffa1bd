//! The options with which a `SQLite` store is opened.

use std::path::PathBuf;

/// The path of the database, and its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// The database file, on a local disk: `SQLite`'s locks and shared memory do not work over a
    /// network. It and its folder are created if need be, readable by their owner only.
    pub path: PathBuf,
    /// The largest number of requests that share a transaction. By default 512: past that a
    /// transaction gains little, and its callers wait longer.
    pub batch_max: usize,
    /// The largest number of requests that wait for the committer; further callers wait for a
    /// place. By default 4,096: eight full batches, a fraction of a second of work, a few
    /// megabytes.
    pub queue_max: usize,
    /// The largest number of queries that run at the same time. By default 4: queries are short,
    /// and each connection keeps a cache and a thread.
    pub readers_max: u32,
    /// True if events are written to the outbox. By default not: without a process that
    /// publishes them, it would only grow.
    pub outbox: bool,
}

impl SqliteOptions {
    /// The defaults for a database at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let (batch_max, queue_max, readers_max) = (512, 4_096, 4);
        Self { path: path.into(), batch_max, queue_max, readers_max, outbox: false }
    }
}
