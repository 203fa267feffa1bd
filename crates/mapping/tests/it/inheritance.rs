//! Mapping files that extend others: the shipped ones, and the mistakes of one's own.

use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use kiungo_mapping::{Mapping, MappingErrors, file};
use kiungo_settings::print;
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::{FAMILIES, SMALL};

const MARKETS: [&str; 5] = ["mpesa-cd", "mpesa-gh", "mpesa-ls", "mpesa-mz", "mpesa-tz"];

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mappings").join(format!("{name}.toml"))
}

/// Every value of a mapping, as JSON with sorted keys.
fn values(name: &str) -> String {
    let mapping = Mapping::load(&shipped(name), &FAMILIES).unwrap_or_else(|e| panic!("\n{e}"));
    let keys = mapping.document().root().keys();
    let values: Map<String, Value> =
        keys.map(|key| (key.clone(), mapping.section(key).unwrap())).collect();
    serde_json::to_string_pretty(&values).unwrap()
}

/// The snapshots are the files as they were when each of them stood alone.
#[test]
fn a_shipped_mapping_has_the_values_that_it_had_alone() {
    for name in MARKETS.into_iter().chain(["gsma-sandbox", "gsma-sandbox-1-1-2"]) {
        assert_snapshot!(name, values(name));
    }
}

#[test]
fn no_code_table_of_a_shipped_mapping_stands_twice() {
    for name in MARKETS.into_iter().chain(["gsma-sandbox-1-1-2"]) {
        let text = std::fs::read_to_string(shipped(name)).unwrap();
        assert!(!text.contains("[codes") && !text.contains("[statuses"), "{name}");
        assert!(text.lines().count() < 100, "{name}");
    }
}

#[test]
fn a_market_is_shown_with_the_place_of_each_value() {
    let document = file::read(&shipped("mpesa-tz")).unwrap();
    assert_snapshot!("a_market_is_shown", print::with_places(&document).trim_end());
}

/// A folder with `bank.toml` over `market.toml`, and what is said about the child.
fn child(text: &str, parent: &str) -> Result<Mapping, MappingErrors> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("market.toml"), parent).unwrap();
    let bank = folder.path().join("bank.toml");
    std::fs::write(&bank, format!("extends = \"market\"\n{text}")).unwrap();
    Mapping::load(&bank, &FAMILIES)
}

/// The complaints about a child of the small file, without the folder.
fn refused(text: &str) -> Vec<String> {
    let errors = child(text, SMALL).unwrap_err();
    let name = |path: &str| Path::new(path).file_name().unwrap().to_str().unwrap().to_owned();
    let problems = errors.problems().iter();
    problems
        .map(|it| format!("{}:{}: {}: {}", name(&it.file), it.line, it.key, it.message))
        .collect()
}

#[test]
fn a_child_has_the_values_of_its_parent_and_its_own() {
    let mapping =
        child("[provider]\nid = \"bank\"\n[limits.collect]\nmin = \"600\"\n", SMALL).unwrap();
    assert_eq!(mapping.id().as_str(), "bank");
    assert_eq!(mapping.name(), "M-Pesa Tanzania");
    assert!(mapping.file().ends_with("bank.toml"));
    assert!(mapping.document().parents()[0].ends_with("market.toml"));
    let place = |path: &[&str]| mapping.problem(path, "").place();
    assert!(place(&["limits", "collect", "min"]).ends_with("bank.toml:5:7"));
    assert!(place(&["limits", "collect", "max"]).ends_with("market.toml:13:7"));
}

#[test]
fn the_whole_is_checked_and_a_problem_stands_where_its_value_does() {
    let said = refused("[limits.collect]\nmin = \"4000000\"\n[money]\ncurency = \"TZS\"\n");
    assert!(said.iter().any(|it| it.starts_with("bank.toml:5: money.curency: ")), "{said:?}");
    assert!(said.iter().any(|it| it.contains("limits.collect")), "{said:?}");
    let parent = SMALL.replace("decimals = 0", "decimals = 9").replace("id = \"mpesa-tz\"", "");
    let errors = child("", &parent).unwrap_err().to_string();
    assert!(errors.contains("market.toml:9:12: money.decimals"), "{errors}");
    assert!(errors.contains("market.toml:2:1: provider.id: is missing"), "{errors}");
    let whole = child("[provider]\nid = \"bank\"\n", &parent.replace("= 9", "= 0")).unwrap();
    assert_eq!(whole.id().as_str(), "bank");
}

#[test]
fn a_child_cannot_change_the_family_of_its_parent() {
    let said = refused("[provider]\nfamily = \"gsma\"\n[gsma]\nx = 1\n");
    let expected = "bank.toml:3: provider.family: is the family of the provider, which ";
    assert!(said[0].starts_with(expected) && said[0].contains("market.toml:4"), "{said:?}");
    let open = SMALL.replace("family = \"mpesa\"\n", "");
    let mapping = child("[provider]\nfamily = \"gsma\"\n[gsma]\nx = 1\n", &open);
    let errors = mapping.unwrap_err().to_string();
    assert!(!errors.contains("provider.family"), "{errors}");
}

#[test]
fn what_has_no_effect_is_an_error() {
    let said = refused("unset = [\"limits.collect.mim\"]\n[money]\ndecimals = 0\n");
    let expected = "bank.toml:2: unset[0]: the parent has no key `limits.collect.mim`; the nearest one \
                    is `limits.collect.min`";
    assert_eq!(said[0], expected);
    assert!(said[1].starts_with("bank.toml:4: money.decimals: says the same as "), "{said:?}");
    assert!(said[1].ends_with("market.toml:9: remove it"), "{said:?}");
}

#[test]
fn a_parent_that_is_not_there_is_named_where_it_is_extended() {
    let folder = tempfile::tempdir().unwrap();
    let bank = folder.path().join("bank.toml");
    std::fs::write(&bank, "extends = \"market\"\n").unwrap();
    let error = Mapping::load(&bank, &FAMILIES).unwrap_err().to_string();
    assert!(error.contains("bank.toml:1:11: extends: "), "{error}");
    assert!(error.contains("market.toml, the file that is extended: "), "{error}");
    let alone = Mapping::parse("bank.toml", "extends = \"market\"\n", &FAMILIES).unwrap_err();
    assert!(alone.to_string().starts_with("bank.toml:1:11: extends: "), "{alone}");
}

proptest! {
    #[test]
    fn no_child_panics(text in "(\\[\\[?[a-z.]{0,12}\\]?\\]|[a-z_]{1,8} = |unset|[\"{}\\[\\],]|[0-9]{1,3}|\\PC|\n){0,30}") {
        let _ = child(&text, SMALL);
    }
}
