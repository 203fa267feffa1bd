//! The report of the demo at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, TableStyle};
use kiungo_domain::{Currency, Kind, Money};
use serde::Serialize;

use super::audit::{AuditResult, Tally};
use super::workload::Wallet;

/// The one object of `--json`.
#[derive(Debug, Clone, Serialize)]
#[allow(clippy::struct_excessive_bools)] // They are findings, independent of each other.
pub(super) struct Report {
    pub(super) seed: u64,
    pub(super) faults: &'static str,
    pub(super) transfers: u64,
    pub(super) completed: u64,
    pub(super) failed: u64,
    pub(super) reversed: u64,
    pub(super) suspended: u64,
    pub(super) open: u64,
    /// The sum of all completed transfers by currency, in minor units.
    pub(super) moved_minor: BTreeMap<&'static str, i64>,
    /// Payments at the wallet that did not happen: turned away, or too little money.
    pub(super) not_paid: u64,
    pub(super) lost: u64,
    pub(super) doubled: u64,
    pub(super) misattributed: u64,
    pub(super) books_balanced: bool,
    pub(super) ledger_balanced: bool,
    pub(super) kills: usize,
    pub(super) elapsed_s: f64,
    /// The faults that were found, for people.
    pub(super) findings: Vec<String>,
}

/// The circumstances of a day, beside its result.
pub(super) struct Circumstances {
    pub(super) seed: u64,
    pub(super) faults: &'static str,
    pub(super) kills: usize,
    pub(super) elapsed: Duration,
    /// The faults of Kiungo's own ledger.
    pub(super) ledger: Vec<String>,
}

impl Report {
    pub(super) fn new(result: &AuditResult, day: Circumstances) -> Self {
        let total = result.total();
        let audit = &result.audit;
        let ledger_balanced = day.ledger.is_empty();
        let mut findings = audit.findings.clone();
        findings.extend(result.findings.iter().cloned());
        findings.extend(day.ledger);
        // Milliseconds are enough, and short to write.
        let elapsed = Duration::from_millis(u64::try_from(day.elapsed.as_millis()).unwrap_or(0));
        Self {
            seed: day.seed,
            faults: day.faults,
            transfers: total.total(),
            completed: total.completed,
            failed: total.failed,
            reversed: total.reversed,
            suspended: total.suspended,
            open: total.open,
            moved_minor: result.moved_minor.clone(),
            not_paid: total.not_paid,
            lost: audit.lost,
            doubled: audit.doubled,
            misattributed: audit.misattributed,
            books_balanced: audit.balanced,
            ledger_balanced,
            kills: day.kills,
            elapsed_s: elapsed.as_secs_f64(),
            findings,
        }
    }

    /// True if every shilling is where it belongs, and nothing is stuck.
    pub(super) fn is_good(&self) -> bool {
        self.lost == 0
            && self.doubled == 0
            && self.misattributed == 0
            && self.open == 0
            && self.books_balanced
            && self.ledger_balanced
            && self.findings.is_empty()
    }

    /// The report for people.
    pub(super) fn text(
        &self,
        result: &AuditResult,
        examples: &[String],
        style: TableStyle,
    ) -> String {
        let mut parts = vec![table(result, style)];
        for (currency, minor) in &self.moved_minor {
            let amount = in_words(*minor, currency);
            parts.push(format!("moved: {amount} in {} completed transfers.", self.completed));
        }
        if self.not_paid > 0 {
            parts.push(format!(
                "not paid: {} payments that never happened, because the wallet held too little or \
                 the account typed does not exist; no money moved.",
                self.not_paid
            ));
        }
        if !examples.is_empty() {
            let lines: Vec<String> =
                examples.iter().map(|example| format!("  {example}")).collect();
            parts.push(format!("Some examples:\n{}", lines.join("\n")));
        }
        parts.push(self.audit_text());
        if !self.findings.is_empty() {
            let lines: Vec<String> = self.findings.iter().map(|text| format!("  {text}")).collect();
            parts.push(format!("What is wrong:\n{}", lines.join("\n")));
        }
        let result = if self.is_good() {
            "Every shilling is where it belongs."
        } else {
            "NOT GOOD: see above."
        };
        parts.push(format!(
            "{result} {} transfers, faults {}, seed {}, {}, {:.1} s.",
            self.transfers,
            self.faults,
            self.seed,
            killed(self.kills),
            self.elapsed_s
        ));
        parts.join("\n\n")
    }

