//! The statements and the schema, looked at by `SQLite` itself.

use std::time::Duration;

use kiungo_store::contract::limits::{wallet_may, within};
use kiungo_store::contract::story::{at, instruction, received};
use kiungo_store::{Allowance, Cap, CommitError, StoreError, TransferStore as _};
use sqlx::{AssertSqlSafe, Connection, Executor, Row, SqlSafeStr, SqliteConnection};

use super::statements::STATEMENTS;
use super::{SqliteOptions, SqliteStore, schema};
use crate::batch::committer::commit_batch;
use crate::sql::OpenError;
use crate::sql::writer::Writer;

async fn migrated() -> SqliteConnection {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    schema::migrate(&mut connection).await.unwrap();
    connection
}

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let mut connection = migrated().await;
    for (name, statement) in STATEMENTS.all() {
        let prepared = (&mut connection).prepare(statement.into_sql_str()).await;
        assert!(prepared.is_ok(), "{name}: {}", prepared.unwrap_err());
    }
}

#[tokio::test]
async fn no_statement_walks_a_whole_table() {
    // Small by their nature, or by the partial index that is counted.
    let allowed = [
        "SCAN ledger_balances",
        "SCAN transfer_counts",
        "SCAN leases",
        "SCAN holds",
        "SCAN (subquery",
        "VIRTUAL TABLE",
        "CONSTANT ROW",
        // Read from one end, no further than the limit.
        "SCAN outbox",
        "SCAN actions",
    ];
    let partial = [
        "transfers_open",
        "transfers_due",
        "transfers_holding_accounts",
        "inbox_waiting",
        "quarantined",
    ];
    let mut connection = migrated().await;
    for (name, statement) in STATEMENTS.all() {
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
        for row in sqlx::query(explain).fetch_all(&mut connection).await.unwrap() {
            let step: String = row.get("detail");
            let small = allowed.iter().any(|small| step.contains(small))
                || (step.contains("INDEX") && partial.iter().any(|index| step.contains(index)));
            assert!(!step.starts_with("SCAN") || small, "{name}: {step}");
            let sorts_pages = step.contains("TEMP B-TREE FOR ORDER BY")
                && !["search_receipt", "postings", "restore"].contains(&name);
            assert!(!sorts_pages, "{name}: {step}");
        }
    }
}

#[tokio::test]
async fn each_search_takes_its_index() {
    let mut connection = migrated().await;
    for (statement, index) in [
        (STATEMENTS.search_all, "transfers_by_received"),
        (STATEMENTS.search_kind, "transfers_by_kind"),
        (STATEMENTS.search_provider, "transfers_by_provider"),
        (STATEMENTS.search_status, "transfers_by_status"),
        (STATEMENTS.search_msisdn, "transfers_by_msisdn"),
        (STATEMENTS.search_client_reference, "transfers_by_client_reference"),
        (STATEMENTS.search_receipt, "transfers_by_core_receipt"),
        (STATEMENTS.archivable, "transfers_by_received"),
        (STATEMENTS.due, "transfers_due"),
        (STATEMENTS.next_due, "transfers_due"),
        (STATEMENTS.next_due, "inbox_waiting"),
        (STATEMENTS.due_count, "transfers_due"),
        (STATEMENTS.oldest_open, "transfers_open_by_received"),
        (STATEMENTS.holding_accounts, "transfers_holding_accounts"),
        (STATEMENTS.collections, "transfers_collecting"),
        (STATEMENTS.inbox_due, "inbox_waiting"),
        (STATEMENTS.cases, "cases_by_opened"),
        (STATEMENTS.postings, "ledger_entries_by_transfer"),
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
    let (writing, _readers) = super::open::open(&options).await.unwrap();
    let mut writer = Writer(writing);
    let request = |n| {
        let change = received(instruction(n), at(1));
        crate::batch::request::Request::commit(change, false).unwrap()
    };
    let wanted: Vec<_> = (0..500).map(request).collect();
    writer.0.run("PRAGMA max_page_count = 60").await.unwrap();
    let verdicts = commit_batch(&mut writer, wanted).await;
    assert_eq!(verdicts.len(), 500);
    for verdict in &verdicts {
        let failed = matches!(verdict, Err(CommitError::Store(StoreError::Unavailable(_))));
        assert!(failed, "{verdict:?}");
    }
    for table in ["transfers", "transfer_events", "transfer_counts"] {
        assert_eq!(count(&options, table).await, 0, "{table}");
    }
    writer.0.run("PRAGMA max_page_count = 100000").await.unwrap();
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

#[tokio::test]
async fn the_schema_is_looked_at_without_being_changed() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("kiungo.db"));
    let before = SqliteStore::schema(&options).await.unwrap();
    assert_eq!((before.applied, before.missing[0].number), (None, 1));
    assert!(!options.path.exists());
    let store = SqliteStore::open(&options).await.unwrap();
    let during = SqliteStore::schema(&options).await.unwrap();
    assert!(during.applied.is_some() && during.missing.is_empty(), "{during:?}");
    store.close().await;
}

