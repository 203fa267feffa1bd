//! The sections that belong to an adapter: read from the same text, with the same kind of error.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use crate::problem::{MappingErrors, Report};

pub(crate) fn has(text: &str, key: &str) -> bool {
    DeTable::parse_recoverable(text).0.get_ref().contains_key(key)
}

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
            let path = innermost(&table, key, place.start).unwrap_or_else(|| key.to_owned());
            report.add(&place, &path, error.message());
            report.finish()?;
            Err(MappingErrors::of_file(file, error.message().to_owned()))
        }
    }
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
