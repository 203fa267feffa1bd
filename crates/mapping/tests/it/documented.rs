//! The page about mapping files lists what the code knows.

use std::collections::BTreeSet;
use std::path::Path;

use kiungo_domain::outcome::Reason;
use kiungo_mapping::Mapping;
use kiungo_mapping::codes::REASONS;
use kiungo_settings::print;

const PAGE: &str = include_str!("../../../../docs/mappings.md");

/// The words in backquotes between two texts of the page.
fn words(from: &str, to: &str) -> BTreeSet<&'static str> {
    let (_, rest) = PAGE.split_once(from).unwrap_or_else(|| panic!("no {from:?} in the page"));
    let (part, _) = rest.split_once(to).unwrap_or_else(|| panic!("no {to:?} behind {from:?}"));
    part.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_example_of_a_child_is_right_and_shown_as_it_would_be() {
    let (_, section) = PAGE.split_once("\n## Inheritance\n").unwrap();
    let block = |kind: &str| {
        let (_, rest) = section.split_once(&format!("```{kind}\n")).unwrap();
        rest.split_once("```").unwrap().0.to_owned()
    };
    let folder = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mappings");
    for name in ["mpesa-tz.toml", "mpesa-openapi.toml"] {
        std::fs::copy(shipped.join(name), folder.path().join(name)).unwrap();
    }
    let bank = folder.path().join("bank.toml");
    std::fs::write(&bank, block("toml")).unwrap();
    let mapping = Mapping::load(&bank, &crate::FAMILIES).unwrap_or_else(|e| panic!("\n{e}"));
    let shown = print::with_places(mapping.document());
    let text = block("text");
    let (_, lines) = text.split_once("…\n").unwrap();
    let (lines, _) = lines.split_once("…").unwrap();
    assert!(shown.contains(lines), "{lines}\nin\n{shown}");
}

#[test]
fn the_reasons_for_codes_are_those_that_a_line_may_give() {
    let known: BTreeSet<_> = REASONS.iter().map(|(word, _)| *word).collect();
    assert_eq!(words("Reasons for codes:", "\n\n"), known);
}

#[test]
fn every_reason_that_kiungo_knows_is_explained() {
    // The error names every variant.
    let unknown = serde_json::from_str::<Reason>("\"?\"").unwrap_err().to_string();
    let known: BTreeSet<_> = unknown.split('`').skip(3).step_by(2).collect();
    let ours = words("\n| reason | meaning |\n| --- | --- |\n", "\n\n");
    let explained: BTreeSet<_> =
        words("Reasons for codes:", "\n\n").union(&ours).copied().collect();
    assert!(known.len() > REASONS.len(), "{unknown}");
    assert_eq!(known.difference(&explained).collect::<Vec<_>>(), Vec::<&&str>::new());
    for (word, reason) in REASONS {
        assert_eq!(serde_json::from_str::<Reason>(&format!("\"{word}\"")).unwrap(), reason);
        assert!(known.contains(word) && !ours.contains(word), "{word}");
    }
}
