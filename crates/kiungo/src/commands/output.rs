//! Answers on standard output, as text and tables or as JSON; complaints on standard error.

use std::io::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use kiungo_domain::typed::{legible, legible_json};
use serde_json::{Value, json};

use super::Failure;

/// The form in which a command answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// True if JSON is wanted.
    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// One answer: text for people, or a JSON value.
    pub(crate) fn line(self, text: &str, json: &Value) {
        if self.json { print_json(json) } else { print(text) }
    }

    /// Rows under headings, or a JSON value.
    pub(crate) fn table(self, headings: &[&str], rows: Vec<Vec<String>>, json: &Value) {
        if self.json {
            return print_json(json);
        }
        let mut table = Table::new();
        table
            .load_style(presets::UTF8_HORIZONTAL_ONLY)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_header(headings.to_vec());
        for row in rows {
            table.add_row(row);
        }
        print(&table.to_string());
    }

    /// Prints a failure.
    pub(crate) fn failure(self, failure: &Failure) {
        let text = match failure {
            Failure::Said => return,
            _ if !self.json => format!("error: {failure}"),
            Failure::Config(errors) => {
                let problem = |p: &crate::config::ConfigProblem| json!({ "place": p.place, "key": p.key, "message": p.message });
                let problems: Vec<Value> = errors.0.iter().map(problem).collect();
                json!({ "error": "the configuration cannot be used", "problems": problems })
                    .to_string()
            }
            failure => json!({ "error": failure.to_string() }).to_string(),
        };
        note(&text);
    }
}

fn print_json(json: &Value) {
    print(&legible_json(&json.to_string()));
}

/// To standard output, so that nothing looks like what it is not. A reader that has gone does not
/// matter.
fn print(text: &str) {
    let text = legible(text);
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// To standard error.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", legible(text));
}
