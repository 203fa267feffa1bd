//! Text and tables that fit the width of the terminal.

use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};

/// Columns between two columns.
const GAP: u16 = 2;
/// The least width of a column whose text goes on in a further line, unless its text is shorter.
const FLOWING_MIN: usize = 20;
/// The longest word that is kept in one piece in such a column: longer than any id.
const WORD_MAX: usize = 40;
/// A rule below the headings, and no other.
pub(crate) const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─'));

/// Rows under headings, in at most `width` columns of the terminal. Each of the columns named in
/// `flowing` may give way: its text goes on in further lines. If that is not enough, each row becomes
/// a paragraph with a line for each column. Nothing is left out.
pub(crate) fn table(
    headings: &[&str],
    rows: &[Vec<String>],
    flowing: &[&str],
    width: usize,
) -> String {
    if rows.is_empty() {
        return "none".to_owned();
    }
    let columns = headings.iter().enumerate().map(|(number, heading)| {
        let cells = rows.iter().filter_map(|row| row.get(number)).map(String::as_str);
        Column::new(cells.chain([*heading]), flowing.contains(heading))
    });
    let columns: Vec<Column> = columns.collect();
    let least = columns.iter().map(|column| column.least() + usize::from(GAP)).sum::<usize>();
    if least.saturating_sub(usize::from(GAP)) > width {
        let records = rows.iter().map(|row| record(headings, row, width));
        return records.collect::<Vec<_>>().join("\n\n");
    }
    let mut table = Table::new();
    table
        .load_style(STYLE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX).saturating_add(GAP))
        .set_header(headings.to_vec());
    for row in rows {
        table.add_row(row);
    }
    for (column, of) in table.column_iter_mut().zip(&columns) {
        let least = u16::try_from(of.least()).unwrap_or(u16::MAX).saturating_add(GAP);
        column.set_padding((0, GAP)).set_constraint(if of.flowing {
            ColumnConstraint::LowerBoundary(Width::Fixed(least))
        } else {
            ColumnConstraint::ContentWidth
        });
    }
    // The rule goes on below the gap behind the last column.
    let lines = table.lines().map(|line| {
        let is_rule = line.starts_with('─');
        if is_rule { line.chars().take(width).collect() } else { line.trim_end().to_owned() }
    });
    lines.collect::<Vec<String>>().join("\n")
}

/// The measures of a column before it is drawn.
struct Column {
    /// Its longest line.
    line: usize,
    /// Its longest word.
    word: usize,
    flowing: bool,
}

impl Column {
    fn new<'a>(cells: impl Iterator<Item = &'a str> + Clone, flowing: bool) -> Self {
        let lines = cells.clone().flat_map(str::lines).map(|line| line.chars().count());
        let words = cells.flat_map(str::split_whitespace).map(|word| word.chars().count());
        Self { line: lines.max().unwrap_or(0), word: words.max().unwrap_or(0), flowing }
    }

    /// The least width in which it is readable.
    fn least(&self) -> usize {
        if self.flowing { self.line.min(self.word.clamp(FLOWING_MIN, WORD_MAX)) } else { self.line }
    }
}

/// One row as a paragraph: its first cell, then a line for each other one that is not empty.
fn record(headings: &[&str], row: &[String], width: usize) -> String {
    let label = headings.iter().skip(1).map(|heading| heading.chars().count()).max().unwrap_or(0);
    let first = row.first().map(|cell| cell.lines().collect::<Vec<_>>().join(" "));
    let mut lines = vec![first.unwrap_or_default()];
    for (heading, cell) in headings.iter().zip(row).skip(1).filter(|(_, cell)| !cell.is_empty()) {
        let mut heading = *heading;
        for line in cell.lines() {
            lines.push(hanging(&format!("  {heading:label$}  "), line, width));
            heading = "";
        }
    }
    lines.join("\n")
}

/// The text behind this beginning, its further lines indented by as much.
pub(crate) fn hanging(beginning: &str, text: &str, width: usize) -> String {
    let indent = beginning.chars().count();
    let lines = wrapped(text, width.saturating_sub(indent).max(FLOWING_MIN));
    let blank = " ".repeat(indent);
    let lines = lines.iter().enumerate().map(|(number, line)| {
        let before = if number == 0 { beginning } else { &blank };
        format!("{before}{line}").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The lines of a text that is broken between words. A word that is longer than a line is left whole,
/// so that it can be copied.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let long = |line: &String| line.chars().count() + 1 + word.chars().count() > width;
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if !long(line) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    const HEADINGS: [&str; 5] = ["id", "received", "amount", "status", "why"];

    const LONG: &str = "there is no account `00042` in the core, nor one that is like it; the payer is \
                        a client with an account of his own";

    fn row(amount: &str, why: &str) -> Vec<String> {
        let id = "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00";
        let cells = [id, "2026-11-21 11:33:20 +03:00", amount, "suspended", why];
        cells.map(str::to_owned).to_vec()
    }

    fn drawn(width: usize) -> String {
        let rows = [row("12500.00 TZS", LONG), row("5.00 TZS", "closed\nand empty")];
        table(&HEADINGS, &rows, &["why"], width)
    }

    #[test]
    fn a_table_fits_the_terminal_and_leaves_nothing_out() {
        for width in [80, 120, 200] {
            let drawn = drawn(width);
            assert!(drawn.lines().all(|line| line.chars().count() <= width), "{width}:\n{drawn}");
            assert!(!drawn.contains('…'), "{drawn}");
            let cells = row("12500.00 TZS", "").into_iter().filter(|cell| !cell.is_empty());
            let words = LONG.split_whitespace().map(str::to_owned);
            for whole in cells.chain(words) {
                assert!(drawn.contains(&whole), "{whole} in {drawn}");
            }
        }
        assert_snapshot!("at_80", drawn(80));
        assert_snapshot!("at_120", drawn(120));
        assert_snapshot!("at_200", drawn(200));
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        assert_eq!(table(&HEADINGS, &[], &["why"], 80), "none");
    }

    #[test]
    fn a_text_goes_on_below_its_own_beginning_and_a_word_stays_whole() {
        let text = "a text of several words and 019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00";
        let expected = "at  a text of several\n    words and\n    \
                        019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00";
        assert_eq!(hanging("at  ", text, 25), expected);
        assert_eq!(hanging("at  ", "", 25), "at");
    }
}
