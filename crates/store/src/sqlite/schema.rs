//! The migrations, compiled in.

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr, SqliteConnection};

/// Number, subject and text of each migration; never changed once released.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "journal", include_str!("../../../../migrations/sqlite/0001_journal.sql")),
    (2, "archive", include_str!("../../../../migrations/sqlite/0002_archive.sql")),
];

/// Brings the schema up to date.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), MigrateError> {
    let migrations = MIGRATIONS.iter().map(|(version, subject, sql)| {
        let (subject, sql) = ((*subject).into(), sql.into_sql_str());
        Migration::new(*version, subject, MigrationType::Simple, sql, false)
    });
    // `run` says the same, but its future is not `Send` in the compiler's eyes.
    Migrator::with_migrations(migrations.collect()).run_direct(None, connection, false).await
}
