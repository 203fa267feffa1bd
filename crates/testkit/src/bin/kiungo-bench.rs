//! `cargo xtask bench`, as a program: see [`kiungo_testkit::bench`].

#![allow(clippy::print_stdout, reason = "it talks to the person who runs it")]

use std::fmt::Display;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kiungo_testkit::bench::{self, BenchError, BenchOptions, Part};
use serde::Serialize;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures how fast Kiungo is, against the built-in simulators.
#[derive(Debug, Parser)]
#[command(name = "kiungo-bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Transfers from end to end, beside the floor: the same calls and rows, and nothing else.
    Transfers {
        /// How many transfers each part makes.
        #[arg(long, default_value_t = BenchOptions::default().transfers)]
        transfers: u32,
        /// How many of them are open at a time.
        #[arg(long, default_value_t = BenchOptions::default().in_flight)]
        in_flight: u32,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// The memory that open transfers take.
    Memory {
        /// How many transfers are open in the end.
        #[arg(long, default_value_t = 100_000)]
        open: u32,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// A part of a measurement, in a process of its own.
    #[command(hide = true)]
    Part {
        /// Which.
        part: Part,
        /// What it is to do, as JSON.
        input: String,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Transfers { transfers, in_flight, json } => {
            bench::measure(BenchOptions { transfers, in_flight }, say).map(|r| print(&r, json))
        }
        Command::Memory { open, json } => {
            let options = BenchOptions { transfers: open, ..BenchOptions::default() };
            bench::measure_open(options, say).map(|report| print(&report, json))
        }
        Command::Part { part, input } => bench::run_part(part, &input),
    };
    done.map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS)
}

fn say(what: &str) {
    eprintln!("{what} …");
}

fn print<T: Display + Serialize>(report: &T, json: bool) {
    if json {
        println!("{}", serde_json::to_string(report).unwrap_or_default());
    } else {
        println!("{report}");
    }
}

fn fail(error: &BenchError) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}
