//! `cargo xtask chaos`, as a program: see [`kiungo_tests::chaos`].
//!
//! Started again with [`ACT`] in its environment it is `kiungo` itself, of the same build.

#![allow(clippy::print_stdout, reason = "it talks to the person who runs it")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use kiungo_tests::chaos::{self, ACT, ChaosOptions, ChaosReport};
use tokio::signal::unix::{SignalKind, signal};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Moves money with many processes, while workers are killed and frozen, database and broker restart,
/// and links are cut; then audits it by the counterparties' books, and compares the events with the
/// journals.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask chaos")]
struct Cli {
    /// The seed of all that is drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The number of seeds, from that one on, one after the other, even if one fails.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    seeds: u64,
    /// The number of transfers under each seed.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(8..=100_000))]
    transfers: u64,
    /// The number of workers.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=16))]
    workers: u64,
    /// For how long transfers begin and faults happen, in seconds.
    #[arg(long, default_value_t = 75, hide = true, value_parser = clap::value_parser!(u64).range(10..=3_600))]
    length: u64,
    /// For how long a worker is frozen, in seconds.
    #[arg(long, default_value_t = 60, hide = true, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    freeze: u64,
    /// For how long what is open may take once nothing goes wrong any more, in seconds.
    #[arg(long, default_value_t = 180, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    settle: u64,
    /// Keeps the logs also when nothing is found.
    #[arg(long)]
    keep: bool,
    /// Prints one JSON object for each seed.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    if std::env::var_os(ACT).is_some() {
        return kiungo::run();
    }
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    match runtime.block_on(run(&cli)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => fail(&format!("{error:#}")),
    }
}

/// Returns true if all seeds passed.
async fn run(cli: &Cli) -> anyhow::Result<bool> {
    let program = std::env::current_exe()?;
    let mut passed = true;
    let mut failed = Vec::new();
    for seed in (cli.seed..).take(usize::try_from(cli.seeds)?) {
        let options = ChaosOptions {
            seed,
            transfers: usize::try_from(cli.transfers)?,
            workers: usize::try_from(cli.workers)?,
            length: Duration::from_secs(cli.length),
            freeze: Duration::from_secs(cli.freeze),
            program: PathBuf::clone(&program),
            keep: cli.keep,
            settle: Duration::from_secs(cli.settle),
        };
        let mut terminate = signal(SignalKind::terminate())?;
        let report = tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted"),
            _ = terminate.recv() => anyhow::bail!("terminated"),
            report = chaos::run(&options) => report?,
        };
        print(&report, cli.json);
        if !report.passed {
            failed.push(seed.to_string());
        }
        passed &= report.passed;
    }
    if cli.seeds > 1 {
        let which = failed.join(", ");
        eprintln!(
            "{} of {} seeds passed; failed: [{which}]",
            cli.seeds - failed.len() as u64,
            cli.seeds
        );
    }
    Ok(passed)
}

fn print(report: &ChaosReport, json: bool) {
    if json {
        println!("{}", serde_json::to_string(report).unwrap_or_default());
    } else {
        println!("{report}");
    }
}

fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
