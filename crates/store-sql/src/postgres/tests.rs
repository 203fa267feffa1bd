//! The statements and the schema, looked at by `PostgreSQL` itself.

mod journals;
mod million;

use std::str::FromStr;
use std::time::{Duration, Instant};

use kiungo_store::contract::fixtures::{at, clear, instruction, received, then};
use kiungo_store::{StoreError, TransferCommits as _, TransferStore as _};
use sqlx::postgres::PgConnectOptions;
use sqlx::{
    Column, ConnectOptions, Connection, Executor, PgConnection, Row, SqlSafeStr, Statement,
    TypeInfo,
};

use super::combined::Combined;
use super::open::{connect_options, open};
use super::statements::STATEMENTS;
use super::{PostgresOptions, PostgresStore, schema};
use crate::batch::BackendError;
use crate::batch::rows::Rows;
use crate::batch::table::{Column as ColumnKind, Table};
use crate::sql::OpenError;
use crate::sql::session::Session;
use crate::sql::stages::Stages;

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

#[tokio::test]
async fn every_stage_fits_the_schema_as_one_statement() {
    let mut connection = migrated(server()).await;
    let rows = Rows::of_every_kind();
    let Stages { first, main, last } = Stages::of(&STATEMENTS, &rows);
    for stage in [first, main, last] {
        let combined = Combined::default().of(&stage);
        let described = (&mut connection).prepare(combined).await.unwrap();
        let types = described.columns().iter().map(|column| column.type_info().name());
        assert_eq!(types.collect::<Vec<_>>(), vec!["INT8"; stage.len()]);
    }
}

/// As a migration does that a newer process runs.
#[tokio::test]
async fn a_schema_that_changes_under_a_store_stops_neither_writing_nor_reading() {
    let (name, options) = schema_of_its_own("plans").await;
    let store = PostgresStore::open(&options).await.unwrap();
    let change = received(instruction(1), at(1));
    let transfer = change.decision.transfer.clone();
    store.commit(change).await.unwrap();
    // Prepared on the writing connection and on a reading one.
    store.commit(received(instruction(2), at(1))).await.unwrap();
    assert_eq!(store.summary(transfer.id()).await.unwrap().unwrap().version, 1);
    let altered = format!(
        "ALTER TABLE {name}.transfer_states ALTER COLUMN provider TYPE varchar(100),
         ALTER COLUMN state TYPE varchar(10000)"
    );
    run(altered).await;
    assert_eq!(store.summary(transfer.id()).await.unwrap().unwrap().version, 1);
    store.commit(then(&transfer, at(2), clear)).await.unwrap();
    assert_eq!(store.summary(transfer.id()).await.unwrap().unwrap().version, 2);
    store.close().await;
    run(format!("DROP SCHEMA {name} CASCADE")).await;
}

/// Opens a database after its history of migrations was altered.
async fn reopened_after(change: &'static str) -> OpenError {
    let (name, options) = schema_of_its_own(&format!("history_{}", change.len())).await;
    PostgresStore::open(&options).await.unwrap().close().await;
    run(format!("SET search_path TO {name}; {change}")).await;
    let error = PostgresStore::open(&options).await.unwrap_err();
    run(format!("DROP SCHEMA {name} CASCADE")).await;
    error
}

/// Its name, and how to open it.
async fn schema_of_its_own(what: &str) -> (String, PostgresOptions) {
    let name = format!("kiungo_{what}_{}", std::process::id());
    run(format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")).await;
    let url = std::env::var("KIUNGO_TEST_DATABASE_URL").unwrap();
    let behind = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{behind}options[search_path]={name}&application_name={name}");
    (name, PostgresOptions::new(&url).unwrap())
}

async fn run(statement: String) {
    let mut operator = server().connect().await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut operator).await.unwrap();
    operator.close().await.unwrap();
}

