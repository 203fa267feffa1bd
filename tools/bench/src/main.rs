//! `cargo xtask bench`, as a program: see [`kiungo_bench`].

#![allow(clippy::print_stdout, reason = "it talks to the person who runs it")]

use std::fmt::Display;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use kiungo_bench::{BenchError, BenchOptions, Part, SharedOptions};
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
        /// The number of transfers of each part.
        #[arg(long, default_value_t = BenchOptions::default().transfers)]
        transfers: u32,
        /// The number of transfers that are open at a time.
        #[arg(long, default_value_t = BenchOptions::default().in_flight)]
        in_flight: u32,
        /// Where several processes share the work: a `PostgreSQL` server, by an address of a database in
        /// which databases can be made.
        #[arg(long, requires = "queue", value_name = "postgres://…")]
        database: Option<String>,
        /// Where they meet: a `RabbitMQ` broker.
        #[arg(long, requires = "database", value_name = "amqp://…")]
        queue: Option<String>,
        /// The number of workers; each has --in-flight transfers open.
        #[arg(long, default_value_t = 2, requires = "queue")]
        workers: u32,
        /// The number of settled transfers that are stored already, for a measurement beside the
        /// one among 5,000.
        #[arg(long, default_value_t = 5_000, requires = "queue")]
        stored: u32,
        /// The transfers per second of the measurement at a constant rate: a load below the limit.
        #[arg(long, default_value_t = 200, requires = "queue", value_parser = clap::value_parser!(u32).range(1..=10_000))]
        pace: u32,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// The growth of the rate with the workers, where several processes share the work.
    Growth(Growth),
    /// Deposits over HTTP, ordered at the API and paid at the wallet, with 1, 8, 32 and 64 open.
    Deposits {
        /// The number of transfers of each measurement (a quarter with one open at a time).
        #[arg(long, default_value_t = 8_000)]
        transfers: u32,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// The memory that open transfers take.
    Memory {
        /// The number of transfers that are open at the end.
        #[arg(long, default_value_t = 100_000)]
        open: u32,
        /// Prints one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// A part of a measurement, in a process of its own.
    #[command(hide = true)]
    Part {
        /// The part.
        part: Part,
        /// The specification of the part, as JSON.
        input: String,
    },
}

#[derive(Debug, Args)]
struct Growth {
    /// The number of transfers of each step.
    #[arg(long, default_value_t = 10_000)]
    transfers: u32,
    /// The number of transfers that are open at a time, for each worker.
    #[arg(long, default_value_t = BenchOptions::default().in_flight)]
    in_flight: u32,
    /// A `PostgreSQL` server, by an address of a database in which databases can be made.
    #[arg(long, value_name = "postgres://…")]
    database: String,
    /// A `RabbitMQ` broker.
    #[arg(long, value_name = "amqp://…")]
    queue: String,
    /// The largest number of workers.
    #[arg(long, default_value_t = 4)]
    workers: u32,
    /// The milliseconds that each counterparty takes to answer.
    #[arg(long, default_value_t = 200, value_name = "MS")]
    answer_after: u64,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Transfers {
            transfers,
            in_flight,
            database,
            queue,
            workers,
            stored,
            pace,
            json,
        } => {
            let bench = BenchOptions { transfers, in_flight };
            match database.zip(queue) {
                None => kiungo_bench::measure(bench, say).map(|report| print(&report, json)),
                Some((database, queue)) => {
                    let options = SharedOptions {
                        bench,
                        database,
                        queue,
                        workers,
                        stored,
                        answer_after_ms: 0,
                    };
                    kiungo_bench::measure_shared(&options, pace, say)
                        .map(|report| print(&report, json))
                }
            }
        }
        Command::Growth(growth) => {
            let Growth { transfers, in_flight, database, queue, workers, answer_after, json } =
                growth;
            let options = SharedOptions {
                bench: BenchOptions { transfers, in_flight },
                database,
                queue,
                workers,
                stored: 0,
                answer_after_ms: answer_after,
            };
            kiungo_bench::measure_growth(&options, say).map(|report| print(&report, json))
        }
        Command::Deposits { transfers, json } => {
            kiungo_bench::measure_deposits(transfers, say).map(|report| print(&report, json))
        }
        Command::Memory { open, json } => {
            let options = BenchOptions { transfers: open, ..BenchOptions::default() };
            kiungo_bench::measure_open(options, say).map(|report| print(&report, json))
        }
        Command::Part { part, input } => kiungo_bench::run_part(part, &input),
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
