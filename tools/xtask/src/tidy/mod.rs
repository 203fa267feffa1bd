//! The house rules that linters do not know. The exceptions, each with its reason, stand in
//! `tidy.toml`.
//!
//! * `files`: the files that are looked at
//! * [`figures`]: the figures of the sources, for people
//! * `settings`: `tidy.toml`
//! * `text`: marks of unfinished work, paths of somebody's machine
//! * `comments`: how doc comments open
//! * `rust`: floats, unfinished branches, long files and functions; `mask` hides comments and texts
//! * `markdown`: titles and links
//! * `citations`: documents, sections and decisions that are cited
//! * `rules`: the rules that keep money safe, and citations of their numbers
//! * `keys`: settings in the documents
//! * `metrics`: metrics in the documents, compared with those that are emitted
//! * `commands`: commands in the documents, compared with the real command line (`help`)
//! * `families`: where families of providers are named
//! * `dependencies`: dependencies that nothing uses, by the code of each crate (`product`)
//! * `circles`: files that use each other in a loop
//! * `crates`: which crate uses which, and that each says what it is for

mod circles;
mod citations;
mod commands;
mod comments;
mod crates;
mod dependencies;
mod families;
pub(crate) mod figures;
mod files;
mod help;
mod keys;
mod markdown;
mod mask;
mod metrics;
mod product;
mod rules;
mod rust;
mod settings;
mod text;

use std::fmt::{self, Write as _};
use std::path::Path;

use anyhow::{Result, bail};

use files::SourceFile;
use settings::Settings;

/// A violation of the house rules.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    /// From 1; 0 for the file as a whole.
    line: usize,
    says: String,
}

impl Finding {
    fn new(path: &str, line: usize, says: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, says: says.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.says),
            line => write!(f, "{}:{line}: {}", self.path, self.says),
        }
    }
}

/// The findings about something that files name, and the number of places that were looked at.
#[derive(Debug, Default)]
struct Checked {
    findings: Vec<Finding>,
    count: usize,
}

/// Checks that whatever files cite exists: each check with the words for what it counts.
fn cited(files: &[SourceFile]) -> [(&'static str, Checked); 4] {
    [
        ("citations", citations::check(files)),
        ("citations of rules", rules::check(files)),
        ("settings in documents", keys::check(files)),
        ("metrics", metrics::check(files)),
    ]
}

/// Checks everything, and prints everything that is wrong.
pub(crate) fn run(root: &Path) -> Result<String> {
    let settings = Settings::load(root)?;
    let files = files::list(root)?;
    let mut findings = Vec::new();
    for file in &files {
        findings.extend(text::check(file));
        if file.is("rs") {
            findings.extend(rust::check(file, &settings));
        }
        if file.is("md") {
            findings.extend(markdown::check(file, &files));
        }
    }
    findings.extend(comments::check(&files, &settings));
    findings.extend(settings.stale(&files));
    findings.extend(families::check(&files, &settings));
    findings.extend(circles::check(&files, &settings));
    findings.extend(crates::check(root, &settings)?);
    findings.extend(dependencies::check(&files, &settings)?);
    let mut summary = format!("{} files", files.len());
    for (name, checked) in cited(&files) {
        findings.extend(checked.findings);
        let _ = write!(summary, ", {} {name}", checked.count);
    }
    let commands = commands::check(root, &files);
    match &commands {
        Ok(checked) => findings.extend(checked.findings.iter().cloned()),
        // The rest is worth knowing all the same.
        Err(error) => findings.push(Finding::new("commands in documents", 0, format!("{error:#}"))),
    }
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            let commands = commands.map_or(0, |checked| checked.count);
            Ok(format!("{summary}, {commands} commands in documents"))
        }
        count => bail!("{count} findings"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_of_the_project_cite_what_exists() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let files = files::list(&root).unwrap();
        let mut says = Vec::new();
        for (name, checked) in cited(&files) {
            assert!(checked.count > 10, "{name}: {} looked at", checked.count);
            says.extend(checked.findings.iter().map(ToString::to_string));
        }
        assert!(says.is_empty(), "{}", says.join("\n"));
    }
}
