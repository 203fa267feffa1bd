//! Metrics: those that documents name are emitted, and those that are emitted are explained.

use std::collections::BTreeSet;

use super::keys::HISTORY;
use super::markdown::inline_code;
use super::{Checked, Finding, SourceFile};

/// The document that explains every metric.
const EXPLAINED: &str = "docs/operating.md";
/// The beginning of each metric's name, and of our crates' names.
const OURS: &str = "kiungo_";
/// The endings that a histogram's own figures have.
const OF_HISTOGRAMS: [&str; 3] = ["_bucket", "_count", "_sum"];

/// Compares the sources of the product with all documents.
pub(super) fn check(files: &[SourceFile]) -> Checked {
    let crates = crates(files);
    let emitted: Vec<_> = files.iter().flat_map(|file| emitted(file, &crates)).collect();
    let names: BTreeSet<&str> = emitted.iter().map(|(_, _, name)| *name).collect();
    let mut checked = Checked { findings: Vec::new(), count: names.len() };
    let mut explained = BTreeSet::new();
    for file in files.iter().filter(|file| file.is("md") && file.path != HISTORY) {
        for (line, named) in inline_code(&file.content).filter(|(_, code)| code.starts_with(OURS)) {
            let (name, rest) = split(named);
            if crates.contains(name.trim_end_matches('_')) {
                continue;
            }
            if file.path == EXPLAINED {
                explained.insert(name);
            }
            let begins = rest.starts_with('…') && names.iter().any(|known| known.starts_with(name));
            let of = |ending| name.strip_suffix(ending).is_some_and(|name| names.contains(name));
            if !begins && !names.contains(name) && !OF_HISTOGRAMS.into_iter().any(of) {
                let says = format!("there is no metric `{name}`");
                checked.findings.push(Finding::new(&file.path, line, says));
            }
        }
    }
    for (path, line, name) in emitted {
        // Once is enough.
        if explained.insert(name) {
            let says = format!("`{name}` does not stand in {EXPLAINED}");
            checked.findings.push(Finding::new(path, line, says));
        }
    }
    checked
}

/// The names of our crates, as code writes them.
fn crates(files: &[SourceFile]) -> BTreeSet<String> {
    let manifests = files.iter().filter(|file| file.path.ends_with("Cargo.toml"));
    let names = manifests.filter_map(|file| {
        let line = file.content.lines().find_map(|line| line.strip_prefix("name = \""))?;
        Some(line.trim_end_matches('"').replace('-', "_"))
    });
    names.collect()
}

/// The metrics that a source of the product names in its texts: alone, or with their labels.
fn emitted<'a>(file: &'a SourceFile, crates: &BTreeSet<String>) -> Vec<(&'a str, usize, &'a str)> {
    let mut found = Vec::new();
    if !(file.path.starts_with("crates/") && file.path.contains("/src/") && file.is("rs")) {
        return found;
    }
    for (index, line) in file.content.lines().enumerate() {
        for text in line.split('"').skip(1).filter(|text| text.starts_with(OURS)) {
            let (name, rest) = split(text);
            let ends = rest.is_empty() || rest.starts_with([' ', '{']);
            if ends && name != OURS && !crates.contains(name) {
                found.push((file.path.as_str(), index + 1, name));
            }
        }
    }
    found
}

fn split(text: &str) -> (&str, &str) {
    let ends = |c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "counter!(\"kiungo_sent_total\", \"kind\" => kind);\nhistogram!(\n    \"kiungo_wait_seconds\",\n);\n\
                          writeln!(text, \"kiungo_up{{a=\\\"{b}\\\"}} 1\")?;\nlet filter = \"kiungo_store=info\";\n\
                          let filter = \"kiungo_store\";\nlet a = \"kiungo_up 0\";\nlet b = \"kiungo_\";\n";

    fn says(path: &str, document: &str) -> Vec<String> {
        let files = [
            ("crates/store/Cargo.toml", "[package]\nname = \"kiungo-store\"\n"),
            ("crates/store/src/a.rs", SOURCE),
            ("crates/store/tests/a.rs", "\"kiungo_of_tests\""),
            (path, document),
        ];
        let file = |(path, content): (&str, &str)| SourceFile {
            path: path.to_owned(),
            content: content.to_owned(),
        };
        check(&files.map(file)).findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn metrics_that_documents_name_are_emitted() {
        let good = "`kiungo_sent_total{kind=\"a\"}` `kiungo_wait_seconds` `kiungo_wait_seconds_sum` \
                    `kiungo_up` `kiungo_wait_…` `kiungo_store::a` `kiungo_store_…`\n";
        assert_eq!(says("docs/operating.md", good), [""; 0]);
        let bad = format!("{good}`kiungo_sent`\n`kiungo_gone_…` `kiungo_up_sums`\n");
        let expected =
            ["2: there is no metric `kiungo_sent`", "3: there is no metric `kiungo_gone_`"]
                .map(|says| format!("docs/operating.md:{says}"));
        let found = says("docs/operating.md", &bad);
        assert_eq!(found[..2], expected);
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn metrics_that_are_emitted_are_explained() {
        let some = "`kiungo_sent_total` `kiungo_wait_…`\n";
        let expected = ["kiungo_wait_seconds", "kiungo_up"]
            .map(|name| format!("`{name}` does not stand in docs/operating.md"));
        let found = says("docs/operating.md", some);
        assert!(found.len() == 2 && found.iter().zip(expected).all(|(a, b)| a.ends_with(&b)));
        assert_eq!(says("docs/other.md", some).len(), 3);
    }
}
