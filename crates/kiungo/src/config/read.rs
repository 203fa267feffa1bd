//! Reading the merged settings key by key: one look finds everything that is wrong, and every value
//! that is read can be shown, with secrets hidden.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Map, Value, ValueKind};
use kiungo_mapping::duration;

use super::blanks::blanks;
use super::problem::{ConfigProblem, Warning};
use super::sources::{Layer, Merged, as_table};

/// The findings of reading so far.
pub(super) struct Findings<'a> {
    merged: &'a Merged,
    problems: RefCell<Vec<ConfigProblem>>,
    warnings: RefCell<Vec<Warning>>,
    /// The settings in effect, as TOML.
    shown: RefCell<String>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(merged: &'a Merged) -> Self {
        Self {
            merged,
            problems: RefCell::new(merged.problems.clone()),
            warnings: RefCell::default(),
            shown: RefCell::default(),
        }
    }

    pub(super) fn finish(self) -> (Vec<ConfigProblem>, Vec<Warning>, String) {
        let mut problems = self.problems.into_inner();
        problems.dedup();
        // What is not filled in is nothing else.
        let blanks = blanks(&self.merged.root, &self.merged.places);
        problems.retain(|problem| blanks.iter().all(|blank| blank.key != problem.key));
        problems.splice(0..0, blanks);
        (problems, self.warnings.into_inner(), self.shown.into_inner())
    }

    fn problem(&self, origin: Option<&str>, path: &str, message: String) {
        let place = self.merged.places.place(origin, path);
        self.problems.borrow_mut().push(ConfigProblem { place, key: path.to_owned(), message });
    }

    fn show_header(&self, header: &str) {
        let mut shown = self.shown.borrow_mut();
        let gap = if shown.is_empty() { "" } else { "\n" };
        let _ = writeln!(shown, "{gap}{header}");
    }

    fn show(&self, key: &str, value: &str, origin: Option<&str>) {
        let comment = match origin {
            origin if Merged::is_default(origin) => String::new(),
            Some(origin) => format!(" # from {origin}"),
            None => String::new(),
        };
        let _ = writeln!(self.shown.borrow_mut(), "{key} = {value}{comment}");
    }
}

/// A table that is being read; keys that nobody asks for are reported by [`Section::finish`].
pub(super) struct Section<'a> {
    path: String,
    origin: Option<String>,
    entries: Option<&'a Map<String, Value>>,
    asked: Vec<&'static str>,
    findings: &'a Findings<'a>,
}

/// One value.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) value: &'a Value,
}

impl<'a> Section<'a> {
    pub(super) fn root(findings: &'a Findings<'a>) -> Self {
        let entries = Some(&findings.merged.root);
        Self { path: String::new(), origin: None, entries, asked: Vec::new(), findings }
    }

    /// A table inside; an absent one reads as empty.
    pub(super) fn table(&mut self, key: &'static str) -> Self {
        let header = format!("[{}]", header_of(&self.path_of(key)));
        let setting = self.get(key);
        if let Some(setting) = setting
            && as_table(setting.value).is_none()
        {
            self.problem(key, "must be a table".to_owned());
        }
        self.findings.show_header(&header);
        self.inner(self.path_of(key), setting.map(|setting| setting.value))
    }

