//! Running groups one after the other.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::group::Group;

const RULE: &str =
    "================================================================================";

/// Runs the groups until one fails, and prints a summary. Returns true if all passed.
pub(crate) fn all(groups: &[Group], root: &Path) -> bool {
    let began = Instant::now();
    let mut lines = Vec::new();
    let mut passed = true;
    for (index, group) in groups.iter().enumerate() {
        if !passed {
            lines.push(line("not run", *group, None, ""));
            continue;
        }
        println!(
            "\n{RULE}\n{}/{} {}: {}\n{RULE}",
            index + 1,
            groups.len(),
            group.name(),
            group.subject()
        );
        let group_began = Instant::now();
        match group.run(root) {
            Ok(summary) => {
                lines.push(line("passed", *group, Some(group_began.elapsed()), &summary));
            }
            Err(error) => {
                println!("\n{} failed: {error:#}", group.name());
                lines.push(line(
                    "FAILED",
                    *group,
                    Some(group_began.elapsed()),
                    &format!("{error:#}"),
                ));
                passed = false;
            }
        }
    }
    println!("\n{RULE}\nsummary\n{RULE}");
    for line in lines {
        println!("{line}");
    }
    let verdict = if passed { "all passed" } else { "FAILED" };
    println!("\n{verdict} after {}", seconds(began.elapsed()));
    passed
}

fn line(state: &str, group: Group, elapsed: Option<Duration>, summary: &str) -> String {
    let elapsed = elapsed.map(seconds).unwrap_or_default();
    let summary = summary.lines().next().unwrap_or_default();
    format!("{state:<8} {:<7} {elapsed:>8}  {summary}", group.name()).trim_end().to_owned()
}

fn seconds(elapsed: Duration) -> String {
    format!("{}.{} s", elapsed.as_secs(), elapsed.subsec_millis() / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_state_name_time_and_the_first_line_of_the_summary() {
        let elapsed = Duration::from_millis(61_250);
        assert_eq!(
            line("passed", Group::Test, Some(elapsed), "12 tests\nmore"),
            "passed   test      61.2 s  12 tests"
        );
        assert_eq!(line("not run", Group::Deny, None, ""), "not run  deny");
    }
}
