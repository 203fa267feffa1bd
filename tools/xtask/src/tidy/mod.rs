//! The house rules that linters do not know. What is allowed, with its reason, stands in `tidy.toml`.
//!
//! * `files`: the files that are looked at
//! * `settings`: `tidy.toml`
//! * `text`: marks of unfinished work, paths of somebody's machine
//! * `comments`: how doc comments open
//! * `rust`: floats, unfinished branches, long files and functions; `mask` hides comments and texts
//! * `markdown`: titles and links
//! * `commands`: commands in the documents, compared with the real command line (`help`)
//! * `crates`: which crate uses which, and that each says what it is for

mod commands;
mod comments;
mod crates;
mod files;
mod help;
mod markdown;
mod mask;
mod rust;
mod settings;
mod text;

use std::fmt;
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
    findings.extend(crates::check(root, &settings)?);
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
            Ok(format!("{} files, {commands} commands in documents", files.len()))
        }
        count => bail!("{count} findings"),
    }
}