    /// The tables of a list.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Self> {
        let Some(setting) = self.get(key) else { return Vec::new() };
        let ValueKind::Array(entries) = &setting.value.kind else {
            self.problem(key, format!("must be a list of tables: [[{}]]", self.path_of(key)));
            return Vec::new();
        };
        let entry = |(index, entry)| {
            let path = format!("{}[{index}]", self.path_of(key));
            self.inner(path, Some(entry))
        };
        entries.iter().enumerate().map(entry).collect()
    }

    /// Begins to show this entry of a list.
    pub(super) fn show_entry(&self) {
        self.findings.show_header(&format!("[[{}]]", header_of(&self.path)));
    }

    /// A problem with a key of this table.
    pub(super) fn problem(&self, key: &str, message: String) {
        let origin = self.origin_of(key).or(self.origin.as_deref());
        self.findings.problem(origin, &self.path_of(key), message);
    }

    /// A warning about this table.
    pub(super) fn warn(&self, warning: Warning) {
        self.findings.warnings.borrow_mut().push(warning);
    }

    /// The place of a key of this table.
    pub(super) fn place(&self, key: &str) -> String {
        self.findings.merged.places.place(self.origin_of(key), &self.path_of(key))
    }

    /// A text; the empty text if it is absent.
    pub(super) fn text(&mut self, key: &'static str) -> String {
        let text = self.read_text(key).unwrap_or_default();
        self.show(key, &quoted(&text));
        text
    }

    /// A text that must be there.
    pub(super) fn required(&mut self, key: &'static str, hint: &str) -> Option<String> {
        let before = self.findings.problems.borrow().len();
        let text = self.text(key);
        if text.is_empty() && self.findings.problems.borrow().len() == before {
            self.problem(key, format!("is missing; write {hint}"));
        }
        (!text.is_empty()).then_some(text)
    }

    /// A path, as [`Section::resolved`] finds it; `None` if it is absent or empty.
    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        let text = self.text(key);
        (!text.is_empty()).then(|| self.resolved(key, &text))
    }

    /// The path `text` of a key. A relative one counts from the directory of the configuration file,
    /// or, given by the environment, from the current directory.
    pub(super) fn resolved(&self, key: &str, text: &str) -> PathBuf {
        self.findings.merged.places.resolved(self.origin_of(key), text)
    }

    /// The directory from which relative paths of the configuration file count; `None` for a key that
    /// the environment gives, and without a file.
    pub(super) fn folder_of(&self, key: &str) -> Option<&Path> {
        self.findings.merged.places.folder(self.origin_of(key))
    }

    /// The source of a key's value; of two keys that give the same, the later source wins.
    pub(super) fn layer(&self, key: &str) -> Layer {
        Layer::of(self.origin_of(key))
    }

    fn origin_of(&self, key: &str) -> Option<&'a str> {
        self.entries.and_then(|entries| entries.get(key)).and_then(Value::origin)
    }

    /// A text without showing it.
    pub(super) fn read_text(&mut self, key: &'static str) -> Option<String> {
        let setting = self.get(key)?;
        if let ValueKind::String(text) = &setting.value.kind {
            return Some(text.clone());
        }
        self.problem(key, "must be a text in quotes".to_owned());
        None
    }

    /// A whole number within a range; `default` if it is absent or wrong.
    pub(super) fn integer(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> u64 {
        let number = self.get(key).and_then(|setting| {
            let number = match &setting.value.kind {
                ValueKind::I64(number) => u64::try_from(*number).ok(),
                ValueKind::U64(number) => Some(*number),
                // Only the environment writes numbers as texts.
                ValueKind::String(text) if !text.starts_with('+') => text.parse().ok(),
                _ => None,
            };
            let number = number.filter(|number| range.contains(number));
            if number.is_none() {
                let (least, most) = (range.start(), range.end());
                self.problem(key, format!("must be a whole number from {least} to {most}"));
            }
            number
        });
        let number = number.unwrap_or(default);
        self.show(key, &number.to_string());
        number
    }

    /// Yes or no; `default` if it is absent or wrong.
    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let flag = self.get(key).and_then(|setting| {
            let flag = match &setting.value.kind {
                ValueKind::Boolean(flag) => Some(*flag),
                // Only the environment writes them as texts.
                ValueKind::String(text) => text.parse().ok(),
                _ => None,
            };
            if flag.is_none() {
                self.problem(key, "must be true or false".to_owned());
            }
            flag
        });
        let flag = flag.unwrap_or(default);
        self.show(key, &flag.to_string());
        flag
    }

    /// A duration within bounds; `default` if it is absent or wrong.
    pub(super) fn duration(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
        default: Duration,
    ) -> Duration {
        let wait = self.optional_duration(key, range).unwrap_or(default);
        self.show(key, &quoted(&duration::print(wait)));
        wait
    }

    /// A duration without default; not shown.
    pub(super) fn optional_duration(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let text = self.read_text(key)?;
        let read = duration::parse_within(&text, &range);
        read.map_err(|message| self.problem(key, message)).ok()
    }

    /// A list of texts; in the environment separated by commas.
    pub(super) fn texts(&mut self, key: &'static str) -> Vec<String> {
        let Some(setting) = self.get(key) else { return Vec::new() };
        let texts: Option<Vec<String>> = match &setting.value.kind {
            ValueKind::String(text) => Some(text.split(',').map(|t| t.trim().to_owned()).collect()),
            ValueKind::Array(values) => values
                .iter()
                .map(|value| match &value.kind {
                    ValueKind::String(text) => Some(text.clone()),
                    _ => None,
                })
                .collect(),
            _ => None,
        };
        let texts = texts.unwrap_or_else(|| {
            self.problem(key, "must be a list of texts".to_owned());
            Vec::new()
        });
        let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
        self.show(key, &format!("[{}]", quoted.join(", ")));
        texts
    }

    /// A list of texts that must name something.
    pub(super) fn required_texts(&mut self, key: &'static str, example: &str) -> Vec<String> {
        let before = self.findings.problems.borrow().len();
        let texts = self.texts(key);
        if texts.is_empty() && self.findings.problems.borrow().len() == before {
            self.problem(key, format!("is missing; write for example {example}"));
        }
        texts
    }

    /// The value of a key as it stands; `None` if it is absent.
    pub(super) fn get(&mut self, key: &'static str) -> Option<Setting<'a>> {
        self.asked.push(key);
        self.entries?.get(key).map(|value| Setting { value })
    }

    /// All keys, sorted: for a table whose keys are somebody else's.
    pub(super) fn free_entries(&self) -> Vec<(&'a str, &'a Value)> {
        let mut entries: Vec<_> =
            self.entries.into_iter().flatten().map(|(key, value)| (key.as_str(), value)).collect();
        entries.sort_by_key(|(key, _)| *key);
        entries
    }

    /// Shows the value of a key in [`super::Config::redacted`].
    pub(super) fn show(&self, key: &str, value: &str) {
        self.findings.show(key, value, self.origin_of(key));
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self) {
        for (key, value) in self.free_entries() {
            if !self.asked.contains(&key) {
                let known = self.asked.join(", ");
                let path = self.path_of(key);
                let message = format!("is not a key here (keys: {known})");
                self.findings.problem(value.origin(), &path, message);
            }
        }
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn inner(&self, path: String, value: Option<&'a Value>) -> Self {
        let origin = value.and_then(Value::origin).map(ToOwned::to_owned);
        let entries = value.and_then(as_table);
        Section { path, origin, entries, asked: Vec::new(), findings: self.findings }
    }
}

/// `cores[0].fineract` as it stands in a header: `cores.fineract`.
fn header_of(path: &str) -> String {
    let without = |part: &str| part.split('[').next().unwrap_or_default().to_owned();
    path.split('.').map(without).collect::<Vec<_>>().join(".")
}

/// A text as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
