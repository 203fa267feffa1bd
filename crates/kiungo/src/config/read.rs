//! Reading the merged settings key by key: one look finds everything that is wrong, and every value
//! that is read can be shown, with secrets hidden.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiungo_settings::{Item, Layer, Problem, Report, Table, duration};

use super::blanks::blanks;
use super::problem::Warning;
use super::sources::Merged;

/// The findings of reading so far.
pub(super) struct Findings<'a> {
    merged: &'a Merged,
    report: Report<'a>,
    warnings: RefCell<Vec<Warning>>,
    /// The settings in effect, as TOML.
    shown: RefCell<String>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(merged: &'a Merged) -> Self {
        let report = Report::new(&merged.texts);
        for problem in &merged.problems {
            report.add_problem(problem.clone());
        }
        Self { merged, report, warnings: RefCell::default(), shown: RefCell::default() }
    }

    pub(super) fn finish(self) -> (Vec<Problem>, Vec<Warning>, String) {
        let mut problems = self.report.into_problems();
        problems.dedup();
        // What is not filled in is nothing else.
        let blanks = blanks(&self.merged.root, &self.merged.texts);
        problems.retain(|problem| blanks.iter().all(|blank| blank.key != problem.key));
        problems.splice(0..0, blanks);
        (problems, self.warnings.into_inner(), self.shown.into_inner())
    }

    fn show_header(&self, header: &str) {
        let mut shown = self.shown.borrow_mut();
        let gap = if shown.is_empty() { "" } else { "\n" };
        let _ = writeln!(shown, "{gap}{header}");
    }
}

/// A table that is being read; keys that nobody asks for are reported by [`Section::finish`].
pub(super) struct Section<'a> {
    table: Table<'a>,
    findings: &'a Findings<'a>,
}

impl<'a> Section<'a> {
    pub(super) fn root(findings: &'a Findings<'a>) -> Self {
        Self { table: Table::root(&findings.merged.root, &findings.report), findings }
    }

    /// A table inside; an absent one reads as empty.
    pub(super) fn table(&mut self, key: &'static str) -> Self {
        self.findings.show_header(&format!("[{}]", header_of(&self.path_of(key))));
        Self { table: self.table.table_or_empty(key), findings: self.findings }
    }

    /// The tables of a list.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Self> {
        let Some(item) = self.get(key) else { return Vec::new() };
        let Some(entries) = item.list_or(&format!("a list of tables: [[{}]]", self.path_of(key)))
        else {
            return Vec::new();
        };
        let entries = entries.iter().filter_map(Item::table);
        entries.map(|table| Self { table, findings: self.findings }).collect()
    }

    /// Begins to show this entry of a list.
    pub(super) fn show_entry(&self) {
        self.findings.show_header(&format!("[[{}]]", header_of(self.table.path())));
    }

    /// A problem with a key of this table.
    pub(super) fn problem(&self, key: &str, message: impl Into<String>) {
        self.table.problem_of(key, message);
    }

    /// A warning about this table.
    pub(super) fn warn(&self, warning: Warning) {
        self.findings.warnings.borrow_mut().push(warning);
    }

    /// The place of a key of this table.
    pub(super) fn place(&self, key: &str) -> String {
        let at = self.table.span_of(key).map_or(0, |span| span.start);
        self.findings.merged.texts.problem(at, key, "").place()
    }

    /// A text; the empty text if it is absent.
    pub(super) fn text(&mut self, key: &'static str) -> String {
        let text = self.read_text(key).unwrap_or_default();
        self.show(key, &quoted(&text));
        text
    }

    /// A text that must be there.
    pub(super) fn required(&mut self, key: &'static str, hint: &str) -> Option<String> {
        let before = self.table.problem_count();
        let text = self.text(key);
        if text.is_empty() && self.table.problem_count() == before {
            self.table.missing(key, hint);
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
        self.folder_of(key).map_or_else(|| PathBuf::from(text), |folder| folder.join(text))
    }

    /// The directory from which a relative path of a key counts, unless it is the current one: that
    /// of the file, for the built-in defaults too, so that no path of an installation depends on
    /// where its program is started.
    pub(super) fn folder_of(&self, key: &str) -> Option<&Path> {
        let folder = self.findings.merged.folder.as_deref();
        folder.filter(|_| self.layer(key) != Layer::Environment)
    }

    /// The source of a key's value; of two keys that give the same, the later source wins.
    pub(super) fn layer(&self, key: &str) -> Layer {
        let span = self.table.span_of(key);
        span.map_or(Layer::Defaults, |span| self.findings.merged.texts.layer(span.start))
    }

    /// A text without showing it.
    pub(super) fn read_text(&mut self, key: &'static str) -> Option<String> {
        self.get(key)?.text().map(ToOwned::to_owned)
    }

    /// A whole number within a range, for which there is a built-in default.
    pub(super) fn integer<N: TryFrom<u64> + Default>(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> N {
        let least = *range.start();
        self.integer_or(key, range, least)
    }

    /// A whole number within a range; `default` if it is absent or wrong.
    pub(super) fn integer_or<N: TryFrom<u64> + Default>(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> N {
        let number = self.get(key).and_then(|item| item.integer(range)).unwrap_or(default);
        self.show(key, &number.to_string());
        // The range is within the type.
        N::try_from(number).unwrap_or_default()
    }

    /// Yes or no; no if it is absent or wrong.
    pub(super) fn flag(&mut self, key: &'static str) -> bool {
        let flag = self.get(key).and_then(|item| item.boolean()).unwrap_or(false);
        self.show(key, &flag.to_string());
        flag
    }

    /// A duration within bounds, for which there is a built-in default.
    pub(super) fn duration(
        &mut self,
        key: &'static str,
        range: RangeInclusive<Duration>,
    ) -> Duration {
        let least = *range.start();
        self.duration_or(key, range, least)
    }

    /// A duration within bounds; `default` if it is absent or wrong.
    pub(super) fn duration_or(
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
        self.get(key)?.duration(range)
    }

    /// A list of texts; in the environment separated by commas.
    pub(super) fn texts(&mut self, key: &'static str) -> Vec<String> {
        let Some(item) = self.get(key) else { return Vec::new() };
        let texts = item.texts().unwrap_or_default();
        let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
        self.show(key, &format!("[{}]", quoted.join(", ")));
        texts
    }

    /// A list of texts that must name something.
    pub(super) fn required_texts(&mut self, key: &'static str, example: &str) -> Vec<String> {
        let before = self.table.problem_count();
        let texts = self.texts(key);
        if texts.is_empty() && self.table.problem_count() == before {
            self.table.missing(key, &format!("for example {example}"));
        }
        texts
    }

    /// The value of a key; `None` if it is absent.
    pub(super) fn get(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.table.get(key)
    }

    /// All values with their keys, sorted: for a table whose keys are somebody else's.
    pub(super) fn free_entries(&self) -> Vec<(&'a str, Item<'a>)> {
        self.table.entries()
    }

    /// Shows the value of a key in [`super::Config::redacted`].
    pub(super) fn show(&self, key: &str, value: &str) {
        let texts = &self.findings.merged.texts;
        let comment = match (self.layer(key), self.table.span_of(key)) {
            (Layer::Environment, _) => " # from the environment".to_owned(),
            (Layer::File, Some(span)) => format!(" # from {}", texts.name(span.start)),
            _ => String::new(),
        };
        let _ = writeln!(self.findings.shown.borrow_mut(), "{key} = {value}{comment}");
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self) {
        self.table.finish();
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        self.table.path_of(key)
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
