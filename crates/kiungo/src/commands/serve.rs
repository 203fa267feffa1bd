//! `kiungo serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use tokio::runtime::{Builder, Runtime};

use super::output::{Output, note};
use super::{Config, Failure};
use crate::config::Sources;
use crate::logging;
use crate::serve::{Duty, Reached};

/// Where the configuration is.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigFile {
    /// The configuration file; see config/default.toml for every key. The environment goes before it:
    /// KIUNGO__SERVER__PORT=9000
    #[arg(long, value_name = "FILE", env = "KIUNGO_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

impl ConfigFile {
    /// Reads the configuration and says what ought to be changed in it.
    pub(crate) fn load(&self) -> Result<Config, Failure> {
        let config = Config::load(&Sources::of_process(self.config.clone())?)?;
        for warning in &config.warnings {
            note(&format!("warning: {warning}"));
        }
        Ok(config)
    }
}

/// Serve the API and the callbacks, and move money
///
/// Where the work is shared (queue.url), workers move it: kiungo worker, or --with-worker.
/// Checks the whole configuration first and names file and key of what is wrong (exit code 2). Prints
/// one line when it is ready. SIGTERM and SIGINT stop it gracefully within server.shutdown_grace: no
/// new work is taken, and what is in flight is finished, or parked and asked about at the next start.
#[derive(Debug, Args)]
pub(crate) struct ServeOptions {
    #[command(flatten)]
    config: ConfigFile,
    /// Where the queue is a broker: do the work in this process too, and not only in workers
    #[arg(long)]
    with_worker: bool,
}

/// Do the work that is shared: move money, as one of any number of workers
///
/// Needs a RabbitMQ queue and a PostgreSQL database (queue.url, database.url); with the embedded queue,
/// `kiungo serve` does the work. Stops as `kiungo serve` does; what is in flight goes to other workers.
#[derive(Debug, Args)]
pub(crate) struct WorkerOptions {
    #[command(flatten)]
    config: ConfigFile,
    /// Where health and metrics are shown, for example 127.0.0.1:9091; nowhere if left out
    #[arg(long, value_name = "ADDRESS", env = "KIUNGO_WORKER_LISTEN")]
    listen: Option<SocketAddr>,
}

pub(crate) fn run(options: &ServeOptions, output: Output) -> Result<(), Failure> {
    let config = options.config.load()?;
    let passed = crate::serve::passed_socket()?;
    logging::start(&config.log);
    let duty = if options.with_worker { Duty::Both } else { Duty::Serve };
    runtime()?.block_on(crate::serve::run(config, duty, Reached::Api(passed), output))
}

pub(crate) fn work(options: &WorkerOptions, output: Output) -> Result<(), Failure> {
    let config = options.config.load()?;
    logging::start(&config.log);
    let reached = Reached::Watch(options.listen);
    runtime()?.block_on(crate::serve::run(config, Duty::Work, reached, output))
}

/// As many workers as there are cores.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let build = Builder::new_multi_thread().enable_all().thread_name("kiungo").build();
    build.map_err(|error| Failure::failed(format!("no threads can be started: {error}")))
}
