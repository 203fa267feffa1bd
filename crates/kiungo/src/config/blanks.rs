//! Settings that are still to be filled in: `kiungo init` marks them.

use kiungo_settings::{Entries, Kind, Problem, Sources, Value};

/// A text that begins with this is no setting.
const MARK: &str = "FILL IN";

/// A problem for each setting that is still to be filled in.
pub(super) fn blanks(root: &Entries, texts: &Sources) -> Vec<Problem> {
    let mut problems = Vec::new();
    look_into(root, "", texts, &mut problems);
    problems.sort_by(|a, b| a.key.cmp(&b.key));
    problems
}

fn look_into(table: &Entries, path: &str, texts: &Sources, problems: &mut Vec<Problem>) {
    for (key, entry) in table {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        look_at(&entry.value, &path, texts, problems);
    }
}

fn look_at(value: &Value, path: &str, texts: &Sources, problems: &mut Vec<Problem>) {
    match &value.kind {
        Kind::Text(text) | Kind::Variable(text) if text.starts_with(MARK) => {
            problems.push(texts.problem(value.at.start, path, "is still to be filled in"));
        }
        Kind::Table(table) => look_into(table, path, texts, problems),
        Kind::List(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                look_at(entry, &format!("{path}[{index}]"), texts, problems);
            }
        }
        _ => {}
    }
}