#[tokio::test]
async fn who_holds_an_account_before_there_were_account_locks_keeps_it() {
    let options = server().options([("search_path", "pg_temp")]);
    let mut connection = options.connect().await.unwrap();
    let [one, two, (3, _, account_locks), ..] = schema::MIGRATIONS else {
        panic!("another third step")
    };
    for (.., step) in [one, two] {
        sqlx::raw_sql(*step).execute(&mut connection).await.unwrap();
    }
    for (id, summary) in crate::sql::samples::holders() {
        let stored = "INSERT INTO transfers (
                id, version, kind, provider, status, is_open, has_case, holds_account, received_us,
                updated_us, summary
            ) VALUES ($1::text::uuid, 5, 'deposit', 'mpesa-tz', 'in_progress', true, false, true, 1,
                2, $2)";
        sqlx::query(stored).bind(id).bind(summary).execute(&mut connection).await.unwrap();
    }
    sqlx::raw_sql(*account_locks).execute(&mut connection).await.unwrap();
    let account_locks = "SELECT core, kind, account, transfer_id::text FROM lanes ORDER BY account";
    let account_locks = sqlx::query(account_locks).fetch_all(&mut connection).await.unwrap();
    let account_locks: Vec<[String; 4]> =
        account_locks.iter().map(|row| std::array::from_fn(|column| row.get(column))).collect();
    assert_eq!(account_locks, crate::sql::samples::account_locks());
}

#[tokio::test]
async fn a_collection_that_was_under_way_before_they_were_known_is_found() {
    let options = server().options([("search_path", "pg_temp")]);
    let mut connection = options.connect().await.unwrap();
    let (before, later) = schema::MIGRATIONS.split_at(7);
    for (.., step) in before {
        sqlx::raw_sql(*step).execute(&mut connection).await.unwrap();
    }
    let (id, summary) = crate::sql::samples::collecting();
    let stored = "INSERT INTO transfers (
            id, version, kind, provider, status, is_open, has_case, holds_account, received_us,
            updated_us, msisdn, summary
        ) VALUES ($1::text::uuid, 3, 'deposit', 'mpesa-tz', 'in_progress', true, false, false, 1, 2,
            '255700000001', $2)";
    sqlx::query(stored).bind(&id).bind(summary).execute(&mut connection).await.unwrap();
    for (.., step) in later {
        sqlx::raw_sql(*step).execute(&mut connection).await.unwrap();
    }
    let sought = ["mpesa-tz", "TZS 12550", "255700000001", "000000005"];
    let sought =
        sought.into_iter().fold(sqlx::query(STATEMENTS.collections), sqlx::query::Query::bind);
    let found: String = sought.fetch_one(&mut connection).await.unwrap().get(0);
    assert_eq!(found, id);
}

