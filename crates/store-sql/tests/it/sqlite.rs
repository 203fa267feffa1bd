//! The store in a `SQLite` file.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use kiungo_store::contract::Harness;
use kiungo_store::contract::durability::same_answers_as_in_memory;
use kiungo_store::contract::fixtures::{at, id, instruction, received};
use kiungo_store::{
    CommitError, Reports as _, Store, StoreError, TransferCommits as _, TransferStore as _,
};
use kiungo_store_sql::{OpenError, SqliteOptions, SqliteStore};
use tempfile::TempDir;

/// A folder of its own for each test, and the store that was opened last.
struct Folder {
    folder: TempDir,
    open: Mutex<Option<Arc<SqliteStore>>>,
}

impl Folder {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), open: Mutex::new(None) }
    }

    fn options(&self) -> SqliteOptions {
        SqliteOptions::new(self.folder.path().join("kiungo.db"))
    }
}

impl Folder {
    async fn open_as(&self, options: &SqliteOptions) -> Arc<SqliteStore> {
        let store = Arc::new(SqliteStore::open(options).await.unwrap());
        *self.open.lock().unwrap() = Some(Arc::clone(&store));
        store
    }
}

#[async_trait]
impl Harness for Folder {
    async fn open(&self) -> Arc<dyn Store> {
        self.open_as(&self.options()).await
    }

    async fn open_with_outbox(&self) -> Arc<dyn Store> {
        let mut options = self.options();
        options.outbox = true;
        self.open_as(&options).await
    }

    async fn reopen(&self, _store: Arc<dyn Store>) -> Option<Arc<dyn Store>> {
        let open = self.open.lock().unwrap().take();
        open.unwrap().close().await;
        Some(self.open().await)
    }
}

kiungo_store::store_contract!(Folder::new());

#[tokio::test]
async fn random_scenarios_give_the_same_answers_as_in_memory() {
    for seed in 0..24 {
        same_answers_as_in_memory(&Folder::new(), seed).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let place = Folder::new();
    let store = place.open().await;
    store.commit(received(instruction(1), at(1))).await.unwrap();
    let folder = place.options().path.parent().unwrap().to_owned();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let mut files = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        files += 1;
    }
    assert!(files >= 4, "database, log, shared memory, lock");
}

#[tokio::test]
async fn a_second_writer_is_told_who_holds_the_database() {
    let place = Folder::new();
    let store = SqliteStore::open(&place.options()).await.unwrap();
    let error = SqliteStore::open(&place.options()).await.unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }));
    let text = error.to_string();
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    assert!(text.contains("kiungo.db"), "{text}");
    store.close().await;
    SqliteStore::open(&place.options()).await.unwrap();
}

#[tokio::test]
async fn a_closed_store_refuses_and_leaves_no_log() {
    let place = Folder::new();
    let store = SqliteStore::open(&place.options()).await.unwrap();
    store.commit(received(instruction(1), at(1))).await.unwrap();
    store.close().await;
    let refused = store.commit(received(instruction(2), at(1))).await;
    assert!(matches!(refused, Err(CommitError::Store(StoreError::Unavailable(_)))));
    assert!(matches!(store.transfer(id(1)).await, Err(StoreError::Unavailable(_))));
    let mut log = place.options().path.into_os_string();
    log.push("-wal");
    assert!(!std::path::Path::new(&log).exists());
    store.close().await;
}

#[tokio::test]
async fn what_waits_is_committed_before_the_store_closes() {
    let place = Folder::new();
    let store = Arc::new(SqliteStore::open(&place.options()).await.unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..200 {
        let store = Arc::clone(&store);
        tasks.spawn(async move { store.commit(received(instruction(n), at(1))).await.is_ok() });
    }
    tokio::task::yield_now().await;
    store.close().await;
    let answered = tasks.join_all().await.into_iter().filter(|ok| *ok).count();
    let store = SqliteStore::open(&place.options()).await.unwrap();
    assert_eq!(store.overview(at(0)).await.unwrap().open, answered as u64);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_by_name() {
    let place = Folder::new();
    let path = place.options().path;
    std::fs::write(&path, "dear diary, ".repeat(1_000)).unwrap();
    let error = SqliteStore::open(&place.options()).await.unwrap_err();
    assert!(matches!(error, OpenError::Database { .. }), "{error}");
    assert!(error.to_string().contains("kiungo.db"), "{error}");
}

#[tokio::test]
async fn a_folder_that_is_missing_is_named_and_not_made() {
    let place = Folder::new();
    let folder = place.folder.path().join("data");
    let options = SqliteOptions::new(folder.join("kiungo.db"));
    for error in [
        SqliteStore::open(&options).await.unwrap_err(),
        SqliteStore::schema(&options).await.unwrap_err(),
    ] {
        assert!(matches!(error, OpenError::NoFolder { .. }), "{error}");
        let remedy = format!("mkdir -p {}", folder.display());
        assert!(error.to_string().ends_with(&remedy), "{error}");
    }
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_folder_that_is_none_is_named() {
    let place = Folder::new();
    let file = place.folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = SqliteStore::open(&SqliteOptions::new(file.join("kiungo.db"))).await.unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }), "{error}");
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
}
