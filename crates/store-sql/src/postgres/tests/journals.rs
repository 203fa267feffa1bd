//! The reading of journals while the database holds queries up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kiungo_store::contract::fixtures::{at, id, instruction, received};
use kiungo_store::{StoreError, TransferCommits as _};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};

use super::super::journals::Journals;
use super::super::open::connect_options;
use super::super::{PostgresOptions, PostgresStore};
use super::{run, schema_of_its_own};

/// A schema with the journals of three transfers.
async fn stored(what: &str) -> (String, PostgresOptions) {
    let (name, options) = schema_of_its_own(what).await;
    let store = PostgresStore::open(&options).await.unwrap();
    for n in 0..3 {
        store.commit(received(instruction(n), at(1))).await.unwrap();
    }
    store.close().await;
    (name, options)
}

/// A connection in whose transaction nobody else reads journals, until it ends.
async fn locking(options: &PostgresOptions) -> PgConnection {
    let mut lock = connect_options(options).connect().await.unwrap();
    let locked = "BEGIN; LOCK TABLE transfer_events IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(locked).execute(&mut lock).await.unwrap();
    lock
}

#[tokio::test]
async fn while_no_query_comes_back_each_reader_is_answered_within_the_bound() {
    let (name, options) = stored("journals_locked").await;
    let bound = Duration::from_millis(500);
    let pool = PgPoolOptions::new().max_connections(4);
    let pool = pool.connect_lazy_with(connect_options(&options));
    let journals = Arc::new(Journals::start(pool, bound));
    let mut lock = locking(&options).await;
    let began = Instant::now();
    // More than the queries in flight, and several for each journal.
    let readers = (0..12).map(|n| {
        let journals = Arc::clone(&journals);
        tokio::spawn(async move { journals.read(id(n % 3)).await })
    });
    for reader in readers.collect::<Vec<_>>() {
        let answer = reader.await.unwrap();
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{:?}", answer.map(|_| ()));
    }
    // The server itself gives a query up after five seconds.
    assert!(began.elapsed() < 4 * bound, "{:?}", began.elapsed());
    sqlx::raw_sql("ROLLBACK").execute(&mut lock).await.unwrap();
    for n in 0..3 {
        assert_eq!(journals.read(id(n)).await.unwrap().len(), 1);
    }
    run(format!("DROP SCHEMA {name} CASCADE")).await;
}

#[tokio::test]
async fn a_query_that_fails_is_no_empty_journal() {
    let (name, options) = stored("journals_failing").await;
    let pool = PgPoolOptions::new().connect_lazy_with(connect_options(&options));
    let journals = Journals::start(pool, Duration::from_secs(4));
    run(format!("ALTER TABLE {name}.transfer_events RENAME TO gone")).await;
    let answer = journals.read(id(0)).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{:?}", answer.map(|_| ()));
    run(format!("DROP SCHEMA {name} CASCADE")).await;
}

#[tokio::test]
async fn a_query_that_hangs_holds_back_no_other_reader() {
    let (hanging, options) = stored("journals_hanging").await;
    let (name, answering) = stored("journals_answering").await;
    // The first connection reads where the table is locked, each further one where it is not.
    let (opened, free) = (AtomicUsize::new(0), name.clone());
    let pool = PgPoolOptions::new().max_connections(4).after_connect(move |connection, _| {
        let is_first = opened.fetch_add(1, Ordering::SeqCst) == 0;
        let path = AssertSqlSafe(format!("SET search_path TO {free}"));
        Box::pin(async move {
            if !is_first {
                sqlx::raw_sql(path).execute(connection).await?;
            }
            Ok(())
        })
    });
    let pool = pool.connect_lazy_with(connect_options(&options));
    let journals = Arc::new(Journals::start(pool, Duration::from_secs(4)));
    let mut lock = locking(&options).await;
    let held_up = Arc::clone(&journals);
    let held_up = tokio::spawn(async move { held_up.read(id(0)).await });
    while !waits_for_a_lock(&answering, &hanging).await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for n in 1..3 {
        assert_eq!(journals.read(id(n)).await.unwrap().len(), 1);
    }
    assert!(!held_up.is_finished());
    sqlx::raw_sql("ROLLBACK").execute(&mut lock).await.unwrap();
    assert_eq!(held_up.await.unwrap().unwrap().len(), 1);
    run(format!("DROP SCHEMA {name} CASCADE; DROP SCHEMA {hanging} CASCADE")).await;
}

/// True if a connection of this application waits for a lock.
async fn waits_for_a_lock(options: &PostgresOptions, application: &str) -> bool {
    let mut observer = connect_options(options).connect().await.unwrap();
    let waiting = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity
        WHERE application_name = $1 AND wait_event_type = 'Lock')";
    sqlx::query_scalar(waiting).bind(application).fetch_one(&mut observer).await.unwrap()
}
