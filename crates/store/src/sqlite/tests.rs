//! The statements and the schema, looked at by `SQLite` itself.

use sqlx::{AssertSqlSafe, Connection, Executor, Row, SqlSafeStr, SqliteConnection};

use super::{OpenError, SqliteOptions, SqliteStore, schema, sql};
use crate::batch::committer::commit_batch;
use crate::contract::story::{at, instruction, received};
use crate::{CommitError, StoreError};

async fn migrated() -> SqliteConnection {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    schema::migrate(&mut connection).await.unwrap();
    connection
}

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let mut connection = migrated().await;
    for (name, statement) in sql::ALL {
        let prepared = (&mut connection).prepare((*statement).into_sql_str()).await;
        assert!(prepared.is_ok(), "{name}: {}", prepared.unwrap_err());
    }
}

#[tokio::test]
async fn no_statement_walks_a_whole_table() {
    // Small by their nature, or by the partial index that is counted.
    let allowed = ["SCAN ledger_balances", "SCAN transfer_counts", "VIRTUAL TABLE", "CONSTANT ROW"];
    let partial = [
        "transfers_open",
        "transfers_due",
        "transfers_holding_accounts",
        "inbox_waiting",
        "quarantined",
    ];
    let mut connection = migrated().await;
    for (name, statement) in sql::ALL {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        for row in sqlx::query(explain).fetch_all(&mut connection).await.unwrap() {
            let step: String = row.get("detail");
            let small = allowed.iter().any(|small| step.contains(small))
                || (step.contains("INDEX") && partial.iter().any(|index| step.contains(index)));
            assert!(!step.starts_with("SCAN") || small, "{name}: {step}");
            let sorts_pages =
                step.contains("TEMP B-TREE FOR ORDER BY") && *name != "search_receipt";
            assert!(!sorts_pages, "{name}: {step}");
        }
    }
}

#[tokio::test]
async fn each_search_takes_its_index() {
    let mut connection = migrated().await;
    for (statement, index) in [
        (sql::SEARCH_ALL, "transfers_by_received"),
        (sql::SEARCH_PROVIDER, "transfers_by_provider"),
        (sql::SEARCH_STATUS, "transfers_by_status"),
        (sql::SEARCH_MSISDN, "transfers_by_msisdn"),
        (sql::SEARCH_CLIENT_REFERENCE, "transfers_by_client_reference"),
        (sql::SEARCH_RECEIPT, "transfers_by_core_receipt"),
        (sql::MOVED, "transfers_by_msisdn"),
        (sql::DUE, "transfers_due"),
        (sql::NEXT_DUE, "transfers_due"),
        (sql::DUE_COUNT, "transfers_due"),
        (sql::OLDEST_OPEN, "transfers_open"),
        (sql::HOLDING_ACCOUNTS, "transfers_holding_accounts"),
        (sql::INBOX_DUE, "inbox_waiting"),
        (sql::CASES, "cases_by_opened"),
        (sql::POSTINGS, "ledger_entries_by_transfer"),
    ] {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        let plan = sqlx::query(explain).fetch_all(&mut connection).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
        assert!(plan.iter().any(|step| step.contains(index)), "{statement}\n{plan:#?}");
    }
}

/// Opens a new database, alters its history of migrations, and opens it again.
async fn reopened_after(change: &'static str) -> OpenError {
    let folder = tempfile::TempDir::new().unwrap();
    let options = SqliteOptions::new(folder.path().join("kiungo.db"));
    SqliteStore::open(&options).await.unwrap().close().await;
    let url = format!("sqlite://{}", options.path.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(change).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    SqliteStore::open(&options).await.unwrap_err()
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
    assert!(error.to_string().contains("kiungo.db"), "{error}");
}

#[tokio::test]
async fn a_changed_migration_is_refused() {
    let error = reopened_after("UPDATE _sqlx_migrations SET checksum = x'00'").await;
    assert!(matches!(error, OpenError::Changed { version: 1, .. }), "{error}");
    assert!(error.to_string().contains("kiungo.db"), "{error}");
}

/// A disk that is full in the middle of a batch: every member fails, nothing of it is there, and
/// the store goes on once there is room.
#[tokio::test]
async fn a_full_disk_fails_the_whole_batch_and_leaves_nothing() {
    let folder = tempfile::TempDir::new().unwrap();
    let options = SqliteOptions::new(folder.path().join("kiungo.db"));
    let (mut writer, _readers) = super::open::open(&options).await.unwrap();
    let request = |n| {
        let change = received(instruction(n), at(1));
        crate::batch::request::Request::commit(change).unwrap()
    };
    let wanted: Vec<_> = (0..500).map(request).collect();
    writer.run("PRAGMA max_page_count = 60").await.unwrap();
    let verdicts = commit_batch(&mut writer, wanted).await;
    assert_eq!(verdicts.len(), 500);
    for verdict in &verdicts {
        let failed = matches!(verdict, Err(CommitError::Store(StoreError::Unavailable(_))));
        assert!(failed, "{verdict:?}");
    }
    for table in ["transfers", "transfer_events", "transfer_counts"] {
        assert_eq!(count(&options, table).await, 0, "{table}");
    }
    writer.run("PRAGMA max_page_count = 100000").await.unwrap();
    let verdicts = commit_batch(&mut writer, (0..500).map(request).collect()).await;
    assert!(verdicts.iter().all(Result::is_ok));
    assert_eq!(count(&options, "transfers").await, 500);
}

async fn count(options: &SqliteOptions, table: &str) -> i64 {
    let url = format!("sqlite://{}", options.path.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let statement = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sqlx::query_scalar(statement).fetch_one(&mut connection).await.unwrap()
}