/// What was stored as one row is read as before, goes on, and is archived.
#[tokio::test]
async fn transfers_from_before_they_were_two_rows_go_on() {
    let (name, options) = schema_of_its_own("earlier").await;
    let mut connection = connect_options(&options).connect().await.unwrap();
    schema::apply(&mut connection, &schema::MIGRATIONS[..9]).await.unwrap();
    let earlier = crate::sql::samples::earlier();
    for table in ["archived_transfers", "transfers"] {
        let [settled, under_way] = &earlier;
        let is_live = table == "transfers";
        let change = if is_live { under_way } else { settled };
        let summary = kiungo_store::Summary::of(&change.decision.transfer);
        let (more, values) = if is_live {
            (", is_open, has_case, holds_account", ", true, false, false")
        } else {
            (", no", ", 1000")
        };
        let stored = format!(
            "INSERT INTO {table} (id, version, kind, provider, status, msisdn, client_reference,
                received_us, updated_us, summary{more})
            VALUES ($1::text::uuid, $2, $3, $4, $5, $6, $7, $8, $8, $9{values})"
        );
        let json = serde_json::to_string(&summary).unwrap();
        sqlx::query(sqlx::AssertSqlSafe(stored))
            .bind(summary.id.to_string())
            .bind(i64::try_from(summary.version).unwrap())
            .bind(summary.kind.as_str())
            .bind(summary.provider.as_str())
            .bind(summary.status.as_str())
            .bind(summary.msisdn.as_ref().map(kiungo_domain::Msisdn::digits))
            .bind(&summary.client_reference)
            .bind(summary.received_at.as_micros())
            .bind(&json)
            .execute(&mut connection)
            .await
            .unwrap();
        if is_live {
            sqlx::query("INSERT INTO transfer_counts VALUES (0, $1, $2, $3, 1)")
                .bind(summary.kind.as_str())
                .bind(summary.provider.as_str())
                .bind(summary.status.as_str())
                .execute(&mut connection)
                .await
                .unwrap();
            sqlx::query(
                "INSERT INTO outbox (transfer_id, at_us, news, summary)
                VALUES ($1::text::uuid, 1, $3, $2)",
            )
            .bind(summary.id.to_string())
            .bind(&json)
            .bind(serde_json::to_string(&kiungo_store::OutboxEvent::Status).unwrap())
            .execute(&mut connection)
            .await
            .unwrap();
        }
    }
    connection.close().await.unwrap();
    let store = PostgresStore::open(&options).await.unwrap();
    crate::sql::samples::go_on(&store, &earlier).await;
    store.close().await;
    run(format!("DROP SCHEMA {name} CASCADE")).await;
}

/// The one test that waits in earnest: whether the server ends the transaction of a process that sits
/// still is for the server to show.
#[tokio::test]
async fn a_process_that_froze_in_a_transaction_delays_others_within_the_bound() {
    let (name, options) = schema_of_its_own("frozen").await;
    let store = PostgresStore::open(&options).await.unwrap();
    let first = received(instruction(1), at(1));
    store.commit(first.clone()).await.unwrap();
    let mut frozen = connect_options(&options).connect().await.unwrap();
    frozen.execute("BEGIN").await.unwrap();
    frozen.execute("SELECT id FROM transfer_states FOR NO KEY UPDATE").await.unwrap();
    let began = Instant::now();
    store.commit(then(&first.decision.transfer, at(2), clear)).await.unwrap();
    let waited = began.elapsed();
    assert!((Duration::from_secs(3)..Duration::from_secs(8)).contains(&waited), "{waited:?}");
    assert!(frozen.execute("COMMIT").await.is_err());
    store.close().await;
    run(format!("DROP SCHEMA {name} CASCADE")).await;
}

/// This process is the one that was frozen: its batch is not applied, and the next one is.
#[tokio::test]
async fn who_was_frozen_in_a_transaction_goes_on_with_a_new_one() {
    let (name, options) = schema_of_its_own("thawed").await;
    let (mut writing, _readers) = open(&options).await.unwrap();
    writing.begin().await.unwrap();
    let setting = Table::of(&[ColumnKind::Text], [["idle_in_transaction_session_timeout".into()]]);
    let shorter = "SELECT set_config(w.name, '50', false) FROM unnest($1::text[]) AS w (name)";
    assert_eq!(writing.get(shorter, &setting).await.unwrap().len(), 1);
    let mut operator = server().connect().await.unwrap();
    let left = "SELECT count(*), pg_sleep(0.02)::text FROM pg_stat_activity
        WHERE application_name = $1";
    while sqlx::query(left).bind(&name).fetch_one(&mut operator).await.unwrap().get::<i64, _>(0) > 0
    {
    }
    let late = writing.commit().await;
    let unavailable = |error: &BackendError| {
        matches!(error.clone().into_store(), StoreError::Unavailable(_))
            && !matches!(error, BackendError::Row(_))
    };
    assert!(late.as_ref().is_err_and(unavailable), "{late:?}");
    writing.rollback().await;
    writing.begin().await.unwrap();
    writing.commit().await.unwrap();
    writing.close().await;
    run(format!("DROP SCHEMA {name} CASCADE")).await;
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