    fn audit_text(&self) -> String {
        let yes = |good: bool| if good { "yes" } else { "NO" };
        format!(
            "Audit by the books of the two providers and the core, account by account:\n\
             \x20 lost {}   doubled {}   wrongly attributed {}   books balanced: {}\n\
             \x20 Kiungo's own ledger balanced, and equal to those books: {}",
            self.lost,
            self.doubled,
            self.misattributed,
            yes(self.books_balanced),
            yes(self.ledger_balanced),
        )
    }
}

/// The number of kills, in words.
fn killed(times: usize) -> String {
    match times {
        0 => "never killed".to_owned(),
        1 => "killed once (kill -9)".to_owned(),
        2 => "killed twice (kill -9)".to_owned(),
        more => format!("killed {more} times (kill -9)"),
    }
}

/// An amount as people write it: `1,234,567.00 TZS`.
fn in_words(minor: i64, code: &str) -> String {
    let money = Currency::from_code(code).ok().and_then(|it| Money::from_minor(minor, it));
    let Some(money) = money else { return format!("{minor} {code}") };
    let text = money.to_decimal();
    let (whole, fraction) =
        text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let fraction = fraction.map(|digits| format!(".{digits}")).unwrap_or_default();
    format!("{grouped}{fraction} {code}")
}

/// All columns together fit a terminal of 80.
const HEADINGS: [&str; 9] = [
    "kind",
    "provider",
    "count",
    "completed",
    "failed",
    "reversed",
    "suspended",
    "open",
    "not\npaid",
];

fn table(result: &AuditResult, style: TableStyle) -> String {
    let mut table = Table::new();
    table.load_style(style).set_header(HEADINGS);
    for kind in Kind::ALL {
        for wallet in Wallet::ALL {
            let tally = result.cells.get(&(kind, wallet)).copied().unwrap_or_default();
            table.add_row(row(kind.as_str(), wallet.id(), &tally));
        }
    }
    table.add_row(row("all", "", &result.total()));
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn row(kind: &str, wallet: &str, tally: &Tally) -> Vec<String> {
    let numbers = [
        tally.total(),
        tally.completed,
        tally.failed,
        tally.reversed,
        tally.suspended,
        tally.open,
        tally.not_paid,
    ];
    let numbers = numbers.into_iter().map(|number| number.to_string());
    [kind.to_owned(), wallet.to_owned()].into_iter().chain(numbers).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_fits_a_narrow_terminal() {
        let mut result = AuditResult::default();
        let tally =
            Tally { completed: 2880, failed: 9, suspended: 22, not_paid: 2, ..Tally::default() };
        for (kind, wallet) in
            Kind::ALL.into_iter().flat_map(|kind| Wallet::ALL.map(|it| (kind, it)))
        {
            result.cells.insert((kind, wallet), tally);
        }
        let table = table(&result, TableStyle::new());
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        let first = table.lines().next().unwrap();
        assert!(first.starts_with("kind         provider     count completed"), "{table}");
    }

    #[test]
    fn amounts_and_kills_are_told_in_words() {
        for (minor, code, words) in [
            (123_456_700, "TZS", "1,234,567.00 TZS"),
            (99_950, "LSL", "999.50 LSL"),
            (1_000, "UGX", "1,000 UGX"),
            (0, "TZS", "0.00 TZS"),
        ] {
            assert_eq!(in_words(minor, code), words);
        }
        assert_eq!(killed(0), "never killed");
        assert_eq!(killed(2), "killed twice (kill -9)");
        assert_eq!(killed(3), "killed 3 times (kill -9)");
    }
}
