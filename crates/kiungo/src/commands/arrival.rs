//! `kiungo arrival`: the callbacks of providers that are kept for a person.

use clap::{Args, Subcommand};
use serde_json::json;

use super::client::{Client, Server, show, show_action};
use super::output::Output;
use super::{Failure, runtime};

/// Show, handle again or dismiss something that arrived from a provider and is kept for a person
#[derive(Debug, Args)]
pub(crate) struct ArrivalOptions {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    command: ArrivalCommand,
}

#[derive(Debug, Subcommand)]
enum ArrivalCommand {
    /// Show it whole, with secrets hidden
    Show {
        /// Its number, as a case names it
        id: u64,
    },
    /// Handle it again, after a mapping was mended for example
    Retry(JudgedArrival),
    /// Put it away
    Dismiss(JudgedArrival),
}

#[derive(Debug, Args)]
struct JudgedArrival {
    /// Its number, as a case names it
    id: u64,
    /// Why
    #[arg(long)]
    reason: String,
}

pub(crate) fn run(options: &ArrivalOptions, output: Output) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    runtime()?.block_on(async {
        let (arrival, verb) = match &options.command {
            ArrivalCommand::Show { id } => {
                let answer = client.get(&["v1", "arrivals", &id.to_string()], &[]).await?;
                show("arrival", &answer, output);
                return Ok(());
            }
            ArrivalCommand::Retry(arrival) => (arrival, "retries"),
            ArrivalCommand::Dismiss(arrival) => (arrival, "dismissals"),
        };
        let path = ["v1", "arrivals", &arrival.id.to_string(), verb];
        let answer = client.post(&path, &[], &json!({ "reason": arrival.reason })).await?;
        show_action(&answer, output);
        Ok(())
    })
}
