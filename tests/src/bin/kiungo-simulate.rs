//! `cargo xtask simulate`, as a program: see [`kiungo_tests::simulation`].

#![allow(clippy::print_stdout, reason = "it talks to the person who runs it")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser;
use kiungo_tests::simulation::{SimulateOptions, SimulateReport, Staff, simulate};
use serde::Serialize;

/// Lives days of the whole product under virtual time, with faults, losses and crashes drawn from
/// seeds, and audits each by the counterparties' books.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask simulate")]
struct Cli {
    /// The number of transfers in all.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    transfers: u64,
    /// The first seed; the others follow it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of transfers under each seed.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    per_seed: u32,
    /// The number of worlds at a time; as many as there are processors if left out.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// The number of workers that share the work; if left out, one process does it all.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: Option<u16>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// The object that `--json` prints.
#[derive(Debug, Serialize)]
struct Summary {
    seeds: u64,
    transfers: u64,
    lost: u64,
    doubled: u64,
    stuck: u64,
    misattributed: u64,
    first_failing_seed: Option<u64>,
}

/// The largest number of failing seeds that are reported beside the first.
const OTHERS_MAX: usize = 40;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let options = SimulateOptions {
        transfers: cli.transfers,
        per_seed: cli.per_seed,
        seed: cli.seed,
        threads: cli.threads.map_or_else(cores, usize::from),
        staff: cli.workers.map_or(Staff::Alone, |workers| Staff::Shared { workers }),
    };
    let live = std::io::stderr().is_terminal();
    let report = simulate(options, &|report| {
        if live {
            let (seeds, transfers) = (report.seeds, report.transfers);
            eprint!("\r{transfers} of {} transfers, {seeds} seeds ", options.transfers);
        }
    });
    if live {
        eprintln!();
    }
    if cli.json {
        println!("{}", serde_json::to_string(&Summary::of(&report)).unwrap_or_default());
    } else {
        print!("{}", table(&report, &options));
    }
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Summary {
    const fn of(report: &SimulateReport) -> Self {
        Self {
            seeds: report.seeds,
            transfers: report.transfers,
            lost: report.lost,
            doubled: report.doubled,
            stuck: report.stuck,
            misattributed: report.misattributed,
            first_failing_seed: report.first_failing_seed,
        }
    }
}

/// For people: the figures, and if something was found, what, and how to see it again.
fn table(report: &SimulateReport, options: &SimulateOptions) -> String {
    let mut text = String::new();
    let rows = [
        ("seeds", report.seeds),
        ("transfers", report.transfers),
        ("crashes", report.crashes),
        ("freezes", report.freezes),
        ("unknown outcomes", report.unknowns),
        ("decisions", report.decisions),
        ("lost", report.lost),
        ("doubled", report.doubled),
        ("stuck", report.stuck),
        ("misattributed", report.misattributed),
    ];
    for (name, value) in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<17}{value:>12}");
    }
    let Some(seed) = report.first_failing_seed else {
        let last = options.seed.wrapping_add(report.seeds.saturating_sub(1));
        let _ = writeln!(text, "\nnothing found with the seeds {} to {last}", options.seed);
        return text;
    };
    let _ = writeln!(text, "\nseed {seed} failed:");
    for finding in &report.findings {
        let _ = writeln!(text, "  {finding}");
    }
    let others = report.failures.iter().filter(|(other, _)| **other != seed);
    for (other, finding) in others.take(OTHERS_MAX) {
        let _ = writeln!(text, "seed {other} failed, too: {finding}");
    }
    let per_seed = options.per_seed;
    let workers = match options.staff {
        Staff::Alone => String::new(),
        Staff::Shared { workers } => format!(" --workers {workers}"),
    };
    let _ = writeln!(
        text,
        "see it again: cargo xtask simulate --seed {seed} --transfers {per_seed} --per-seed {per_seed}{workers}"
    );
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    const OPTIONS: SimulateOptions =
        SimulateOptions { transfers: 300, per_seed: 100, seed: 7, threads: 1, staff: Staff::Alone };

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn json_has_the_promised_keys_and_no_others() {
        let report = SimulateReport { seeds: 3, ..SimulateReport::default() };
        let json = serde_json::to_string(&Summary::of(&report)).unwrap();
        assert_eq!(
            json,
            r#"{"seeds":3,"transfers":0,"lost":0,"doubled":0,"stuck":0,"misattributed":0,"first_failing_seed":null}"#
        );
    }

    #[test]
    fn a_failure_says_how_to_see_it_again() {
        let clean = SimulateReport { seeds: 3, transfers: 300, ..SimulateReport::default() };
        assert!(table(&clean, &OPTIONS).ends_with("nothing found with the seeds 7 to 9\n"));
        let failed = SimulateReport {
            first_failing_seed: Some(8),
            lost: 1,
            findings: vec!["lost 125.50 TZS".to_owned()],
            ..clean
        };
        let text = table(&failed, &OPTIONS);
        assert!(text.contains("seed 8 failed:\n  lost 125.50 TZS\n"), "{text}");
        assert!(text.contains("--seed 8 --transfers 100 --per-seed 100"), "{text}");
    }
}
