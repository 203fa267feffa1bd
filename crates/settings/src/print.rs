//! A tree as a TOML text again: all values in the order of their keys, those of a table first, then the
//! tables inside. Comments are not kept.

use std::fmt::Write as _;
use std::path::Path;

use crate::document::Document;
use crate::sources::Sources;
use crate::tree::{Entries, Kind, Value};

/// The text of a document.
pub fn whole(document: &Document) -> String {
    let mut text = String::new();
    for line in lines(document) {
        if line.begins_section && !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&line.text);
        text.push('\n');
    }
    text
}

/// The text of a document, with the file and the line that each value comes from:
/// `decimals = 0  # mpesa-tz.toml:19`.
pub fn with_places(document: &Document) -> String {
    let places = Places::of(&document.sources);
    let mut text = String::new();
    for line in lines(document) {
        if line.begins_section && !text.is_empty() {
            text.push('\n');
        }
        let (file, number) = places.of_offset(line.at);
        let file = Path::new(file).file_name().unwrap_or_default().to_string_lossy();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}  # {file}:{number}", line.text);
    }
    text
}

/// A key as it is written in a path.
pub(crate) fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quoted(name) }
}

/// A line of the text, and the offset of the value that it is about.
struct Line {
    text: String,
    at: usize,
    begins_section: bool,
}

fn lines(document: &Document) -> Vec<Line> {
    let mut printer = Printer { places: Places::of(&document.sources), lines: Vec::new() };
    printer.table(&document.root, "");
    printer.lines
}

struct Printer<'s> {
    places: Places<'s>,
    lines: Vec<Line>,
}

impl Printer<'_> {
    /// The lines of a table: values first, because whatever follows a heading belongs to it.
    fn table(&mut self, entries: &Entries, path: &str) {
        let sections = |value: &Value| self.is_section(value);
        let (inner, plain): (Vec<_>, Vec<_>) =
            entries.iter().partition(|(_, entry)| sections(&entry.value));
        for (name, entry) in plain {
            let text = format!("{} = {}", key(name), inline(&entry.value));
            self.lines.push(Line { text, at: entry.value.at.start, begins_section: false });
        }
        for (name, entry) in inner {
            let name = key(name);
            let path = if path.is_empty() { name } else { format!("{path}.{name}") };
            match &entry.value.kind {
                Kind::Table(entries) => {
                    if entries.values().any(|entry| !self.is_section(&entry.value)) {
                        self.heading(format!("[{path}]"), &entry.value);
                    }
                    self.table(entries, &path);
                }
                Kind::List(values) => {
                    for value in values {
                        self.heading(format!("[[{path}]]"), value);
                        self.table(value.entries().unwrap_or(&Entries::new()), &path);
                    }
                }
                _ => {}
            }
        }
    }

    fn heading(&mut self, text: String, value: &Value) {
        self.lines.push(Line { text, at: value.at.start, begins_section: true });
    }

    /// True for a table, or a list of tables, whose values come from several lines.
    fn is_section(&self, value: &Value) -> bool {
        let tables = match &value.kind {
            Kind::Table(_) => true,
            Kind::List(values) => values.iter().all(|value| value.entries().is_some()),
            _ => false,
        };
        tables && !self.is_on_line(value, self.places.line(value.at.start))
    }

    fn is_on_line(&self, value: &Value, line: usize) -> bool {
        self.places.line(value.at.start) == line
            && match &value.kind {
                Kind::Table(entries) => {
                    entries.values().all(|entry| self.is_on_line(&entry.value, line))
                }
                Kind::List(values) => values.iter().all(|value| self.is_on_line(value, line)),
                _ => true,
            }
    }
}

/// The lines of all texts, to find an offset among them.
struct Places<'s> {
    sources: &'s Sources,
    begins: Vec<usize>,
}

impl<'s> Places<'s> {
    fn of(sources: &'s Sources) -> Self {
        Self { sources, begins: sources.lines() }
    }

    /// The number of the line of an offset, counted through all texts.
    fn line(&self, at: usize) -> usize {
        self.begins.partition_point(|begin| *begin <= at)
    }

    /// The file of an offset, and its line there.
    fn of_offset(&self, at: usize) -> (&'s str, usize) {
        let first = self.line(self.sources.start(at));
        (self.sources.name(at), self.line(at).saturating_sub(first) + 1)
    }
}

/// A value on one line.
fn inline(value: &Value) -> String {
    match &value.kind {
        Kind::Text(text) | Kind::Variable(text) => quoted(text),
        Kind::Integer(digits, 10) | Kind::Float(digits) | Kind::Date(digits) => digits.clone(),
        Kind::Integer(digits, radix) => {
            let prefix = match radix {
                2 => "0b",
                8 => "0o",
                _ => "0x",
            };
            format!("{prefix}{digits}")
        }
        Kind::Boolean(flag) => flag.to_string(),
        Kind::List(values) => {
            let values: Vec<_> = values.iter().map(inline).collect();
            format!("[{}]", values.join(", "))
        }
        Kind::Table(entries) if entries.is_empty() => "{}".to_owned(),
        Kind::Table(entries) => {
            let entries = entries.iter();
            let entries: Vec<_> = entries
                .map(|(name, it)| format!("{} = {}", key(name), inline(&it.value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// A text in quotes, on one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
