//! The migrations, compiled in.

use std::path::Path;
use std::time::Instant;

use aws_lc_rs::digest::{Digest, SHA384, digest};
use rusqlite::{Connection, Row, TransactionBehavior, params};

use super::open::refused;
use crate::sql::OpenError;
use crate::sql::schema::Migrations;

/// Never changed once released.
pub(super) const MIGRATIONS: &Migrations = &[
    (1, "journal", include_str!("../../../../migrations/sqlite/0001_journal.sql")),
    (2, "archive", include_str!("../../../../migrations/sqlite/0002_archive.sql")),
    (3, "workers", include_str!("../../../../migrations/sqlite/0003_workers.sql")),
    (4, "core_requests", include_str!("../../../../migrations/sqlite/0004_core_requests.sql")),
    (5, "cases", include_str!("../../../../migrations/sqlite/0005_cases.sql")),
    (6, "limits", include_str!("../../../../migrations/sqlite/0006_limits.sql")),
    (7, "actions", include_str!("../../../../migrations/sqlite/0007_actions.sql")),
    (8, "collections", include_str!("../../../../migrations/sqlite/0008_collections.sql")),
    (9, "search_terms", include_str!("../../../../migrations/sqlite/0009_search_terms.sql")),
    (10, "transfer_states", include_str!("../../../../migrations/sqlite/0010_transfer_states.sql")),
];

/// The list of applied migrations, in the form that the library sqlx gave it: databases of earlier
/// versions have it.
const LIST: &str = "
    CREATE TABLE IF NOT EXISTS _sqlx_migrations (
        version BIGINT PRIMARY KEY,
        description TEXT NOT NULL,
        installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
        success BOOLEAN NOT NULL,
        checksum BLOB NOT NULL,
        execution_time BIGINT NOT NULL
    )";

/// A migration that was applied.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) version: i64,
    /// SHA-384 of its text.
    checksum: Vec<u8>,
}

/// Brings the schema up to date: each migration in a transaction of its own, with its entry in the
/// list.
///
/// # Errors
/// A newer program was here, or one with other migrations, or the database failed.
pub(super) fn migrate(path: &Path, connection: &mut Connection) -> Result<(), OpenError> {
    let database = || path.display().to_string();
    let failed = |error: &rusqlite::Error| refused(path, error);
    let applied = applied(connection).map_err(|error| failed(&error))?;
    for Applied { version, checksum } in &applied {
        let known = MIGRATIONS.iter().find(|(known, ..)| known == version);
        let Some((.., sql)) = known else {
            return Err(OpenError::Newer { database: database(), version: *version });
        };
        if checksum_of(sql).as_ref() != checksum {
            return Err(OpenError::Changed { database: database(), version: *version });
        }
    }
    let is_applied = |number: i64| applied.iter().any(|applied| applied.version == number);
    for (number, subject, sql) in MIGRATIONS.iter().filter(|(number, ..)| !is_applied(*number)) {
        apply(connection, *number, subject, sql).map_err(|error| failed(&error))?;
    }
    Ok(())
}

/// Applies one, and notes that.
pub(super) fn apply(
    connection: &mut Connection,
    number: i64,
    subject: &str,
    sql: &str,
) -> rusqlite::Result<()> {
    let begun = Instant::now();
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(LIST)?;
    transaction.execute_batch(sql)?;
    let nanoseconds = i64::try_from(begun.elapsed().as_nanos()).unwrap_or(i64::MAX);
    let entry =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (?1, ?2, true, ?3, ?4)";
    let checksum = checksum_of(sql);
    transaction.execute(entry, params![number, subject, checksum.as_ref(), nanoseconds])?;
    transaction.commit()
}

/// The migrations that were applied, in order.
pub(super) fn applied(connection: &Connection) -> rusqlite::Result<Vec<Applied>> {
    if !connection.table_exists(None, "_sqlx_migrations")? {
        return Ok(Vec::new());
    }
    let list = "SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version";
    let applied = |row: &Row<'_>| Ok(Applied { version: row.get(0)?, checksum: row.get(1)? });
    connection.prepare(list)?.query_map([], applied)?.collect()
}

fn checksum_of(sql: &str) -> Digest {
    digest(&SHA384, sql.as_bytes())
}
