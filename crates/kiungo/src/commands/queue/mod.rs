//! `kiungo queue`: the exchanges and queues of the broker, and the dead letters there.
//!
//! * `dead`: the dead letters

mod dead;

use clap::{Args, Subcommand};
use kiungo_queue_rabbit::{RabbitOptions, RabbitQueue, Topology};
use serde_json::json;

use crate::commands::config_file::ConfigFile;
use crate::config::Config;
use crate::failure::Failure;
use crate::logging;
use crate::runtime;
use crate::terminal::output::Output;

/// Look at the broker, and deal with what was given up there
#[derive(Debug, Args)]
pub(crate) struct QueueOptions {
    #[command(subcommand)]
    command: QueueCommand,
}

#[derive(Debug, Subcommand)]
enum QueueCommand {
    Topology(TopologyOptions),
    /// Print the description of commands and events (AsyncAPI 3)
    Asyncapi,
    Dead(dead::DeadOptions),
}

/// Print which exchanges, queues and bindings there are
///
/// They are declared whenever Kiungo connects. Where it may not do that, because its user has no such
/// permission, declare them once in the name of a user who may, or from this list.
#[derive(Debug, Args)]
struct TopologyOptions {
    #[command(flatten)]
    config: ConfigFile,
    /// Declare them; what is there already and as it should be stays
    #[arg(long)]
    declare: bool,
}

pub(crate) fn run(options: &QueueOptions, output: Output) -> Result<(), Failure> {
    logging::start_quietly();
    match &options.command {
        QueueCommand::Topology(options) => topology(options, output),
        QueueCommand::Asyncapi => asyncapi(output),
        QueueCommand::Dead(options) => dead::run(options, output),
    }
}

fn topology(options: &TopologyOptions, output: Output) -> Result<(), Failure> {
    let config = options.config.load()?;
    let rabbit = config.queue.rabbit()?;
    let topology = Topology::new(&rabbit);
    if options.declare {
        let broker = rabbit.shown();
        runtime::build()?.block_on(async {
            open(&config, rabbit).await?.close().await;
            Ok::<_, Failure>(())
        })?;
        let (exchanges, queues) = (topology.exchanges.len(), topology.queues.len());
        let text = format!("{broker}: exchanges {exchanges}, queues {queues}: all declared");
        output.line(&text, &json!({ "broker": broker, "declared": true, "topology": topology }));
        return Ok(());
    }
    let rows = topology.rows().into_iter().map(Vec::from).collect();
    output.table(&["what", "name", "how"], rows, &json!(topology));
    Ok(())
}

fn asyncapi(output: Output) -> Result<(), Failure> {
    let text = kiungo_messaging::asyncapi_json();
    let json = serde_json::from_str(&text).map_err(|error| Failure::failed(error.to_string()))?;
    output.line(text.trim_end(), &json);
    Ok(())
}

/// Connects; a failure names the setting.
async fn open(config: &Config, options: RabbitOptions) -> Result<RabbitQueue, Failure> {
    RabbitQueue::open(options).await.map_err(|error| config.queue.failure(&error))
}
