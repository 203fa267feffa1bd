//! Reading a TOML table key by key, so that one look at a file finds everything that is wrong.
//!
//! Deserialising into a struct would stop at the first mistake; who writes settings wants to see
//! all of them.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::duration;
use crate::own;
use crate::problem::{Report, did_you_mean};
use crate::tree::{Entries, Kind, Value};

/// A table that is being read. Every key is asked for once; [`Table::finish`] reports the others.
#[derive(Debug)]
pub struct Table<'a> {
    path: String,
    span: Range<usize>,
    /// `None` if there is no such table, which reads as an empty one.
    entries: Option<&'a Entries>,
    report: &'a Report<'a>,
    asked: Vec<&'static str>,
}

/// One value with its place.
#[derive(Debug, Clone)]
pub struct Item<'a> {
    path: String,
    value: &'a Value,
    report: &'a Report<'a>,
}

impl<'a> Table<'a> {
    /// The whole of some settings.
    pub fn root(entries: &'a Entries, report: &'a Report<'a>) -> Self {
        let (path, entries) = (String::new(), Some(entries));
        Self { path, span: 0..0, entries, report, asked: Vec::new() }
    }

    /// The value of a key; `None` if it is absent.
    pub fn get(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.asked.push(key);
        let value = &self.entries?.get(key)?.value;
        Some(Item { path: self.path_of(key), value, report: self.report })
    }

    /// The value of a key that must be there; `hint` shows what it looks like.
    pub fn required(&mut self, key: &'static str, hint: &str) -> Option<Item<'a>> {
        let item = self.get(key);
        if item.is_none() {
            self.missing(key, hint);
        }
        item
    }

    /// Reports a key that must be there; `hint` shows what it looks like.
    pub fn missing(&self, key: &str, hint: &str) {
        self.problem_of(key, format!("is missing; write {hint}"));
    }

    /// A problem with a key, at its value if it has one, or at this table.
    pub fn problem_of(&self, key: &str, message: impl Into<String>) {
        let span = self.span_of(key).filter(|span| self.report.is_placed(span));
        let span = span.unwrap_or_else(|| self.span.clone());
        self.report.add(&span, &self.path_of(key), message);
    }

    /// The offsets of a key's value; `None` if it has none.
    pub fn span_of(&self, key: &str) -> Option<Range<usize>> {
        self.entries?.get(key).map(|entry| entry.value.at.clone())
    }

    /// A table inside; `None` if it is absent or no table.
    pub fn table(&mut self, key: &'static str) -> Option<Self> {
        self.get(key)?.table()
    }

    /// A table inside; an absent one reads as an empty one.
    #[must_use]
    pub fn table_or_empty(&mut self, key: &'static str) -> Self {
        let found = self.get(key);
        let span = found.as_ref().map_or_else(|| self.span.clone(), Item::span);
        found.and_then(|item| item.table()).unwrap_or_else(|| Self {
            path: self.path_of(key),
            span,
            entries: None,
            report: self.report,
            asked: Vec::new(),
        })
    }

    /// All keys with their values, in the order of the keys.
    pub fn entries(&self) -> Vec<(&'a str, Item<'a>)> {
        let entries = self.entries.into_iter().flatten();
        let item = |(key, entry): (&'a String, &'a crate::tree::Entry)| {
            let path = self.path_of(key);
            (key.as_str(), Item { path, value: &entry.value, report: self.report })
        };
        entries.map(item).collect()
    }

    /// All keys with their values, for tables whose keys are free; nothing is left to report then.
    pub fn free_entries(self) -> Vec<(String, Item<'a>)> {
        let mut entries: Vec<_> = self
            .entries
            .into_iter()
            .flatten()
            .map(|(key, entry)| {
                let path = self.path_of(key);
                let item = Item { path, value: &entry.value, report: self.report };
                (entry.key_at.start, (key.clone(), item))
            })
            .collect();
        entries.sort_by_key(|(start, _)| *start);
        entries.into_iter().map(|(_, entry)| entry).collect()
    }

    /// A problem with the table as a whole.
    pub fn problem(&self, message: impl Into<String>) {
        self.report.add(&self.span, &self.path, message);
    }

    /// The number of problems that the file has so far.
    pub fn problem_count(&self) -> usize {
        self.report.count()
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self) {
        for (name, entry) in self.entries.into_iter().flatten() {
            let name: &str = name;
            if !self.asked.contains(&name) {
                let hint = did_you_mean(name, self.asked.iter().copied());
                let known = self.asked.join(", ");
                let message = format!("is not a key here{hint} (keys: {known})");
                self.report.add(&entry.key_at, &self.path_of(name), message);
            }
        }
    }

    /// The path of this table; empty for the whole.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The path of a key of this table.
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

impl<'a> Item<'a> {
    /// Reports a problem with this value.
    pub fn problem(&self, message: impl Into<String>) {
        self.report.add(&self.value.at, &self.path, message);
    }

    /// The number of problems that the file has so far.
    pub fn problem_count(&self) -> usize {
        self.report.count()
    }

    /// The value as a table.
    pub fn table(&self) -> Option<Table<'a>> {
        self.table_or("a table")
    }

    /// The value as a table; if it is none, the message shows what one looks like.
    pub fn table_such_as(&self, example: &str) -> Option<Table<'a>> {
        self.table_or(&format!("a table such as {example}"))
    }

