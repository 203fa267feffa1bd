//! The sections that belong to a family: read from the same text, with the same kind of error.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use crate::plain::plain;
use crate::problem::{MappingErrors, Problem, Report, position};

pub(crate) fn read<T: DeserializeOwned>(
    file: &str,
    text: &str,
    key: &str,
) -> Result<T, MappingErrors> {
    let report = Report::new(file, text);
    let (document, _) = DeTable::parse_recoverable(text);
    let (table, span) = match document.get_ref().get(key) {
        None => (DeTable::default(), 0..0),
        Some(value) => {
            if let DeValue::Table(table) = value.get_ref() {
                (table.clone(), value.span())
            } else {
                report.add(&value.span(), key, "must be a table");
                (DeTable::default(), value.span())
            }
        }
    };
    let entries = Spanned::new(span.clone(), table.clone());
    match T::deserialize(Deserializer::from(entries)) {
        Ok(section) => report.finish().map(|()| section),
        Err(error) => {
            let place = error.span().unwrap_or(span);
            let mut path = innermost(&table, key, place.start).unwrap_or_else(|| key.to_owned());
            let (missing, message) = plain(error.message());
            if let Some(missing) = missing {
                path = format!("{path}.{missing}");
            }
            report.add(&place, &path, &*message);
            report.finish()?;
            Err(MappingErrors::of_file(file, message))
        }
    }
}

/// A problem with the value at a path of keys, at the place of as much of it as the file has.
pub(crate) fn problem(file: &str, text: &str, path: &[&str], message: String) -> Problem {
    let (document, _) = DeTable::parse_recoverable(text);
    let mut place = None;
    let mut table = Some(document.get_ref());
    for key in path {
        let Some(value) = table.and_then(|table| table.get(*key)) else { break };
        place = Some(value.span().start);
        table = match value.get_ref() {
            DeValue::Table(inner) => Some(inner),
            _ => None,
        };
    }
    let (line, column) = place.map_or((0, 0), |start| position(text, start));
    Problem { file: file.to_owned(), line, column, key: path.join("."), message }
}

/// The key with the smallest place that covers this byte.
fn innermost(table: &DeTable<'_>, path: &str, at: usize) -> Option<String> {
    let mut best: Option<(usize, String)> = None;
    let mut consider = |span: &Range<usize>, path: &str| {
        let smaller = best.as_ref().is_none_or(|(length, _)| span.len() <= *length);
        if span.contains(&at) && smaller {
            best = Some((span.len(), path.to_owned()));
        }
    };
    let mut open = vec![(path.to_owned(), table)];
    while let Some((path, table)) = open.pop() {
        for (key, value) in table {
            let path = format!("{path}.{}", key.get_ref());
            consider(&key.span(), &path);
            consider(&value.span(), &path);
            if let DeValue::Table(inner) = value.get_ref() {
                open.push((path, inner));
            }
        }
    }
    best.map(|(_, path)| path)
}
