//! `tidy.toml`: limits, and what is allowed beyond them, each with its reason.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::{Finding, SourceFile};

/// The file of the settings.
pub(super) const FILE: &str = "tidy.toml";

/// The limits.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) lines: Lines,
    pub(super) comments: Comments,
    pub(super) floats: Exceptions,
    /// Files, and folders with a `/` at their end, that may name families of providers.
    #[serde(default)]
    pub(super) families: Exceptions,
    /// Dependencies that no source names (`CRATE: DEPENDENCY`), each with what it is needed for.
    #[serde(default)]
    pub(super) dependencies: Exceptions,
    /// For each crate, the crates of ours that it may use.
    pub(super) arrows: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(super) circles: Circles,
}

/// The bound on files that use each other in a loop.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Circles {
    pub(super) files_max: usize,
}

/// The bounds on the lengths of files and functions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lines {
    pub(super) file_max: usize,
    pub(super) function_max: usize,
    /// Longer files, each with its reason.
    #[serde(default)]
    pub(super) longer: BTreeMap<String, String>,
}

/// The bounds on the wording of comments.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Comments {
    /// The share of doc comments that may open with a question word, in percent.
    pub(super) question_max_percent: usize,
}

/// The places in which something is allowed, each with its reason.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exceptions {
    #[serde(default)]
    pub(super) allowed: BTreeMap<String, String>,
}

impl Settings {
    pub(super) fn load(root: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(root.join(FILE)).with_context(|| format!("reading {FILE}"))?;
        toml::from_str(&text).with_context(|| FILE.to_owned())
    }

    /// Exceptions that nothing needs any more, or that give no reason.
    pub(super) fn stale(&self, files: &[SourceFile]) -> Vec<Finding> {
        let content = |path: &str| {
            files.iter().find(|file| file.path == path).map(|file| file.content.as_str())
        };
        let mut findings = Vec::new();
        let mut check = |path: &str, reason: &str, needed: &dyn Fn(&str) -> bool| {
            if reason.trim().is_empty() {
                findings.push(Finding::new(FILE, 0, format!("`{path}`: say why")));
            }
            match content(path) {
                None => findings.push(Finding::new(FILE, 0, format!("`{path}` does not exist"))),
                Some(content) if !needed(content) => {
                    let says = format!("`{path}` no longer needs its exception");
                    findings.push(Finding::new(FILE, 0, says));
                }
                Some(_) => {}
            }
        };
        for (path, reason) in &self.lines.longer {
            check(path, reason, &|content| content.lines().count() > self.lines.file_max);
        }
        for (path, reason) in &self.floats.allowed {
            check(path, reason, &super::rust::has_floats);
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_that_nothing_needs_are_found() {
        let text = r#"
            [lines]
            file_max = 2
            function_max = 1
            longer = { "long.rs" = "many rows", "short.rs" = "was long", "gone.rs" = " " }
            [comments]
            question_max_percent = 0
            [floats]
            allowed = { "long.rs" = "buckets" }
            [arrows]
        "#;
        let settings: Settings = toml::from_str(text).unwrap();
        let file = |path: &str, content: &str| SourceFile {
            path: path.to_owned(),
            content: content.to_owned(),
        };
        let files = [file("long.rs", "a\nb\nc: f64\n"), file("short.rs", "a\n")];
        let says: Vec<_> = settings.stale(&files).into_iter().map(|f| f.says).collect();
        let expected = [
            "`gone.rs`: say why",
            "`gone.rs` does not exist",
            "`short.rs` no longer needs its exception",
        ];
        assert_eq!(says, expected);
    }
}
