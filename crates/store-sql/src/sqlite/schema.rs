//! The migrations, compiled in.

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr, SqliteConnection};

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

/// The numbers of the migrations that were applied.
pub(super) async fn applied(connection: &mut SqliteConnection) -> Result<Vec<i64>, sqlx::Error> {
    let known = "SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
    let tables: i64 = sqlx::query_scalar(known).fetch_one(&mut *connection).await?;
    if tables == 0 {
        return Ok(Vec::new());
    }
    let applied = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
    sqlx::query_scalar(applied).fetch_all(connection).await
}
