//! Reading a TOML table key by key, so that one look at a file finds everything that is wrong.
//!
//! Deserialising into a struct would stop at the first mistake; an integrator who writes a mapping
//! wants to see all of them.

use std::ops::Range;
use std::time::Duration;

use kiungo_domain::money::MoneyError;
use kiungo_domain::{Currency, Money};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::duration;
use crate::problem::{Report, did_you_mean};

/// A table that is being read. Every key is asked for once; [`Table::finish`] reports the others.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    path: String,
    span: Range<usize>,
    entries: &'a DeTable<'a>,
    report: &'a Report<'a>,
    asked: Vec<&'static str>,
}

/// One value with its place.
#[derive(Debug, Clone)]
pub(crate) struct Item<'a> {
    path: String,
    value: &'a Spanned<DeValue<'a>>,
    report: &'a Report<'a>,
}

impl<'a> Table<'a> {
    pub(crate) fn root(entries: &'a Spanned<DeTable<'a>>, report: &'a Report<'a>) -> Self {
        let path = String::new();
        Self { path, span: 0..0, entries: entries.get_ref(), report, asked: Vec::new() }
    }

    /// The value of a key; `None` if it is absent.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.asked.push(key);
        let value = self.entries.get(key)?;
        Some(Item { path: self.path_of(key), value, report: self.report })
    }

    /// The value of a key that must be there; `hint` shows what it looks like.
    pub(crate) fn required(&mut self, key: &'static str, hint: &str) -> Option<Item<'a>> {
        let item = self.get(key);
        if item.is_none() {
            self.missing(key, hint);
        }
        item
    }

    /// Reports a key that must be there; `hint` shows what it looks like.
    pub(crate) fn missing(&self, key: &str, hint: &str) {
        self.report.add(&self.span, &self.path_of(key), format!("is missing; write {hint}"));
    }

    /// A table inside; `None` if it is absent or no table.
    pub(crate) fn table(&mut self, key: &'static str) -> Option<Self> {
        self.get(key)?.table()
    }

    /// All keys with their values, for tables whose keys are free; nothing is left to report then.
    pub(crate) fn free_entries(self) -> Vec<(String, Item<'a>)> {
        let mut entries: Vec<_> = self
            .entries
            .iter()
            .map(|(key, value)| {
                let path = self.path_of(key.get_ref());
                let item = Item { path, value, report: self.report };
                (key.span().start, (key.get_ref().to_string(), item))
            })
            .collect();
        entries.sort_by_key(|(start, _)| *start);
        entries.into_iter().map(|(_, entry)| entry).collect()
    }

    /// A problem with the table as a whole.
    pub(crate) fn problem(&self, message: impl Into<String>) {
        self.report.add(&self.span, &self.path, message);
    }

    /// The number of problems that the file has so far.
    pub(crate) fn problem_count(&self) -> usize {
        self.report.count()
    }

    /// Reports every key that was not read.
    pub(crate) fn finish(self) {
        for key in self.entries.keys() {
            let name: &str = key.get_ref();
            if !self.asked.contains(&name) {
                let hint = did_you_mean(name, self.asked.iter().copied());
                let known = self.asked.join(", ");
                let message = format!("is not a key here{hint} (keys: {known})");
                self.report.add(&key.span(), &self.path_of(name), message);
            }
        }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

impl<'a> Item<'a> {
    /// Reports a problem with this value.
    pub(crate) fn problem(&self, message: impl Into<String>) {
        self.report.add(&self.value.span(), &self.path, message);
    }

    /// The number of problems that the file has so far.
    pub(crate) fn problem_count(&self) -> usize {
        self.report.count()
    }

    /// The value as a table.
    pub(crate) fn table(&self) -> Option<Table<'a>> {
        self.table_or("a table")
    }

    /// The value as a table; if it is none, the message shows what one looks like.
    pub(crate) fn table_such_as(&self, example: &str) -> Option<Table<'a>> {
        self.table_or(&format!("a table such as {example}"))
    }

    fn table_or(&self, expected: &str) -> Option<Table<'a>> {
        let DeValue::Table(entries) = self.value.get_ref() else {
            self.wrong_type(expected);
            return None;
        };
        let (path, span) = (self.path.clone(), self.value.span());
        Some(Table { path, span, entries, report: self.report, asked: Vec::new() })
    }

    /// The values of a list.
    pub(crate) fn list(&self) -> Option<Vec<Self>> {
        let DeValue::Array(values) = self.value.get_ref() else {
            self.wrong_type("a list");
            return None;
        };
        let item = |(index, value)| {
            let path = format!("{}[{index}]", self.path);
            Self { path, value, report: self.report }
        };
        Some(values.iter().enumerate().map(item).collect())
    }

    /// The value as a text.
    pub(crate) fn text(&self) -> Option<&'a str> {
        let DeValue::String(text) = self.value.get_ref() else {
            self.wrong_type("a text in quotes");
            return None;
        };
        Some(text)
    }

    /// True if the value is `true` or `false`.
    pub(crate) fn is_boolean(&self) -> bool {
        matches!(self.value.get_ref(), DeValue::Boolean(_))
    }

    /// The value as `true` or `false`.
    pub(crate) fn boolean(&self) -> Option<bool> {
        let DeValue::Boolean(value) = self.value.get_ref() else {
            self.wrong_type("true or false");
            return None;
        };
        Some(*value)
    }

    /// The value as a whole number within a range.
    pub(crate) fn integer(&self, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let DeValue::Integer(number) = self.value.get_ref() else {
            self.wrong_type("a whole number without quotes");
            return None;
        };
        let value = u64::from_str_radix(number.as_str(), number.radix()).ok();
        let value = value.filter(|value| range.contains(value));
        if value.is_none() {
            let (least, most) = (range.start(), range.end());
            self.problem(format!("`{number}` is not a whole number from {least} to {most}"));
        }
        value
    }

    /// The value as a duration within bounds.
    pub(crate) fn duration(&self, range: std::ops::RangeInclusive<Duration>) -> Option<Duration> {
        let read = duration::parse_within(self.text()?, &range);
        read.map_err(|message| self.problem(message)).ok()
    }

    /// The value as an amount, written as a text so that no float can creep in.
    pub(crate) fn amount(&self, currency: Currency) -> Option<Money> {
        let DeValue::String(text) = self.value.get_ref() else {
            self.wrong_type("an amount in quotes, for example \"500\"");
            return None;
        };
        match Money::parse(text, currency) {
            Ok(amount) => Some(amount),
            Err(MoneyError::TooManyDecimals { allowed: 0, .. }) => {
                self.problem(format!(
                    "`{text}` is not an amount: {currency} has no decimals; write a whole number"
                ));
                None
            }
            Err(error) => {
                self.problem(format!("`{text}` is not an amount: {error}"));
                None
            }
        }
    }

    /// The value as one of some words.
    pub(crate) fn choice<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let known: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            let hint = did_you_mean(text, words.iter().map(|(word, _)| *word));
            self.problem(format!("`{text}` is not one of {}{hint}", known.join(", ")));
        }
        found
    }

    fn wrong_type(&self, expected: &str) {
        let given = match self.value.get_ref() {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.problem(format!("must be {expected}, not {given}"));
    }
}
