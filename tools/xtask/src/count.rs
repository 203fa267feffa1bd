//! Counts the tests that ran: a run in which none did proves nothing.

use anyhow::{Result, ensure};

use crate::tool::Tool;

/// The counts that the test programs printed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Count {
    programs: u64,
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Count {
    /// Adds a line such as `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        self.programs += 1;
        let Some((_, numbers)) = result.split_once(". ") else { return };
        for part in numbers.split(';') {
            let mut words = part.split_whitespace();
            let number = words.next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
            match words.next() {
                Some("passed") => self.passed += number,
                Some("failed") => self.failed += number,
                Some("ignored") => self.ignored += number,
                _ => {}
            }
        }
    }
}

/// Runs the tests and says how many there were.
pub(crate) fn run_tests(tool: Tool) -> Result<String> {
    let mut count = Count::default();
    let ran = tool.run_watched(|line| count.add(line));
    let Count { programs, passed, failed, ignored } = count;
    let summary = format!(
        "{passed} tests passed, {failed} failed, {ignored} ignored, in {programs} test programs"
    );
    println!("\n{summary}");
    ran?;
    ensure!(passed > 0, "no test ran");
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_added_up() {
        let mut count = Count::default();
        for line in [
            "running 3 tests",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s",
            "test a::b ... ok",
        ] {
            count.add(line);
        }
        assert_eq!(count, Count { programs: 2, passed: 15, failed: 2, ignored: 1 });
    }
}