#[tokio::test]
async fn who_holds_an_account_before_there_were_lanes_keeps_it() {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let [one, two, (3, _, lanes), ..] = schema::MIGRATIONS else { panic!("another third step") };
    for (.., step) in [one, two] {
        sqlx::raw_sql(*step).execute(&mut connection).await.unwrap();
    }
    for (id, summary) in crate::sql::samples::holders() {
        let stored = "INSERT INTO transfers (
                id, version, kind, provider, status, is_open, has_case, holds_account, received_us,
                updated_us, summary
            ) VALUES (?1, 5, 'deposit', 'mpesa-tz', 'in_progress', 1, 0, 1, 1, 2, ?2)";
        sqlx::query(stored).bind(id).bind(summary).execute(&mut connection).await.unwrap();
    }
    sqlx::raw_sql(*lanes).execute(&mut connection).await.unwrap();
    let lanes = sqlx::query("SELECT core, kind, account, transfer_id FROM lanes ORDER BY account");
    let lanes = lanes.fetch_all(&mut connection).await.unwrap();
    let lanes: Vec<[String; 4]> =
        lanes.iter().map(|row| std::array::from_fn(|column| row.get(column))).collect();
    assert_eq!(lanes, crate::sql::samples::lanes());
}

/// A wallet's day leaves rows behind; those of days that are over make room for new ones.
#[tokio::test]
async fn days_that_are_over_are_cleared_away_as_new_ones_come() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("kiungo.db"));
    let store = SqliteStore::open(&options).await.unwrap();
    let daily = wallet_may(Cap { value: None, count: Some(1) });
    let length = Duration::from_hours(24);
    let mut start = daily.day.start;
    for n in 0..200 {
        // Ten wallets a day.
        start = if n % 10 == 0 { start.after(length) } else { start };
        let day = start..start.after(length);
        let change = received(instruction(n), at(1));
        store.commit(within(change, &Allowance { day, ..daily.clone() })).await.unwrap();
        for table in ["day_totals", "day_uses"] {
            let rows = count(&options, table).await;
            assert!(rows <= 40, "{table}: {rows} rows of twenty days");
        }
    }
    assert!(count(&options, "day_uses").await >= 20, "a day that may be asked for stays");
    store.close().await;
}

#[tokio::test]
async fn a_collection_that_was_under_way_before_they_were_known_is_found() {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let (before, later) = schema::MIGRATIONS.split_at(7);
    for (.., step) in before {
        sqlx::raw_sql(*step).execute(&mut connection).await.unwrap();
    }
    let (id, summary) = crate::sql::samples::collecting();
    let stored = "INSERT INTO transfers (
            id, version, kind, provider, status, is_open, has_case, holds_account, received_us,
            updated_us, msisdn, summary
        ) VALUES (?1, 3, 'deposit', 'mpesa-tz', 'in_progress', 1, 0, 0, 1, 2, '255700000001', ?2)";
    sqlx::query(stored).bind(&id).bind(summary).execute(&mut connection).await.unwrap();
    sqlx::raw_sql(later[0].2).execute(&mut connection).await.unwrap();
    let sought = ["mpesa-tz", "TZS 12550", "255700000001", "000000005"];
    let sought =
        sought.into_iter().fold(sqlx::query(STATEMENTS.collections), sqlx::query::Query::bind);
    let found: String = sought.fetch_one(&mut connection).await.unwrap().get(0);
    assert_eq!(found, id);
}
