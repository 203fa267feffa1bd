//! The table of metrics is the one that the product records, that a scrape shows, and that the
//! documents name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use kiungo_server::metrics::{Known, METRICS, Metric, MetricKind, Values, announce};

use crate::world::World;

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The metrics that the sources of all crates record, with their kind, and the text around each.
fn recorded() -> Vec<(String, MetricKind, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        sources(&entry.unwrap().path().join("src"), &mut files);
    }
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (word, kind) in [
            ("counter!(", MetricKind::Counter),
            ("gauge!(", MetricKind::Gauge),
            ("histogram!(", MetricKind::Histogram),
        ] {
            for (at, _) in text.match_indices(word) {
                assert!(!text[..at].ends_with("describe_") || file.ends_with("metrics/table.rs"));
                let call = text[at + word.len()..].trim_start();
                // The table itself records what it names by a variable.
                let Some(name) = call.strip_prefix('"') else { continue };
                let name = name.split('"').next().unwrap().to_owned();
                found.push((name, kind, text.clone()));
            }
        }
    }
    found
}

#[test]
fn the_table_has_exactly_the_recorded_metrics() {
    let recorded = recorded();
    assert!(recorded.len() > 25, "{}", recorded.len());
    for (name, kind, text) in &recorded {
        let metric = Metric::named(name).unwrap_or_else(|| panic!("{name} is not in the table"));
        assert_eq!(metric.kind, *kind, "{name}");
        for (label, _) in metric.labels {
            assert!(text.contains(&format!("\"{label}\"")), "{name} has no label {label}");
        }
    }
    let recorded: BTreeSet<_> = recorded.iter().map(|(name, ..)| name.as_str()).collect();
    let expected = METRICS.iter().filter(|metric| metric.kind != MetricKind::Scraped);
    assert_eq!(recorded, expected.map(|metric| metric.name).collect());
}

#[test]
fn a_name_is_unique_and_says_the_kind_and_unit() {
    let names: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), METRICS.len());
    for Metric { name, kind, unit, help, .. } in METRICS {
        assert_eq!(name.ends_with("_total"), *kind == MetricKind::Counter, "{name}");
        assert_eq!(name.ends_with("_seconds"), *unit == metrics::Unit::Seconds, "{name}");
        assert!(!help.is_empty() && !help.contains('\n') && !help.ends_with('.'), "{name}");
    }
}

/// Metrics by the names that a table of the document gives them: with labels, or several in a cell.
#[test]
fn the_metrics_that_operating_names_exist() {
    let text = fs::read_to_string(root().join("docs/operating.md")).unwrap();
    let cells = text.lines().filter_map(|line| line.strip_prefix("| `kiungo_"));
    let cells = cells.filter_map(|rest| rest.split('|').next());
    let mut named = 0;
    for cell in cells {
        for name in format!("`kiungo_{cell}").split('`').filter(|word| word.starts_with("kiungo_"))
        {
            let name = name.split('{').next().unwrap();
            assert!(Metric::named(name).is_some(), "{name} is in operating.md and nowhere else");
            named += 1;
        }
    }
    assert!(named > 25, "{named}");
}

fn known() -> Known {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Known {
        providers: names(&["gsma-sandbox", "mpesa-tz"]),
        cores: names(&["main"]),
        commands: names(&["transfer.create", "unreadable"]),
    }
}

/// A first scrape is checked in: `cargo xtask test` has promtool read it.
fn compare_with_kept(scrape: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/metrics.txt");
    // The exporter shows metrics, and the values of each, in no order.
    let mut metrics: Vec<_> = scrape.split("# HELP ").filter(|metric| !metric.is_empty()).collect();
    metrics.sort_unstable();
    let mut made = String::new();
    for metric in metrics {
        let (head, values) = metric.split_at(metric.match_indices('\n').nth(1).unwrap().0 + 1);
        let mut values: Vec<_> = values.lines().filter(|line| !line.is_empty()).collect();
        values.sort_unstable();
        made.extend(["# HELP ", head, &values.join("\n"), "\n"]);
    }
    if std::env::var_os("UPDATE_METRICS").is_some() {
        fs::write(path, &made).unwrap();
    }
    assert!(
        made == fs::read_to_string(path).unwrap_or_default(),
        "a scrape differs from crates/server/metrics.txt; if it should, run\n  \
         UPDATE_METRICS=1 cargo test -p kiungo-server --test it metrics\nand review the difference"
    );
}

/// A counter that first appears with a value shows no rise to a program that computes rates.
#[tokio::test(start_paused = true)]
async fn every_metric_is_explained_and_counters_begin_at_zero() {
    let recorder = kiungo_server::metrics::builder().build_recorder();
    // Set for this thread, on which the whole test runs.
    let _guard = metrics::set_default_local_recorder(&recorder);
    announce(&known());
    let world = World::measured(recorder.handle());
    let text = world.get("reader", "/metrics").await.text();
    let mut series: BTreeMap<&str, usize> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let name = line.split(['{', ' ']).next().unwrap();
        *series.entry(name).or_default() += 1;
    }
    for metric in METRICS {
        let Metric { name, help, .. } = metric;
        let head = format!("# HELP {name} {help}\n# TYPE {name} {}\n", metric.type_word());
        assert_eq!(text.matches(&head).count(), 1, "{name}\n{text}");
        assert_eq!(text.matches(&format!("# TYPE {name} ")).count(), 1, "{name}");
        let open = metric.labels.iter().any(|(_, values)| *values == Values::Open);
        if !open && metric.kind != MetricKind::Histogram {
            assert!(series.contains_key(name), "{name} has no value\n{text}");
        }
    }
    for line in [
        "kiungo_attempts_total{provider=\"mpesa-tz\",operation=\"pay_out\",outcome=\"unknown\"} 0\n",
        "kiungo_commands_total{type=\"transfer.create\",result=\"rejected\"} 0\n",
        "kiungo_hooks_total{core=\"main\",outcome=\"not_taken_up\"} 0\n",
        "kiungo_suspense_amount{provider=\"mpesa-tz\",currency=\"TZS\"} 0.00\n",
        "kiungo_transfers{kind=\"deposit\",provider=\"mpesa-tz\",status=\"needs_attention\"} 0\n",
        concat!("kiungo_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1\n"),
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    compare_with_kept(&text);
    // Two providers, eight operations, five outcomes.
    assert_eq!(series["kiungo_attempts_total"], 80);
    assert_eq!(series["kiungo_transfers"], 2 * 4 * 8);
}
