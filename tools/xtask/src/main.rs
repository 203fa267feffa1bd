#![allow(clippy::print_stdout, reason = "these commands talk to the person who runs them")]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
//! The project's own commands.
//!
//! * `cargo xtask test`: everything that must pass before a change goes in, group by group
//! * `cargo xtask tidy`: the house rules that linters do not know
//! * `cargo xtask simulate`: the simulated world, for as long as one likes
//! * `cargo xtask bench`: measures the speed of Kiungo
//! * `cargo xtask figures`: the sizes, circles and speeds that the project watches
//! * `cargo xtask chaos`: many processes, while all that they stand on is killed, cut off and frozen
//! * `cargo xtask fuzz`: fuzzes the readers of others' bytes
//! * `cargo xtask package`: the Debian package
//!
//! It depends on no crate of ours but `test-servers`, so that it starts at once and works while they do not
//! compile; `simulate`, `bench` and `chaos` are programs of the workspace, which it builds and runs: the
//! first two with optimisation.
//!
//! * `group`: the groups of `test`
//! * `run`: running them one after the other, with headings, times and a summary
//! * `deny`: licences, bans, sources and advisories of the dependencies
//! * `documents`: the published descriptions, in the tools that others read them with
//! * `fuzz`: the fuzz targets, one after the other
//! * `install`: programs of others that these need
//! * `package`: the Debian package, and the rules that must hold of it; `program`: the files that
//!   it is made of
//! * `count`: the number of tests that ran
//! * [`tidy`]: the house rules

mod count;
mod deny;
mod documents;
mod figures;
mod fuzz;
mod group;
mod install;
mod package;
mod program;
mod run;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kiungo_test_servers::tool::Program;
use kiungo_test_servers::{debian, tool};

use group::Group;

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs everything that must pass before a change goes in; stops at the first group that fails.
    Test {
        /// Runs this group alone.
        #[arg(long, value_name = "NAME")]
        only: Option<Group>,
    },
    /// Checks the house rules that linters do not know: `test --only tidy`.
    Tidy,
    /// Runs the simulated world: `--transfers N --seed S --json`.
    #[command(disable_help_flag = true)]
    Simulate(Passed),
    /// Measures how fast Kiungo is: `transfers --json`, `memory --json`.
    #[command(disable_help_flag = true)]
    Bench(Passed),
    /// Prints the figures that the project watches: of the sources and, if asked, of the program.
    Figures {
        /// Builds the program with optimisation, and measures its size and its speed.
        #[arg(long)]
        speed: bool,
    },
    /// Kills, freezes and cuts off what many processes stand on, while they move money, and audits it:
    /// `--seed S --seeds N --json`.
    #[command(disable_help_flag = true)]
    Chaos(Passed),
    /// Fuzzes what reads the bytes of others. Needs a nightly compiler and a C++ compiler.
    Fuzz {
        /// The target; all of them, one after the other, if none is named.
        target: Option<String>,
        /// For how long each runs, in seconds.
        #[arg(long, value_name = "N", default_value_t = 60)]
        seconds: u64,
    },
    /// Builds the Debian package, below `target/debian`.
    Package {
        /// From the program that the tests use: quick to make, slow to run, large.
        #[arg(long)]
        debug: bool,
    },
}

/// Arguments that another program understands.
#[derive(Debug, clap::Args)]
struct Passed {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<String>,
}

const SIMULATE: Program =
    Program { package: "kiungo-tests", name: "kiungo-simulate", profile: "release" };
const BENCH: Program =
    Program { package: "kiungo-bench", name: "kiungo-bench", profile: "release" };
