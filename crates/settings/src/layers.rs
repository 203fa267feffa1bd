//! Trees of settings laid over each other. Each value keeps the offsets that lead to its source.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::tree::{Entries, Entry, Kind, Value};

/// Lays `above` over `below`: tables are joined, everything else is replaced.
pub fn lay_over(below: &mut Entries, above: Entries) {
    for (key, mut entry) in above {
        let before = below.remove(&key).map(|entry| entry.value.kind);
        if let (Some(Kind::Table(mut joined)), Kind::Table(inner)) = (before, &mut entry.value.kind)
        {
            lay_over(&mut joined, std::mem::take(inner));
            *inner = joined;
        }
        below.insert(key, entry);
    }
}

/// Sets a variable at a path such as `cores[0].fineract.base_url`; tables on the way are made.
/// Nothing is set where something else than a table is on the way, which is reported when it is
/// read.
pub fn set_variable(root: &mut Entries, path: &str, at: &Range<usize>, text: String) {
    let (way, last) = path.rsplit_once('.').map_or((None, path), |(way, last)| (Some(way), last));
    let mut table = root;
    for part in way.into_iter().flat_map(|way| way.split('.')) {
        let (name, index) = indexed(part);
        let made = || Entry { key_at: at.clone(), value: Value::empty_table(at.clone()) };
        let kind = &mut table.entry(name.to_owned()).or_insert_with(made).value.kind;
        let kind = match (kind, index) {
            (Kind::List(values), Some(index)) => values.get_mut(index).map(|value| &mut value.kind),
            (kind, _) => Some(kind),
        };
        let Some(Kind::Table(inner)) = kind else { return };
        table = inner;
    }
    let value = Value { at: at.clone(), kind: Kind::Variable(text) };
    table.insert(last.to_owned(), Entry { key_at: at.clone(), value });
}

/// The offsets of all values, by their paths.
pub fn offsets(root: &Entries) -> BTreeMap<String, Range<usize>> {
    let mut offsets = BTreeMap::new();
    let mut open: Vec<(String, &Value)> =
        root.iter().map(|(key, entry)| (key.clone(), &entry.value)).collect();
    while let Some((path, value)) = open.pop() {
        match &value.kind {
            Kind::Table(entries) => {
                let entries = entries.iter();
                open.extend(entries.map(|(key, e)| (format!("{path}.{key}"), &e.value)));
            }
            Kind::List(values) => {
                let values = values.iter().enumerate();
                open.extend(values.map(|(index, value)| (format!("{path}[{index}]"), value)));
            }
            _ => {}
        }
        offsets.insert(path, value.at.clone());
    }
    offsets
}

/// The name of a part of a path, and its index: `cores[0]`.
fn indexed(part: &str) -> (&str, Option<usize>) {
    part.split_once('[')
        .map_or((part, None), |(name, index)| (name, index.trim_end_matches(']').parse().ok()))
}
