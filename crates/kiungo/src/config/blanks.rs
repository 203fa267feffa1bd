//! Settings that are still to be filled in: `kiungo init` marks them.

use config::{Map, Value, ValueKind};

use super::problem::ConfigProblem;
use super::sources::Places;

/// A text that begins with this is no setting.
const MARK: &str = "FILL IN";

/// A problem for each setting that is still to be filled in.
pub(super) fn blanks(root: &Map<String, Value>, places: &Places) -> Vec<ConfigProblem> {
    let mut problems = Vec::new();
    look_into(root, "", places, &mut problems);
    problems.sort_by(|a, b| a.key.cmp(&b.key));
    problems
}

fn look_into(
    table: &Map<String, Value>,
    path: &str,
    places: &Places,
    problems: &mut Vec<ConfigProblem>,
) {
    for (key, value) in table {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        look_at(value, path, places, problems);
    }
}

fn look_at(value: &Value, path: String, places: &Places, problems: &mut Vec<ConfigProblem>) {
    match &value.kind {
        ValueKind::String(text) if text.starts_with(MARK) => {
            let place = places.place(value.origin(), &path);
            let message = "is still to be filled in".to_owned();
            problems.push(ConfigProblem { place, key: path, message });
        }
        ValueKind::Table(table) => look_into(table, &path, places, problems),
        ValueKind::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                look_at(entry, format!("{path}[{index}]"), places, problems);
            }
        }
        _ => {}
    }
}
