//! The statements and the schema, looked at by `SQLite` itself.

use std::path::Path;
use std::time::Duration;

use kiungo_store::contract::fixtures::{at, instruction, received};
use kiungo_store::contract::limits::{wallet_may, within};
use kiungo_store::{Allowance, Cap, CommitError, StoreError, TransferCommits as _};
use rusqlite::{Connection, params};

use super::statements::STATEMENTS;
use super::{SqliteOptions, SqliteStore, schema};
use crate::batch::committer::commit_batch;
use crate::sql::OpenError;
use crate::sql::writer::Writer;

/// The checksum that sqlx stored for the first migration.
const JOURNAL_SHA384: &str = "e8ce97985454bcf236e774299a9ec0fc8d663e4c1f79343d2942112b1d6b4b343cf26da5305859fe6b3820d20e167fa3";

fn migrated() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    schema::migrate(Path::new(":memory:"), &mut connection).unwrap();
    connection
}

/// The steps by which a statement is carried out.
fn plan(connection: &Connection, statement: &str) -> Vec<String> {
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
    // Parameters that are not bound are null, which changes no plan.
    let mut rows = explain.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get("detail").unwrap());
    }
    steps
}

#[test]
fn every_statement_fits_the_schema() {
    let connection = migrated();
    for (name, statement) in STATEMENTS.all() {
        let prepared = connection.prepare(statement).map(drop);
        assert!(prepared.is_ok(), "{name}: {}", prepared.unwrap_err());
    }
}

#[test]
fn no_statement_walks_a_whole_table() {
    // Small by their nature, or by the partial index that is counted.
    let allowed = [
        "SCAN ledger_balances",
        "SCAN transfer_counts",
        "SCAN leases",
        "SCAN holds",
        "SCAN (subquery",
        // The counts, the page that a search has found, and the accounts that are held.
        "SCAN counted",
        "SCAN page",
        "SCAN lanes",
        "VIRTUAL TABLE",
        "CONSTANT ROW",
        // Read from one end, no further than the limit.
        "SCAN outbox",
        "SCAN actions",
    ];
    let partial = ["transfer_states_due", "inbox_waiting", "quarantined"];
    let connection = migrated();
    for (name, statement) in STATEMENTS.all() {
        for step in plan(&connection, statement) {
            let small = allowed.iter().any(|small| step.contains(small))
                || (step.contains("INDEX") && partial.iter().any(|index| step.contains(index)));
            assert!(!step.starts_with("SCAN") || small, "{name}: {step}");
            let sorts_pages = step.contains("TEMP B-TREE FOR ORDER BY")
                && ![
                    "search_receipt",
                    "search_standing",
                    "oldest_open",
                    "holding_accounts",
                    "postings",
                    "restore",
                ]
                .contains(&name);
            assert!(!sorts_pages, "{name}: {step}");
        }
    }
}

#[test]
fn each_search_takes_its_index() {
    let connection = migrated();
    for (statement, index) in [
        (STATEMENTS.search_all, "transfers_by_received"),
        (STATEMENTS.search_standing, "transfer_states_by_standing"),
        (STATEMENTS.search_msisdn, "transfers_by_msisdn"),
        (STATEMENTS.search_client_reference, "transfers_by_client_reference"),
        (STATEMENTS.search_receipt, "transfer_states_by_core_receipt"),
        (STATEMENTS.archivable, "transfers_by_received"),
        (STATEMENTS.due, "transfer_states_due"),
        (STATEMENTS.next_due, "transfer_states_due"),
        (STATEMENTS.next_due, "inbox_waiting"),
        (STATEMENTS.due_count, "transfer_states_due"),
        (STATEMENTS.oldest_open, "transfer_states_by_standing"),
        (STATEMENTS.holding_accounts, "sqlite_autoindex_transfers_1"),
        (STATEMENTS.collections, "transfer_states_collecting"),
        (STATEMENTS.inbox_due, "inbox_waiting"),
        (STATEMENTS.cases, "cases_by_opened"),
        (STATEMENTS.postings, "ledger_entries_by_transfer"),
    ] {
        let plan = plan(&connection, statement);
        assert!(plan.iter().any(|step| step.contains(index)), "{statement}\n{plan:#?}");
    }
}

