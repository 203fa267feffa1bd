//! The demo, as a user runs it: the real binary, killed twice, with much going wrong.

use std::process::{Command, Output};

use serde_json::Value;

#[test]
fn a_heavy_day_ends_with_every_shilling_where_it_belongs() {
    a_heavy_day(&[]);
}

/// Over `PostgreSQL`, which is asked for an empty database.
#[cfg(feature = "postgres-tests")]
#[tokio::test]
async fn a_heavy_day_in_postgres_ends_with_every_shilling_where_it_belongs() {
    let schema = crate::postgres::Schema::new().await;
    let database = ["--database", schema.url()];
    a_heavy_day(&database);
    let again = demo(&database);
    let complaint = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!again.status.success() && complaint.contains("make an empty one"), "{complaint}");
}

/// With the work shared by two workers, which are killed too.
#[cfg(all(feature = "postgres-tests", feature = "rabbit-tests"))]
#[tokio::test]
async fn a_heavy_day_of_several_workers_ends_with_every_shilling_where_it_belongs() {
    let schema = crate::postgres::Schema::new().await;
    let broker = crate::rabbit::url();
    let shared = ["--database", schema.url(), "--queue", &broker, "--workers", "2"];
    // A worker, then another one and the one that serves.
    a_heavy_day_with(&shared, 3);
}

#[test]
fn workers_without_a_broker_or_a_broker_without_a_database_are_refused() {
    for more in [&["--workers", "2"][..], &["--queue", "amqp://127.0.0.1:1"]] {
        assert_eq!(demo(more).status.code(), Some(2));
    }
}

fn demo(more: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_kiungo-under-test"))
        .args(["demo", "--transfers", "200", "--faults", "heavy", "--seed", "1", "--json"])
        .args(more)
        .arg("--data")
        .arg(home.path().join("demo"))
        .output()
        .unwrap()
}

fn a_heavy_day(more: &[&str]) {
    a_heavy_day_with(more, 2);
}

fn a_heavy_day_with(more: &[&str], kills: u64) {
    let output = demo(more);
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}{errors}"));
    assert!(output.status.success(), "{report:#}{errors}");
    let number = |key: &str| report[key].as_u64().unwrap_or_else(|| panic!("{key}: {report:#}"));
    for (key, expected) in [
        ("seed", 1),
        ("transfers", 200),
        ("open", 0),
        ("lost", 0),
        ("doubled", 0),
        ("misattributed", 0),
        ("kills", kills),
    ] {
        assert_eq!(number(key), expected, "{key}: {report:#}");
    }
    assert_eq!(report["ledger_balanced"], true, "{report:#}");
    assert!(report["elapsed_s"].as_f64().is_some_and(|elapsed| elapsed > 0.0));
    let ended = ["completed", "failed", "reversed", "suspended", "not_paid"].map(number);
    assert_eq!(ended.iter().sum::<u64>(), 200, "{report:#}");
    assert!(number("completed") > 100, "{report:#}");
    assert!(number("failed") > 0 && number("reversed") + number("suspended") > 0, "{report:#}");
}
