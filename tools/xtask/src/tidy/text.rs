//! Finds text that no file of ours may hold.

use super::{Finding, SourceFile};

/// A mark of unfinished work, concatenated so that this file does not hold it.
const UNFINISHED: &str = concat!("FIX", "ME");
/// Folders of one person's machine.
const MACHINE_FOLDERS: [&str; 5] = ["root", "home", "tmp", "work", "Users"];

/// Looks line by line.
pub(super) fn check(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.content.lines().enumerate() {
        if line.contains(UNFINISHED) {
            let says = format!("{UNFINISHED}: finish it, or write an issue");
            findings.push(Finding::new(&file.path, index + 1, says));
        }
        if let Some(path) = machine_path(line) {
            let says = format!("`{path}` is a path of somebody's machine");
            findings.push(Finding::new(&file.path, index + 1, says));
        }
    }
    findings
}

/// The first such path: one of the folders at the root of an absolute path.
fn machine_path(line: &str) -> Option<String> {
    MACHINE_FOLDERS.iter().find_map(|folder| {
        let path = format!("/{folder}/");
        let absolute = |at: usize| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || "/._-})~*".contains(c))
        };
        line.match_indices(&path).any(|(at, _)| absolute(at)).then_some(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_machine_are_told_from_others() {
        for folder in MACHINE_FOLDERS {
            let path = format!("/{folder}/");
            assert_eq!(machine_path(&format!("see {path}x")), Some(path.clone()));
            assert_eq!(machine_path(&format!("\"{path}x\"")), Some(path.clone()));
            assert_eq!(machine_path(&format!("https://example.org{path}x")), None);
            assert_eq!(machine_path(&format!("docs{path}x")), None);
        }
        assert_eq!(machine_path("/run/secrets/key"), None);
    }

    #[test]
    fn unfinished_work_is_found_with_its_line() {
        let content = format!("fine\n// {UNFINISHED} later\n");
        let file = SourceFile { path: "a.rs".to_owned(), content };
        let findings = check(&file);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line, 2);
    }
}
