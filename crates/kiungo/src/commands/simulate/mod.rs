//! `kiungo simulate`: the other side, to develop and try against.
//!
//! * `all`: all three, for the Kiungo of a sandbox

mod all;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand};
use kiungo_sandbox::SIMULATORS;
use kiungo_simulator::clock::Clock;
use kiungo_simulator::delivery::HttpDelivery;
use kiungo_simulator::family::{Family, Names, Ready, Source, Surroundings};
use kiungo_simulator::faults::{Faults, Plan};
use kiungo_simulator::serve::{serve, serve_tls};
use kiungo_simulator::tls::Tls;
use serde_json::json;
use tokio::net::TcpListener;

use crate::failure::Failure;
use crate::logging;
use crate::runtime;
use crate::terminal::output::Output;

/// The largest options file, in bytes.
const OPTIONS_BYTES_MAX: u64 = 1024 * 1024;

/// Run a simulated counterparty on this machine, to develop and try against
///
/// Serves until Ctrl-C, on loopback addresses only, and forgets everything then. Its books: GET
/// /_sim/books. Its faults, by operation and probability: PUT /_sim/faults.
#[derive(Debug, Args)]
pub(crate) struct SimulateOptions {
    #[command(subcommand)]
    simulator: Which,
}

/// The simulators that can be run: all of a sandbox, or one of the list.
#[derive(Debug)]
enum Which {
    All(all::AllOptions),
    One(&'static dyn Family, Common),
}

/// The word of the command that runs all of a sandbox.
const ALL: &str = "all";

impl Which {
    fn of(word: &str, matches: &ArgMatches) -> Result<Self, clap::Error> {
        if word == ALL {
            return all::AllOptions::from_arg_matches(matches).map(Self::All);
        }
        let found = SIMULATORS.iter().find(|entry| entry.family.names().word == word);
        let unknown = || clap::Error::new(clap::error::ErrorKind::InvalidSubcommand);
        let entry = found.ok_or_else(unknown)?;
        Ok(Self::One(entry.family, Common::from_arg_matches(matches)?))
    }
}

impl FromArgMatches for Which {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let missing = || clap::Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (word, matches) = matches.subcommand().ok_or_else(missing)?;
        Self::of(word, matches)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for Which {
    fn augment_subcommands(command: Command) -> Command {
        let command = command.subcommand(all::AllOptions::augment_args(Command::new(ALL)));
        SIMULATORS.iter().fold(command, |command, entry| {
            let names = entry.family.names();
            let one = Common::augment_args(Command::new(names.word)).about(names.about);
            command.subcommand(match names.after_help {
                Some(text) => one.after_help(text),
                None => one,
            })
        })
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(word: &str) -> bool {
        word == ALL || SIMULATORS.iter().any(|entry| entry.family.names().word == word)
    }
}

#[derive(Debug, Args)]
struct Common {
    /// Where to serve; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))]
    listen: SocketAddr,
    /// The simulator's options (TOML), as in crates/simulator-*
    #[arg(long, value_name = "FILE")]
    options: Option<PathBuf>,
    /// The seed of the faults, once they are switched on: the same seed draws the same faults
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

/// The surroundings of a simulator of the program. Nothing goes wrong until faults are switched on.
pub(super) fn surroundings(seed: u64) -> Surroundings {
    let faults = Faults::new(Plan::none(seed));
    Surroundings { clock: Clock::System, delivery: Arc::new(HttpDelivery::default()), faults }
}

pub(crate) fn run(options: &SimulateOptions, output: Output) -> Result<(), Failure> {
    logging::start_quietly();
    match &options.simulator {
        Which::All(options) => all::run(options, output),
        Which::One(family, common) => {
            stays_here(common.listen, "--listen")?;
            let simulator = build(*family, common)?;
            runtime::build()?.block_on(present(family.names(), common.listen, simulator, output))
        }
    }
}

/// Refuses an address that others reach.
fn stays_here(listen: SocketAddr, place: &str) -> Result<(), Failure> {
    if listen.ip().is_loopback() {
        return Ok(());
    }
    let why = format!("{listen} is not a loopback address: simulators stay on this machine");
    Err(Failure::Usage(format!("{place}: {why}")))
}

/// The listener at an address; `remedy` says what to do if it is taken.
async fn bind(listen: SocketAddr, remedy: &str) -> Result<TcpListener, Failure> {
    let failed = |error: std::io::Error| {
        Failure::failed(format!("cannot listen on {listen}: {error}; {remedy}"))
    };
    TcpListener::bind(listen).await.map_err(failed)
}

async fn present(
    names: Names,
    listen: SocketAddr,
    simulator: Ready,
    output: Output,
) -> Result<(), Failure> {
    let remedy = "stop what listens there, or take another address (--listen)";
    let listener = bind(listen, remedy).await?;
    let scheme = if simulator.tls.is_some() { "https" } else { "http" };
    let address = listener.local_addr().map_err(|error| Failure::failed(error.to_string()))?;
    let url = format!("{scheme}://{address}");
    let path = &simulator.path;
    let mut text = vec![format!("{} is simulated at {url}{path}", names.subject)];
    text.push("Try:".to_owned());
    text.extend(simulator.try_this.iter().map(|line| format!("  {}", line.replace("URL", &url))));
    text.push("Ctrl-C ends it.".to_owned());
    let json = json!({ "url": url, "api": format!("{url}{path}"), "facts": simulator.facts });
    output.line(&text.join("\n"), &json);
    until_interrupted(put_up(listener, simulator.router, simulator.tls)).await
}

/// Serves until the process ends.
async fn put_up(
    listener: TcpListener,
    router: axum::Router,
    tls: Option<Tls>,
) -> std::io::Result<()> {
    match tls {
        Some(tls) => serve_tls(listener, router, tls).await,
        None => serve(listener, router).await,
    }
}

/// Serves until Ctrl-C.
async fn until_interrupted(
    served: impl Future<Output = std::io::Result<()>>,
) -> Result<(), Failure> {
    tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => Ok(()),
        served = served => served.map_err(|error| Failure::failed(error.to_string())),
    }
}

/// The simulator by the options of its file, or by the defaults.
fn build(family: &dyn Family, common: &Common) -> Result<Ready, Failure> {
    let file = common.options.as_deref();
    let text = file.map(read).transpose()?;
    let name = file.map(|file| file.display().to_string()).unwrap_or_default();
    let source =
        text.as_deref().map_or(Source::Defaults, |text| Source::File { name: &name, text });
    let built = family.build(source, surroundings(common.seed));
    built.map_err(|unfit| Failure::Usage(format!("--options: {unfit}")))
}

/// The text of a file of options.
fn read(file: &Path) -> Result<String, Failure> {
    let length = std::fs::metadata(file).map_err(|error| unusable(file, &error.to_string()))?.len();
    if length > OPTIONS_BYTES_MAX {
        return Err(unusable(file, &format!("is longer than {OPTIONS_BYTES_MAX} bytes")));
    }
    std::fs::read_to_string(file).map_err(|error| unusable(file, &error.to_string()))
}

fn unusable(file: &Path, why: &str) -> Failure {
    Failure::Usage(format!("--options: {}: {why}", file.display()))
}