/// Opens a new database, alters its history of migrations, and opens it again.
async fn reopened_after(change: &'static str) -> OpenError {
    let folder = tempfile::TempDir::new().unwrap();
    let options = SqliteOptions::new(folder.path().join("kiungo.db"));
    SqliteStore::open(&options).await.unwrap().close().await;
    Connection::open(&options.path).unwrap().execute_batch(change).unwrap();
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

/// A commit survives a power cut (rule 10) only with these settings.
#[tokio::test]
async fn each_commit_is_synced_to_the_disk() {
    let folder = tempfile::TempDir::new().unwrap();
    let options = SqliteOptions::new(folder.path().join("kiungo.db"));
    SqliteStore::open(&options).await.unwrap().close().await;
    let connection = super::open::writer(&options.path).unwrap();
    let text = |name| connection.pragma_query_value(None, name, |row| row.get::<_, String>(0));
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    assert_eq!(text("journal_mode"), Ok("wal".to_owned()));
    // 2: FULL.
    assert_eq!([number("synchronous"), number("foreign_keys")], [Ok(2), Ok(1)]);
}

/// A disk that is full in the middle of a batch: every member fails, nothing of it is there, and
/// the store goes on once there is room.
#[tokio::test]
async fn a_full_disk_fails_the_whole_batch_and_leaves_nothing() {
    let folder = tempfile::TempDir::new().unwrap();
    let options = SqliteOptions::new(folder.path().join("kiungo.db"));
    let writing = super::open::writing(&options.path).unwrap();
    let mut writer = Writer(writing);
    let request = |n| {
        let change = received(instruction(n), at(1));
        crate::batch::request::Request::commit(change, false).unwrap()
    };
    let wanted: Vec<_> = (0..500).map(request).collect();
    writer.0.run("PRAGMA max_page_count = 60").unwrap();
    let results = commit_batch(&mut writer, wanted).await;
    assert_eq!(results.len(), 500);
    for result in &results {
        let failed = matches!(result, Err(CommitError::Store(StoreError::Unavailable(_))));
        assert!(failed, "{result:?}");
    }
    for table in ["transfers", "transfer_events", "transfer_counts"] {
        assert_eq!(count(&options, table), 0, "{table}");
    }
    writer.0.run("PRAGMA max_page_count = 100000").unwrap();
    let results = commit_batch(&mut writer, (0..500).map(request).collect()).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(count(&options, "transfers"), 500);
}

fn count(options: &SqliteOptions, table: &str) -> i64 {
    let connection = Connection::open(&options.path).unwrap();
    let statement = format!("SELECT count(*) FROM {table}");
    connection.query_row(&statement, [], |row| row.get(0)).unwrap()
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

#[test]
fn who_holds_an_account_before_there_were_account_locks_keeps_it() {
    let connection = Connection::open_in_memory().unwrap();
    let [one, two, (3, _, account_locks), ..] = schema::MIGRATIONS else {
        panic!("another third step")
    };
    for (.., step) in [one, two] {
        connection.execute_batch(step).unwrap();
    }
    for (id, summary) in crate::sql::samples::holders() {
        let stored = "INSERT INTO transfers (
                id, version, kind, provider, status, is_open, has_case, holds_account, received_us,
                updated_us, summary
            ) VALUES (?1, 5, 'deposit', 'mpesa-tz', 'in_progress', 1, 0, 1, 1, 2, ?2)";
        connection.execute(stored, params![id, summary]).unwrap();
    }
    connection.execute_batch(account_locks).unwrap();
    let account_locks = "SELECT core, kind, account, transfer_id FROM lanes ORDER BY account";
    let mut account_locks = connection.prepare(account_locks).unwrap();
    let row = |row: &rusqlite::Row<'_>| {
        Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, String>(3)?])
    };
    let account_locks: Vec<[String; 4]> =
        account_locks.query_map([], row).unwrap().map(Result::unwrap).collect();
    assert_eq!(account_locks, crate::sql::samples::account_locks());
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
            let rows = count(&options, table);
            assert!(rows <= 40, "{table}: {rows} rows of twenty days");
        }
    }
    assert!(count(&options, "day_uses") >= 20, "a day that may be asked for stays");
    store.close().await;
}

