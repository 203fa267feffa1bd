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

    /// Rows under headings that fit a narrow terminal, or a JSON value, which has all of it: the text of
    /// one column is cut to the room that the others leave, and nothing else is.
    pub(crate) fn narrow_table(
        self,
        headings: &[&str],
        rows: Vec<Vec<String>>,
        cut: &str,
        json: &Value,
    ) {
        self.table(headings, cut_to(headings, rows, cut, width()), json);
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

/// The width of a terminal: as the environment says, or that of the narrowest that is common.
fn width() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    said.unwrap_or(80)
}

/// The rows with the text of one column cut, so that all columns together have this width.
fn cut_to(
    headings: &[&str],
    mut rows: Vec<Vec<String>>,
    cut: &str,
    width: usize,
) -> Vec<Vec<String>> {
    /// A blank on either side of a column.
    const PADDING: usize = 2;
    /// Less says nothing.
    const LEAST: usize = 8;
    let Some(column) = headings.iter().position(|heading| *heading == cut) else { return rows };
    let longest = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let widths = headings.iter().enumerate().map(|(number, heading)| {
        let cells = rows.iter().filter_map(|row| row.get(number));
        cells.map(|cell| longest(cell)).chain([longest(heading)]).max().unwrap_or(0) + PADDING
    });
    let others = widths.enumerate().filter(|(number, _)| *number != column);
    let others: usize = others.map(|(_, width)| width).sum();
    // One more between two columns each.
    let between = headings.len().saturating_sub(1);
    let room = width.saturating_sub(others + PADDING + between).max(LEAST);
    for cell in rows.iter_mut().filter_map(|row| row.get_mut(column)) {
        let lines = cell.lines().map(|line| {
            if line.chars().count() <= room {
                return line.to_owned();
            }
            let kept: String = line.chars().take(room.saturating_sub(1)).collect();
            kept + "…"
        });
        *cell = lines.collect::<Vec<_>>().join("\n");
    }
    rows
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_column_gives_way_and_the_others_stay_whole() {
        let id = "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00";
        let row = |why: &str| vec![id.to_owned(), "12500.00 TZS".to_owned(), why.to_owned()];
        let headings = ["id", "amount", "why"];
        let long = "there is no account `00042` in the core, nor one that is like it\nshort";
        let rows = cut_to(&headings, vec![row(long), row("short")], "why", 80);
        let room = 80 - 38 - 14 - 2 - 2;
        assert_eq!(rows[0][2], "there is no account `00…\nshort");
        assert_eq!(rows[0][2].lines().next().map(|line| line.chars().count()), Some(room));
        assert_eq!((rows[0][0].as_str(), rows[1][2].as_str()), (id, "short"));
        // However little is left, something of it is shown.
        let rows = cut_to(&headings, vec![row(long)], "why", 20);
        assert_eq!((rows[0][0].as_str(), rows[0][2].as_str()), (id, "there i…\nshort"));
        let rows = cut_to(&headings, vec![row(long)], "why", 200);
        assert_eq!(rows[0][2], long);
    }
}
