//! Checks that the links of the installed documents lead to installed files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::tree::Tree;

const FOLDER: &str = "/usr/share/doc/kiungo";

/// Documents about the sources, which a package does not have: their links are not followed.
const ABOUT_SOURCES: [&str; 2] = ["CONTRIBUTING.md", "CHANGELOG.md"];

/// The licence, which belongs to another package of Debian's.
const LICENCE: &str = "LICENSE";

/// Follows the links of all documents, and returns their number.
pub(super) fn check(tree: &Tree) -> Result<usize> {
    let mut documents = Vec::new();
    collect(&tree.path(FOLDER), &mut documents)?;
    ensure!(!documents.is_empty(), "there are no documents in {FOLDER}");
    let mut followed = 0;
    for document in &documents {
        let content = fs::read_to_string(document).context(document.display().to_string())?;
        let folder = document.parent().context("a document is in a folder")?;
        for link in links(&content).into_iter().filter(|link| *link != LICENCE) {
            let found = folder.join(link).exists();
            ensure!(found, "{}: `{link}` is not in the package", document.display());
            followed += 1;
        }
    }
    Ok(followed)
}

fn collect(folder: &Path, documents: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type()?.is_dir() {
            collect(&path, documents)?;
        } else if path.extension().is_some_and(|kind| kind == "md")
            && !ABOUT_SOURCES.iter().any(|other| name == *other)
        {
            documents.push(path);
        }
    }
    Ok(())
}

/// The files to which a document links, outside of blocks of code.
fn links(content: &str) -> Vec<&str> {
    let mut links = Vec::new();
    let mut fenced = false;
    for line in content.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', '#']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") {
                links.push(target);
            }
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_files_are_found_and_no_others() {
        let content = "[a](a.md) [b](b/c.md#d) [e](#e) [f](https://f.example)\n```sh\n[g](g.md)\n\
                       ```\n| [`h`](../h) |\n";
        assert_eq!(links(content), ["a.md", "b/c.md", "../h"]);
    }
}
