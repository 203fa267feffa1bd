//! A database of a `PostgreSQL` server, and what commands do with it.

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::cli::{read, run};
use crate::kiungo::{Installation, Wanted};
use crate::world::{KINDS, PROVIDERS, World};

pub(crate) const URL: &str = "KIUNGO__DATABASE__URL";

const YEAR_OLDER: &str = "UPDATE transfers SET received_us = received_us - 31536000000000;
    UPDATE transfer_states SET received_us = received_us - 31536000000000,
        updated_us = updated_us - 31536000000000";

const FROM_THE_FUTURE: &str = "INSERT INTO _sqlx_migrations
    SELECT 9999, description, now(), success, checksum, execution_time
    FROM _sqlx_migrations WHERE version = 1";

/// An empty schema of its own, which is dropped with it.
pub(crate) struct Schema {
    name: String,
    url: String,
}

impl Schema {
    pub(crate) async fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("kiungo_program_{}_{number}", std::process::id());
        execute(format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")).await;
        let server = server();
        let behind = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{behind}options[search_path]={name}");
        Self { name, url }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Inside of it.
    async fn run(&self, statement: &'static str) {
        execute(format!("SET search_path TO {}; {statement}", self.name)).await;
    }
}

/// In a thread of its own, because the test's runtime is ending.
impl Drop for Schema {
    fn drop(&mut self) {
        let statement = format!("DROP SCHEMA {} CASCADE", self.name);
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(execute(statement));
        });
        let _ = dropped.join();
    }
}

async fn execute(statements: String) {
    let mut connection = PgConnection::connect(&server()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// An installation whose database is an empty schema.
pub(crate) fn installation(
    world: &World,
) -> Pin<Box<dyn Future<Output = Installation> + Send + '_>> {
    Box::pin(async { Installation::new(world).with(Schema::new().await) })
}

fn server() -> String {
    std::env::var("KIUNGO_TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!(
            "KIUNGO_TEST_DATABASE_URL names no PostgreSQL database: `cargo xtask test` starts a \
             server and sets it; any database in which schemas may be created will do"
        )
    })
}

#[tokio::test]
async fn commands_work_beside_a_kiungo_that_serves_and_a_second_one_is_refused() {
    let world = World::start().await;
    let installation = installation(&world).await;
    let check = ["migrate", "--config", "kiungo.toml", "--check"];
    let (code, out, _) = run(&installation, &check).await;
    assert!(code == 1 && out.contains("missing: 1 journal"), "{out}");
    let serving = installation.serve(&[]).await;
    assert_eq!(run(&installation, &check).await.0, 0);
    let (code, out, _) = run(&installation, &["doctor", "--config", "kiungo.toml"]).await;
    assert!(code == 0 && out.contains("is up to"), "{out}");

    let other = Installation::new(&world);
    let mut second = other.command(&["serve", "--config", "kiungo.toml"]);
    let (code, _, complaint) =
        read(second.env(URL, installation.schema().url()).output().await.unwrap());
    assert!(code == 1 && complaint.contains("is in use by a Kiungo at"), "{complaint}");

    // An old transfer is moved: it is found by its id, and no longer in lists.
    let mut ids = Vec::new();
    for kind in KINDS {
        let first = serving.submit(&Wanted::new(&world, kind, PROVIDERS[0])).await.unwrap();
        let id = first["id"].as_str().unwrap().to_owned();
        serving.until_final(&id).await;
        ids.push(id);
    }
    installation.schema().run(YEAR_OLDER).await;
    let archive = ["--json", "archive", "--config", "kiungo.toml", "--older-than", "90d"];
    let (code, out, complaint) = run(&installation, &archive).await;
    assert_eq!(code, 0, "{complaint}");
    // The newest of all stays.
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["archived"], ids.len() - 1, "{out}");
    let found = serving.get(&format!("/v1/transfers/{}", ids[0])).await.unwrap();
    assert_eq!(found["status"], "completed", "{found}");
    let listed = serving.get("/v1/transfers").await.unwrap();
    assert_eq!(listed["transfers"].as_array().unwrap().len(), 1, "{listed}");
    assert!(serving.stop().await.success(), "{}", installation.log());
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_named_before_anything_starts() {
    let world = World::start().await;
    let newer = installation(&world).await;
    assert_eq!(run(&newer, &["migrate", "--config", "kiungo.toml"]).await.0, 0);
    newer.schema().run(FROM_THE_FUTURE).await;
    let installation = Installation::new(&world);
    let server = server();
    let (databases, _) = server.split('?').next().unwrap().rsplit_once('/').unwrap();
    for (url, says) in [
        ("postgres://kiungo:sesame@127.0.0.1:1/kiungo".to_owned(), "cannot connect"),
        (format!("{databases}/no_such_database"), "\"no_such_database\" does not exist"),
        (newer.schema().url().to_owned(), "migrated by a newer Kiungo"),
    ] {
        let file = installation.path().join("url");
        std::fs::write(&file, &url).unwrap();
        for command in ["serve", "migrate"] {
            let mut command = installation.command(&[command, "--config", "kiungo.toml"]);
            let output = command.env("KIUNGO__DATABASE__URL_FILE", "url").output().await.unwrap();
            let complaint = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{complaint}");
            assert!(complaint.contains("KIUNGO__DATABASE__URL_FILE: database.url_file: "));
            assert!(complaint.contains(says), "{complaint}");
            assert!(output.stdout.is_empty() && !complaint.contains("sesame"), "{complaint}");
        }
    }
}