    fn table_or(&self, expected: &str) -> Option<Table<'a>> {
        let Some(entries) = self.value.entries() else {
            self.wrong_type(expected);
            return None;
        };
        let (path, span) = (self.path.clone(), self.value.at.clone());
        Some(Table { path, span, entries: Some(entries), report: self.report, asked: Vec::new() })
    }

    /// The value as a type of one's own, by [`own::read`].
    pub fn read_as<T: DeserializeOwned>(&self) -> Option<T> {
        let read = own::read(self.report.sources(), &self.path, self.value);
        read.map_err(|problem| self.report.add_problem(problem)).ok()
    }

    /// The offsets of the value.
    pub fn span(&self) -> Range<usize> {
        self.value.at.clone()
    }

    /// The value as it stands.
    pub const fn value(&self) -> &'a Value {
        self.value
    }

    /// The path of the value.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The text of a variable, which writes numbers and lists as texts, too.
    fn written(&self) -> Option<&'a str> {
        match &self.value.kind {
            Kind::Variable(text) => Some(text),
            _ => None,
        }
    }

    /// The values of a list.
    pub fn list(&self) -> Option<Vec<Self>> {
        self.list_or("a list")
    }

    /// The values of a list; if it is none, the message names what is expected.
    pub fn list_or(&self, expected: &str) -> Option<Vec<Self>> {
        let Kind::List(values) = &self.value.kind else {
            self.wrong_type(expected);
            return None;
        };
        let item = |(index, value)| {
            let path = format!("{}[{index}]", self.path);
            Self { path, value, report: self.report }
        };
        Some(values.iter().enumerate().map(item).collect())
    }

    /// The values of a list of texts; those of a variable are separated by commas.
    pub fn texts(&self) -> Option<Vec<String>> {
        if let Some(text) = self.written() {
            return Some(text.split(',').map(|text| text.trim().to_owned()).collect());
        }
        let texts = self.list()?.iter().map(|item| item.text().map(str::to_owned)).collect();
        let texts: Vec<Option<String>> = texts;
        texts.into_iter().collect()
    }

    /// The value as a text.
    pub fn text(&self) -> Option<&'a str> {
        let text = self.value.text();
        if text.is_none() {
            self.wrong_type("a text in quotes");
        }
        text
    }

    /// True if the value is `true` or `false`.
    pub fn is_boolean(&self) -> bool {
        matches!(self.value.kind, Kind::Boolean(_))
    }

    /// The value as `true` or `false`.
    pub fn boolean(&self) -> Option<bool> {
        if let Some(value) = self.written().and_then(|text| text.parse().ok()) {
            return Some(value);
        }
        let Kind::Boolean(value) = self.value.kind else {
            self.wrong_type("true or false");
            return None;
        };
        Some(value)
    }

    /// The value as a whole number within a range.
    pub fn integer(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let (number, radix) = match &self.value.kind {
            Kind::Integer(digits, radix) => (digits.as_str(), *radix),
            Kind::Variable(text) => (text.as_str(), 10),
            _ => {
                self.wrong_type("a whole number without quotes");
                return None;
            }
        };
        let value = u64::from_str_radix(number, radix).ok().filter(|_| !number.starts_with('+'));
        let value = value.filter(|value| range.contains(value));
        if value.is_none() {
            let (least, most) = (range.start(), range.end());
            self.problem(format!("`{number}` is not a whole number from {least} to {most}"));
        }
        value
    }

    /// The value as a duration within bounds.
    pub fn duration(&self, range: RangeInclusive<Duration>) -> Option<Duration> {
        let read = duration::parse_within(self.text()?, &range);
        read.map_err(|message| self.problem(message)).ok()
    }

    /// The value as one of some words.
    pub fn choice<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let known: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            let hint = did_you_mean(text, words.iter().map(|(word, _)| *word));
            self.problem(format!("`{text}` is not one of {}{hint}", known.join(", ")));
        }
        found
    }

    /// Reports that the value is not of the type that is expected.
    pub fn wrong_type(&self, expected: &str) {
        let given = match self.value.kind {
            Kind::Text(_) | Kind::Variable(_) => "a text",
            Kind::Integer(..) => "a whole number",
            Kind::Float(_) => "a number with a point",
            Kind::Boolean(_) => "true or false",
            Kind::Date(_) => "a date or time",
            Kind::List(_) => "a list",
            Kind::Table(_) => "a table",
        };
        self.problem(format!("must be {expected}, not {given}"));
    }
}
