//! The store in a `PostgreSQL` database, of which each test gets a schema of its own.

mod place;
mod rivals;

use kiungo_store::contract::Harness;
use kiungo_store::contract::durability::same_answers_as_in_memory;
use kiungo_store::contract::fixtures::{at, id, instruction, received};
use kiungo_store::{
    CommitError, Health as _, StoreError, TransferCommits as _, TransferStore as _,
};
use kiungo_store_sql::{OpenError, PostgresOptions, PostgresStore};

use place::Schema;

kiungo_store::store_contract!(Schema::new().await);

#[tokio::test]
async fn random_scenarios_give_the_same_answers_as_in_memory() {
    for seed in 0..12 {
        same_answers_as_in_memory(&Schema::new().await, seed).await;
    }
}

#[tokio::test]
async fn a_closed_store_refuses() {
    let place = Schema::new().await;
    let store = PostgresStore::open(&place.options()).await.unwrap();
    store.commit(received(instruction(1), at(1))).await.unwrap();
    store.close().await;
    let refused = store.commit(received(instruction(2), at(1))).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Unavailable(_)))));
    assert!(matches!(store.transfer(id(1)).await, Err(StoreError::Unavailable(_))));
    store.close().await;
}

#[tokio::test]
async fn many_processes_may_open_a_new_database_at_once() {
    let place = Schema::new().await;
    let open = || async { PostgresStore::open(&place.options()).await.unwrap() };
    let (one, other, third) = tokio::join!(open(), open(), open());
    one.commit(received(instruction(1), at(1))).await.unwrap();
    assert!(other.transfer(id(1)).await.unwrap().is_some());
    third.ping().await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_its_password() {
    let options = PostgresOptions::new("postgres://kiungo:sesame@127.0.0.1:1/bank").unwrap();
    let error = PostgresStore::open(&options).await.unwrap_err();
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("bank at 127.0.0.1:1") && !text.contains("sesame"), "{text}");
}

/// Journals that are asked for at the same time are read together: each caller has its own.
#[tokio::test]
async fn journals_that_are_read_together_are_each_the_right_one() {
    const TRANSFERS: u32 = 150;
    let place = Schema::new().await;
    let store = place.open().await;
    for n in 0..TRANSFERS {
        store.commit(received(instruction(n), at(i64::from(n)))).await.unwrap();
    }
    // Each is asked for twice, and there are some that do not exist.
    let asked = (0..2 * TRANSFERS).map(|n| {
        let (store, n) = (std::sync::Arc::clone(&store), n % (TRANSFERS + 10));
        tokio::spawn(async move { (n, store.journal(id(n)).await.unwrap()) })
    });
    for read in asked.collect::<Vec<_>>() {
        let (n, journal) = read.await.unwrap();
        let times: Vec<_> = journal.iter().map(|entry| entry.at).collect();
        let expected = if n < TRANSFERS { vec![at(i64::from(n))] } else { Vec::new() };
        assert_eq!(times, expected, "{n}");
    }
}

/// A text that the database cannot store makes only its own request fail.
#[tokio::test]
async fn a_text_that_cannot_be_stored_fails_alone() {
    let place = Schema::new().await;
    let store = place.open().await;
    let mut strange = instruction(1);
    strange.client_reference = Some("a\0b".to_owned());
    let (refused, accepted) = tokio::join!(
        store.commit(received(strange, at(1))),
        store.commit(received(instruction(2), at(1)))
    );
    assert!(matches!(refused, Err(CommitError::Store(_))), "{refused:?}");
    assert_eq!(accepted, Ok(()));
}

#[tokio::test]
async fn the_schema_is_looked_at_without_being_changed() {
    let place = Schema::new().await;
    let state = || async { PostgresStore::schema(&place.options()).await.unwrap() };
    for _ in 0..2 {
        let before = state().await;
        assert_eq!((before.applied, before.missing[0].number), (None, 1));
    }
    PostgresStore::open(&place.options()).await.unwrap().close().await;
    let after = state().await;
    assert!(after.applied.is_some() && after.missing.is_empty(), "{after:?}");
}

#[tokio::test]
async fn a_database_is_opened_for_one_process_alone() {
    let place = Schema::new().await;
    let mut alone = place.options();
    alone.exclusive = true;
    let owner = PostgresStore::open(&alone).await.unwrap();
    let second = PostgresStore::open(&alone).await.unwrap_err();
    assert!(matches!(second, OpenError::Taken { .. }), "{second}");
    // Commands that take no work open it beside the owner.
    PostgresStore::open(&place.options()).await.unwrap().close().await;
    // Those that share the work open it beside each other, and never beside one that works alone.
    let mut shared = place.options();
    shared.outbox = true;
    let beside = PostgresStore::open(&shared).await.unwrap_err();
    assert!(matches!(beside, OpenError::Taken { .. }), "{beside}");
    owner.close().await;
    let one = PostgresStore::open(&shared).await.unwrap();
    let other = PostgresStore::open(&shared).await.unwrap();
    let beside = PostgresStore::open(&alone).await.unwrap_err();
    assert!(matches!(beside, OpenError::Taken { .. }), "{beside}");
    one.close().await;
    other.close().await;
    let heir = PostgresStore::open(&alone).await.unwrap();
    heir.commit(received(instruction(1), at(1))).await.unwrap();
}

/// The connection breaks; before it is back, another process has taken the database over.
#[tokio::test]
async fn who_lost_the_database_commits_no_more() {
    let place = Schema::new().await;
    let mut alone = place.options();
    alone.exclusive = true;
    let loser = PostgresStore::open(&alone).await.unwrap();
    let mut hand = place.connect().await;
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid()";
    sqlx::raw_sql(cut).execute(&mut hand).await.unwrap();
    let heir = PostgresStore::open(&alone).await.unwrap();
    let late = loser.commit(received(instruction(1), at(1))).await;
    assert!(matches!(late, Err(CommitError::Store(_))), "{late:?}");
    heir.commit(received(instruction(1), at(1))).await.unwrap();
    // Once the other is gone it goes on.
    heir.close().await;
    loser.commit(received(instruction(2), at(1))).await.unwrap();
}
