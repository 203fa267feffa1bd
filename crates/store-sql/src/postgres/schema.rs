//! The migrations, compiled in.

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{PgConnection, SqlSafeStr};

use crate::sql::schema::Migrations;

/// Never changed once released.
pub(super) const MIGRATIONS: &Migrations = &[
    (1, "journal", include_str!("../../../../migrations/postgres/0001_journal.sql")),
    (2, "archive", include_str!("../../../../migrations/postgres/0002_archive.sql")),
    (3, "workers", include_str!("../../../../migrations/postgres/0003_workers.sql")),
    (4, "core_requests", include_str!("../../../../migrations/postgres/0004_core_requests.sql")),
    (5, "cases", include_str!("../../../../migrations/postgres/0005_cases.sql")),
    (6, "limits", include_str!("../../../../migrations/postgres/0006_limits.sql")),
    (7, "actions", include_str!("../../../../migrations/postgres/0007_actions.sql")),
    (8, "collections", include_str!("../../../../migrations/postgres/0008_collections.sql")),
    (9, "search_terms", include_str!("../../../../migrations/postgres/0009_search_terms.sql")),
    (
        10,
        "transfer_states",
        include_str!("../../../../migrations/postgres/0010_transfer_states.sql"),
    ),
];

/// Brings the schema up to date, while no other process does.
pub(super) async fn migrate(connection: &mut PgConnection) -> Result<(), MigrateError> {
    apply(connection, MIGRATIONS).await
}

/// Applies those that are missing.
pub(super) async fn apply(
    connection: &mut PgConnection,
    migrations: &'static Migrations,
) -> Result<(), MigrateError> {
    let migrations = migrations.iter().map(|(version, subject, sql)| {
        let (subject, sql) = ((*subject).into(), sql.into_sql_str());
        Migration::new(*version, subject, MigrationType::Simple, sql, false)
    });
    // `run` says the same, but its future is not `Send` in the compiler's eyes.
    Migrator::with_migrations(migrations.collect()).run_direct(None, connection, false).await
}

/// The numbers of the migrations that were applied.
pub(super) async fn applied(connection: &mut PgConnection) -> Result<Vec<i64>, sqlx::Error> {
    let known = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
    if !sqlx::query_scalar(known).fetch_one(&mut *connection).await? {
        return Ok(Vec::new());
    }
    let applied = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
    sqlx::query_scalar(applied).fetch_all(connection).await
}
