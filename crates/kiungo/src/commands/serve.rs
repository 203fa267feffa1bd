//! `kiungo serve`.

use std::net::SocketAddr;

use clap::Args;

use super::config_file::ConfigFile;
use crate::failure::Failure;
use crate::logging;
use crate::runtime;
use crate::serve::{Listen, ProcessRole};
use crate::terminal::output::Output;

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
    let role = if options.with_worker { ProcessRole::Both } else { ProcessRole::Serve };
    runtime::build()?.block_on(crate::serve::run(config, role, Listen::Api(passed), output))
}

pub(crate) fn work(options: &WorkerOptions, output: Output) -> Result<(), Failure> {
    let config = options.config.load()?;
    logging::start(&config.log);
    let listen = Listen::Watch(options.listen);
    runtime::build()?.block_on(crate::serve::run(config, ProcessRole::Work, listen, output))
}
