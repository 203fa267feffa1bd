//! The report of a run.

use std::fmt;

use serde::Serialize;

/// The number of findings of each kind that are shown.
const SHOWN: usize = 20;

/// A run of one seed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ChaosReport {
    /// The seed of every draw.
    pub seed: u64,
    /// The number of transfers.
    pub transfers: u64,
    /// The number of workers.
    pub workers: usize,
    /// By the books of the counterparties.
    pub lost: u64,
    /// By the books of the counterparties.
    pub doubled: u64,
    /// By the books of the counterparties.
    pub misattributed: u64,
    /// True if the books add up, and Kiungo's ledger agrees with them.
    pub balanced: bool,
    /// Operations on one account that overlapped, or were booked out of turn.
    pub order_violations: u64,
    /// Events that were received, those that came again included.
    pub events: u64,
    /// The number of events that came again.
    pub events_repeated: u64,
    /// The number of changes that were committed and not told.
    pub events_missing: u64,
    /// The number of events that are not so.
    pub events_contradicting: u64,
    /// Messages that were given up.
    pub dead_letters: u64,
    /// Transfers that were open at the end, or that need a person.
    pub open: u64,
    /// From the last fault, and the end of the faults, until everything had settled.
    pub settled_after_s: u64,
    /// The longest time from the kill of a worker until its first open transfer was taken up.
    pub recovery_max_ms: Option<i64>,
    /// The longest time until its last open transfer was taken up.
    pub recovery_of_all_max_ms: Option<i64>,
    /// Processes that were killed with -9.
    pub kills: u64,
    /// The faults that happened, each with its second.
    pub faults: Vec<String>,
    /// The time that it all took, in seconds.
    pub took_s: u64,
    /// The faults, for people.
    pub findings: Vec<String>,
    /// True if there are none.
    pub passed: bool,
}

impl ChaosReport {
    /// Judges.
    #[must_use]
    pub fn checked(mut self) -> Self {
        self.passed = self.lost + self.doubled + self.misattributed == 0
            && self.balanced
            && self.order_violations + self.events_missing + self.events_contradicting == 0
            && self.dead_letters + self.open == 0
            && self.findings.is_empty();
        self
    }

    /// Adds findings, the first of them word for word.
    pub fn find(&mut self, what: &str, found: &[String]) {
        self.findings.extend(found.iter().take(SHOWN).map(|one| format!("{what}: {one}")));
        if let Some(more @ 1..) = found.len().checked_sub(SHOWN) {
            self.findings.push(format!("{what}: and {more} more"));
        }
    }
}

impl fmt::Display for ChaosReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |ms: Option<i64>| ms.map_or("-".to_owned(), |ms| format!("{ms} ms"));
        let rows = [
            ("seed", self.seed.to_string()),
            ("transfers", self.transfers.to_string()),
            ("workers", self.workers.to_string()),
            ("killed with -9", self.kills.to_string()),
            ("lost", self.lost.to_string()),
            ("doubled", self.doubled.to_string()),
            ("misattributed", self.misattributed.to_string()),
            ("books and ledger", if self.balanced { "agree" } else { "DIFFER" }.to_owned()),
            ("order violated", self.order_violations.to_string()),
            ("events received", format!("{} ({} again)", self.events, self.events_repeated)),
            ("events missing", self.events_missing.to_string()),
            ("contradicting", self.events_contradicting.to_string()),
            ("dead letters", self.dead_letters.to_string()),
            ("open at the end", self.open.to_string()),
            ("settled after", format!("{} s", self.settled_after_s)),
            ("recovery", milliseconds(self.recovery_max_ms)),
            ("  of the last", milliseconds(self.recovery_of_all_max_ms)),
            ("took", format!("{} s", self.took_s)),
        ];
        for (name, value) in rows {
            writeln!(f, "{name:<18}{value:>16}")?;
        }
        for finding in &self.findings {
            writeln!(f, "  {finding}")?;
        }
        writeln!(f, "{}", if self.passed { "passed" } else { "FAILED" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_run_without_any_finding_passes() {
        let good = ChaosReport { balanced: true, ..ChaosReport::default() };
        assert!(good.clone().checked().passed);
        for bad in [
            ChaosReport { lost: 1, ..good.clone() },
            ChaosReport { order_violations: 1, ..good.clone() },
            ChaosReport { events_missing: 1, ..good.clone() },
            ChaosReport { dead_letters: 1, ..good.clone() },
            ChaosReport { open: 1, ..good.clone() },
            ChaosReport { balanced: false, ..good.clone() },
            ChaosReport { findings: vec!["a process ended".to_owned()], ..good },
        ] {
            assert!(!bad.checked().passed);
        }
    }
}
