//! The floors of the engine: imports point downward only (`ARCHITECTURE.md`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The folders and files directly below `src`, from the top down. Those that share a floor do not
/// know each other.
const FLOORS: [&[&str]; 10] = [
    &["requests"],
    &["engine"],
    &["due", "persons"],
    &["intake"],
    &["run"],
    &["dispatch", "commit"],
    &["counterparties"],
    &["setup"],
    &["person_action"],
    &["claims", "clock", "fail_point", "next_look", "request", "sharing", "tasks"],
];

fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The folders and files below `src` that a file's code names.
fn named(code: &str) -> BTreeSet<&str> {
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let paths = lines.flat_map(|line| line.split("crate::").skip(1));
    let end = |path: &str| path.find(|c: char| !c.is_ascii_lowercase() && c != '_');
    paths.map(|path| path.get(..end(path).unwrap_or(path.len())).unwrap()).collect()
}

#[test]
fn imports_point_downward_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut upward = Vec::new();
    for file in files.iter().filter(|file| **file != src.join("lib.rs")) {
        let path = file.strip_prefix(&src).unwrap();
        let first = path.components().next().unwrap().as_os_str().to_str().unwrap();
        let room = first.trim_end_matches(".rs");
        let own = floor_of(room).unwrap_or_else(|| panic!("{room} is on no floor"));
        for other in named(&std::fs::read_to_string(file).unwrap()) {
            let below = floor_of(other).is_some_and(|floor| floor > own);
            if other != room && !below {
                upward.push(format!("{} imports {other}", path.display()));
            }
        }
    }
    assert_eq!(upward, [""; 0]);
}