#[test]
fn a_collection_that_was_under_way_before_they_were_known_is_found() {
    let connection = Connection::open_in_memory().unwrap();
    let (before, later) = schema::MIGRATIONS.split_at(7);
    for (.., step) in before {
        connection.execute_batch(step).unwrap();
    }
    let (id, summary) = crate::sql::samples::collecting();
    let stored = "INSERT INTO transfers (
            id, version, kind, provider, status, is_open, has_case, holds_account, received_us,
            updated_us, msisdn, summary
        ) VALUES (?1, 3, 'deposit', 'mpesa-tz', 'in_progress', 1, 0, 0, 1, 2, '255700000001', ?2)";
    connection.execute(stored, params![id, summary]).unwrap();
    for (.., step) in later {
        connection.execute_batch(step).unwrap();
    }
    let sought = ["mpesa-tz", "TZS 12550", "255700000001", "000000005"];
    let found = connection.query_row(STATEMENTS.collections, sought, |row| row.get(0));
    assert_eq!(found, Ok(id));
}

/// What was stored as one row is read as before, goes on, and is archived.
#[tokio::test]
async fn transfers_from_before_they_were_two_rows_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("kiungo.db"));
    let mut connection = Connection::open(&options.path).unwrap();
    for (number, subject, sql) in &schema::MIGRATIONS[..9] {
        schema::apply(&mut connection, *number, subject, sql).unwrap();
    }
    let earlier = crate::sql::samples::earlier();
    for table in ["transfers", "archived_transfers"] {
        let [settled, under_way] = &earlier;
        let change = if table == "transfers" { under_way } else { settled };
        let summary = kiungo_store::Summary::of(&change.decision.transfer);
        let (more, values) = if table == "transfers" {
            (", is_open, has_case, holds_account", ", 1, 0, 0")
        } else {
            (", no", ", 1000")
        };
        let stored = format!(
            "INSERT INTO {table} (id, version, kind, provider, status, msisdn, client_reference,
                received_us, updated_us, summary{more})
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9{values})"
        );
        let values = params![
            summary.id.to_string(),
            i64::try_from(summary.version).unwrap(),
            summary.kind.as_str(),
            summary.provider.as_str(),
            summary.status.as_str(),
            summary.msisdn.as_ref().map(kiungo_domain::Msisdn::digits),
            summary.client_reference,
            summary.received_at.as_micros(),
            serde_json::to_string(&summary).unwrap(),
        ];
        connection.execute(&stored, values).unwrap();
        if table == "transfers" {
            let counted = "INSERT INTO transfer_counts VALUES (?1, ?2, ?3, 1)";
            let of = [summary.kind.as_str(), summary.provider.as_str(), summary.status.as_str()];
            connection.execute(counted, of).unwrap();
            let told = "INSERT INTO outbox (transfer_id, at_us, news, summary)
                VALUES (?1, 1, ?2, ?3)";
            let news = serde_json::to_string(&kiungo_store::OutboxEvent::Status).unwrap();
            let told_of = [summary.id.to_string(), news, serde_json::to_string(&summary).unwrap()];
            connection.execute(told, told_of).unwrap();
        }
    }
    drop(connection);
    let store = SqliteStore::open(&options).await.unwrap();
    crate::sql::samples::go_on(&store, &earlier).await;
    store.close().await;
}

/// A database that the library sqlx migrated has its form of the list.
#[tokio::test]
async fn a_database_of_an_earlier_version_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(folder.path().join("kiungo.db"));
    let connection = Connection::open(&options.path).unwrap();
    let list = "CREATE TABLE _sqlx_migrations (
        version BIGINT PRIMARY KEY, description TEXT NOT NULL,
        installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL,
        checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)";
    connection.execute_batch(list).unwrap();
    let (number, subject, sql) = schema::MIGRATIONS[0];
    assert_eq!((number, subject), (1, "journal"));
    connection.execute_batch(sql).unwrap();
    let entry = "INSERT INTO _sqlx_migrations VALUES (1, 'journal', '2026-11-20 08:00:00', true, \
        unhex(?1), 1200)";
    connection.execute(entry, [JOURNAL_SHA384]).unwrap();
    drop(connection);
    let state = SqliteStore::schema(&options).await.unwrap();
    assert_eq!((state.applied, state.missing[0].number), (Some(1), 2));
    SqliteStore::open(&options).await.unwrap().close().await;
    let state = SqliteStore::schema(&options).await.unwrap();
    assert!(state.missing.is_empty(), "{state:?}");
}
