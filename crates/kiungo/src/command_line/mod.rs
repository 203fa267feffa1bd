//! The command line: every command with its options, and the exit code of the program.
//!
//! * `mistyped`: what is proposed to somebody who has mistyped a command

#![allow(clippy::doc_markdown, reason = "the help shows these texts as they stand")]

mod mistyped;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::commands::{
    action, archive, arrival, case, completions, config, core_request, demo, doctor, init, man,
    mapping, migrate, provider, queue, serve, simulate, suspense, transfer, version,
};
use crate::failure::Failure;
use crate::terminal::output::{Output, written};

/// Kiungo moves customers' money between a core banking system and mobile money, and can prove where
/// every shilling is.
#[derive(Debug, Parser)]
#[command(name = "kiungo", version, propagate_version = true, max_term_width = 100)]
struct CommandLine {
    /// Answer with JSON on standard output instead of text and tables
    #[arg(long, global = true)]
    json: bool,
    /// Show times in UTC instead of the zone of this machine
    #[arg(long, global = true)]
    utc: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::InitOptions),
    Demo(demo::DemoOptions),
    Serve(serve::ServeOptions),
    Worker(serve::WorkerOptions),
    Transfer(Box<transfer::TransferOptions>),
    Case(case::CaseOptions),
    Suspense(suspense::SuspenseOptions),
    CoreRequest(core_request::CoreRequestOptions),
    Provider(Box<provider::ProviderOptions>),
    Arrival(arrival::ArrivalOptions),
    Action(action::ActionOptions),
    Simulate(simulate::SimulateOptions),
    Config(config::ConfigOptions),
    Mapping(mapping::MappingOptions),
    Doctor(doctor::DoctorOptions),
    Migrate(migrate::MigrateOptions),
    Archive(archive::ArchiveOptions),
    Queue(queue::QueueOptions),
    Completions(completions::CompletionsOptions),
    Man(man::ManOptions),
    /// Print the version
    Version,
}

/// The whole program: reads the arguments, runs the command, and gives its exit code: 0 for success,
/// 1 for failure, 2 for arguments or a configuration that cannot be used.
pub fn run() -> ExitCode {
    let command_line: CommandLine = match mistyped::read(std::env::args_os()) {
        Ok(command_line) => command_line,
        // Help and version too: 0 for them, 2 for what cannot be used.
        Err(error) => error.exit(),
    };
    let output = Output::new(command_line.json, command_line.utc);
    match dispatch(command_line.command, output).and_then(|()| written()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            failure.exit_code()
        }
    }
}

fn dispatch(command: Command, output: Output) -> Result<(), Failure> {
    match command {
        Command::Init(options) => init::run(&options, output),
        Command::Demo(options) => demo::run(&options, output),
        Command::Serve(options) => serve::run(&options, output),
        Command::Worker(options) => serve::work(&options, output),
        Command::Transfer(options) => transfer::run(&options, output),
        Command::Case(options) => case::run(&options, output),
        Command::Suspense(options) => suspense::run(&options, output),
        Command::CoreRequest(options) => core_request::run(&options, output),
        Command::Provider(options) => provider::run(&options, output),
        Command::Arrival(options) => arrival::run(&options, output),
        Command::Action(options) => action::run(&options, output),
        Command::Simulate(options) => simulate::run(&options, output),
        Command::Config(options) => config::run(&options, output),
        Command::Mapping(options) => mapping::run(&options, output),
        Command::Doctor(options) => doctor::run(&options, output),
        Command::Migrate(options) => migrate::run(&options, output),
        Command::Archive(options) => archive::run(&options, output),
        Command::Queue(options) => queue::run(&options, output),
        Command::Completions(options) => {
            completions::run(&options, CommandLine::command(), output);
            Ok(())
        }
        Command::Man(options) => man::run(&options, CommandLine::command(), output),
        Command::Version => {
            version::run(output);
            Ok(())
        }
    }
}
