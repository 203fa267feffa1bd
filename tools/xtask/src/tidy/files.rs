//! The files of the project: everything that stands in the workspace's folder and is not made by
//! building or running it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Folders that are not looked into.
const SKIPPED: [&str; 3] = ["target", ".git", "data"];
/// The endings of text files that we wrote.
const ENDINGS: [&str; 5] = ["rs", "md", "toml", "sql", "sh"];

/// A file with its content.
#[derive(Debug, Clone)]
pub(super) struct SourceFile {
    /// Relative to the workspace, with `/`.
    pub(super) path: String,
    /// Empty for what is no text of ours, such as a picture.
    pub(super) content: String,
}

impl SourceFile {
    /// True if its name ends in this.
    pub(super) fn is(&self, ending: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == ending)
    }
}

/// All files, sorted by path.
pub(super) fn list(root: &Path) -> Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    collect(root, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn collect(root: &Path, folder: &str, files: &mut Vec<SourceFile>) -> Result<()> {
    let entries =
        fs::read_dir(root.join(folder)).with_context(|| format!("reading `{folder}/`"))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
            collect(root, &path, files)?;
        } else if kind.is_file() {
            // Others are only known by name: a link may lead to them.
            let content = if is_text(&name, folder) {
                fs::read_to_string(root.join(&path)).with_context(|| format!("reading `{path}`"))?
            } else {
                String::new()
            };
            files.push(SourceFile { path, content });
        }
    }
    Ok(())
}

fn is_text(name: &str, folder: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&ending)) || folder == ".ci"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_files_are_text() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let files = list(own).unwrap();
        assert!(files.iter().any(|file| file.path == "src/tidy/files.rs" && file.is("rs")));
        assert!(is_text("run", ".ci") && !is_text("kiungo.db", "") && !is_text("Cargo.lock", ""));
    }
}
