//! Answers on standard output, as text and tables or as JSON; complaints on standard error.

use std::borrow::Cow;
use std::io::{ErrorKind, Write as _};
use std::sync::OnceLock;

use console::Term;
use jiff::tz::TimeZone;
use kiungo_domain::typed::{legible, legible_json};
use kiungo_settings::Problem;
use serde_json::{Value, json};

use super::{layout, when};
use crate::failure::Failure;

/// The width of lines where there is no terminal and nobody says how wide they may be.
const WIDTH: usize = 100;
/// A narrower terminal is written to as if it were this wide.
const WIDTH_MIN: usize = 40;

/// The form in which a command answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
    utc: bool,
}

impl Output {
    pub(crate) const fn new(json: bool, utc: bool) -> Self {
        Self { json, utc }
    }

    /// True if JSON is wanted.
    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// The zone in which moments are shown.
    pub(crate) fn zone(self) -> TimeZone {
        if self.utc { TimeZone::UTC } else { when::here() }
    }

    /// One answer: text for people, or a JSON value.
    pub(crate) fn line(self, text: &str, json: &Value) {
        if self.json { print_json(json) } else { print(text) }
    }

    /// Rows under headings, or a JSON value. The text of any column may go on in further lines.
    pub(crate) fn table(self, headings: &[&str], rows: Vec<Vec<String>>, json: &Value) {
        self.list((headings, headings), rows, json);
    }

    /// Rows under headings, or a JSON value. The text of columns that flow goes on in further lines
    /// where there is no room for it.
    pub(crate) fn list(
        self,
        (headings, flowing): (&[&str], &[&str]),
        rows: Vec<Vec<String>>,
        json: &Value,
    ) {
        if self.json {
            return print_json(json);
        }
        // Before the widths are taken.
        let harmless =
            |row: Vec<String>| row.iter().map(|cell| harmless(cell).into_owned()).collect();
        let rows: Vec<Vec<String>> = rows.into_iter().map(harmless).collect();
        print(&layout::table(headings, &rows, flowing, width()));
    }

    /// Prints a failure.
    pub(crate) fn failure(self, failure: &Failure) {
        let text = match failure {
            Failure::Said => return,
            _ if !self.json => format!("error: {failure}"),
            Failure::Config(errors) => {
                let problem =
                    |p: &Problem| json!({ "place": p.place(), "key": p.key, "message": p.message });
                let problems: Vec<Value> = errors.problems().iter().map(problem).collect();
                json!({ "error": "the configuration cannot be used", "problems": problems })
                    .to_string()
            }
            failure => json!({ "error": failure.to_string() }).to_string(),
        };
        note(&text);
    }
}

/// The width of what is written: that of the terminal, or what the environment says.
pub(crate) fn width() -> usize {
    let terminal = Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
    let said = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    terminal.or_else(said).unwrap_or(WIDTH).max(WIDTH_MIN)
}

fn print_json(json: &Value) {
    print(&legible_json(&json.to_string()));
}

/// The first failure to write an answer.
static UNWRITTEN: OnceLock<String> = OnceLock::new();

/// To standard output, so that nothing looks like what it is not. A reader that has gone does not
/// matter; any other failure is kept for [`written`].
fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let printed = writeln!(out, "{}", harmless(text)).and_then(|()| out.flush());
    if let Err(error) = printed
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _ = UNWRITTEN.set(error.to_string());
    }
}

/// Reports if all answers of this process were written.
///
/// # Errors
/// One was not, as on a full disk.
pub(crate) fn written() -> Result<(), Failure> {
    match UNWRITTEN.get() {
        None => Ok(()),
        Some(why) => Err(Failure::failed(format!("the answer could not be written: {why}"))),
    }
}

/// To standard error.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", harmless(text));
}

/// The text without characters that change how others are shown, or what the terminal does: a text
/// from outside may hold some. They are written as their codes.
fn harmless(text: &str) -> Cow<'_, str> {
    let commands = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    let text = legible(text);
    if !text.contains(commands) {
        return text;
    }
    let shown = text.chars().map(|c| match c {
        c if commands(c) => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    });
    Cow::Owned(shown.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_as_codes() {
        assert_eq!(harmless("a\tb\nc é"), "a\tb\nc é");
        assert_eq!(harmless("\u{1b}[2Jgone\r\u{202e}"), "\\u001B[2Jgone\\u000D\\u202E");
    }
}