/// Built as for the tests: with its assertions, and without minutes of optimisation.
const CHAOS: Program = Program { package: "kiungo-tests", name: "kiungo-chaos", profile: "dev" };

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let Some(root) = root() else {
        eprintln!("xtask: neither this folder nor one above it holds a workspace's Cargo.toml");
        return ExitCode::FAILURE;
    };
    let passed = match command {
        Command::Test { only: None } => run::all(Group::ALL, &root),
        Command::Test { only: Some(group) } => run::all(&[group], &root),
        Command::Tidy => run::all(&[Group::Tidy], &root),
        Command::Simulate(passed) => tool::hand_over(&root, SIMULATE, &passed.arguments),
        Command::Bench(passed) => tool::hand_over(&root, BENCH, &passed.arguments),
        Command::Figures { speed } => figures::run(&root, speed),
        Command::Chaos(passed) => tool::hand_over(&root, CHAOS, &passed.arguments),
        Command::Fuzz { target, seconds } => fuzz::run(&root, target.as_deref(), seconds),
        Command::Package { debug } => package::run(&root, debug),
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The workspace's folder: that of the current folder. A built xtask works where it is called, and
/// never on the work tree from which its target folder was copied. `None` outside of a workspace.
fn root() -> Option<PathBuf> {
    workspace_of(&std::env::current_dir().ok()?)
}

/// The nearest folder from this one upward whose manifest is a workspace's.
fn workspace_of(folder: &Path) -> Option<PathBuf> {
    let is_workspace = |folder: &&Path| {
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml"));
        manifest.is_ok_and(|text| text.lines().any(|line| line.trim() == "[workspace]"))
    };
    folder.ancestors().find(is_workspace).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_group_can_be_asked_for_by_its_name() {
        for group in Group::ALL {
            let cli = Cli::try_parse_from(["xtask", "test", "--only", group.name()]).unwrap();
            assert!(matches!(cli.command, Command::Test { only: Some(only) } if only == *group));
        }
    }

    #[test]
    fn the_options_of_other_programs_are_handed_over() {
        let lines = ["simulate --help", "simulate --seed 7 --json", "bench transfers --json"];
        for line in lines.into_iter().chain(["chaos --seed 7"]) {
            let words: Vec<_> = line.split(' ').collect();
            let cli = Cli::try_parse_from([&["xtask"], &words[..]].concat()).unwrap();
            let (Command::Simulate(passed) | Command::Bench(passed) | Command::Chaos(passed)) =
                cli.command
            else {
                panic!("{line}")
            };
            assert_eq!(passed.arguments, words[1..]);
        }
    }

    /// These programs were once built without their package, and not found.
    #[test]
    fn the_programs_that_are_handed_over_to_are_in_their_packages() {
        let metadata = std::process::Command::new(env!("CARGO"))
            .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
            .current_dir(root().unwrap())
            .output()
            .unwrap();
        let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
        let has = |program: &Program| {
            let packages = metadata["packages"].as_array().unwrap().iter();
            let mut packages = packages.filter(|package| package["name"] == program.package);
            packages.any(|package| {
                let mut targets = package["targets"].as_array().unwrap().iter();
                targets.any(|target| target["name"] == program.name && target["kind"][0] == "bin")
            })
        };
        for program in [SIMULATE, BENCH, CHAOS] {
            assert!(has(&program), "{program:?}");
        }
    }

    #[test]
    fn the_root_is_the_workspace_of_the_current_folder() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(root().unwrap(), own.ancestors().nth(2).unwrap());
        let copy = std::env::temp_dir().join(format!("kiungo-xtask-root-{}", std::process::id()));
        let member = copy.join("tools/member");
        std::fs::create_dir_all(&member).unwrap();
        std::fs::write(member.join("Cargo.toml"), "[package]\nname = \"member\"\n").unwrap();
        assert_ne!(workspace_of(&member), Some(copy.clone()));
        std::fs::write(copy.join("Cargo.toml"), "[workspace]\nmembers = []\n").unwrap();
        assert_eq!(workspace_of(&member), Some(copy.clone()));
        std::fs::remove_dir_all(&copy).unwrap();
    }
}
