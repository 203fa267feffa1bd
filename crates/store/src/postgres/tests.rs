//! The statements and the schema, looked at by `PostgreSQL` itself.

mod million;

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Column, ConnectOptions, Executor, PgConnection, SqlSafeStr, Statement, TypeInfo};

use super::statements::STATEMENTS;
use super::{PostgresOptions, PostgresStore, schema};
use crate::sql::OpenError;

fn server() -> PgConnectOptions {
    let url = std::env::var("KIUNGO_TEST_DATABASE_URL");
    let url = url.expect(
        "KIUNGO_TEST_DATABASE_URL names no PostgreSQL database: `cargo xtask test` starts a server \
         and sets it; any database in which temporary tables may be created will do",
    );
    PgConnectOptions::from_str(&url).unwrap()
}

/// A connection that sees temporary tables of its own only: nothing is left behind.
async fn migrated(options: PgConnectOptions) -> PgConnection {
    let options = options.options([("search_path", "pg_temp")]);
    let mut connection = options.connect().await.unwrap();
    schema::migrate(&mut connection).await.unwrap();
    connection
}

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let mut connection = migrated(server()).await;
    for (name, statement) in STATEMENTS.all() {
        let described = (&mut connection).prepare(statement.into_sql_str()).await;
        let described = described.unwrap_or_else(|error| panic!("{name}: {error}"));
        for column in described.columns() {
            // What the shared half reads; of any other type it would read nothing.
            let known = ["TEXT", "INT8", "BYTEA"].contains(&column.type_info().name());
            assert!(known, "{name}: {} is {}", column.name(), column.type_info());
        }
    }
}

/// Opens a database after its history of migrations was altered.
async fn reopened_after(change: &'static str) -> OpenError {
    let name = format!("kiungo_history_{}_{}", std::process::id(), change.len());
    let mut operator = server().connect().await.unwrap();
    let mut run = async |statement: String| {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut operator).await.unwrap();
    };
    run(format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")).await;
    let url = std::env::var("KIUNGO_TEST_DATABASE_URL").unwrap();
    let behind = if url.contains('?') { '&' } else { '?' };
    let options = format!("{url}{behind}options[search_path]={name}");
    let options = PostgresOptions::new(&options).unwrap();
    PostgresStore::open(&options).await.unwrap().close().await;
    run(format!("SET search_path TO {name}; {change}")).await;
    let error = PostgresStore::open(&options).await.unwrap_err();
    run(format!("DROP SCHEMA {name} CASCADE")).await;
    error
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let error = reopened_after(
        "INSERT INTO _sqlx_migrations
         SELECT 9999, 'future', installed_on, success, checksum, execution_time
         FROM _sqlx_migrations WHERE version = 1",
    );
    let error = error.await;
    assert!(matches!(error, OpenError::Newer { version: 9999, .. }), "{error}");
    assert!(error.to_string().contains("PostgreSQL database"), "{error}");
}

#[tokio::test]
async fn a_changed_migration_is_refused() {
    let error = reopened_after("UPDATE _sqlx_migrations SET checksum = '' WHERE version = 1").await;
    assert!(matches!(error, OpenError::Changed { version: 1, .. }), "{error}");
}
