//! `kiungo action`: actions of persons, and the approvals of a second person.

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::answer::{amount, moment, show_action, show_page, text};
use super::client::{Client, Server};
use crate::failure::Failure;
use crate::runtime;
use crate::terminal::output::Output;

/// List, approve and decline actions of persons
#[derive(Debug, Args)]
pub(crate) struct ActionOptions {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    command: ActionCommand,
}

#[derive(Debug, Subcommand)]
enum ActionCommand {
    /// List those that wait for a second person, the one asked for last first
    List {
        /// List all, done and declined ones included
        #[arg(long)]
        all: bool,
        /// Rows at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
        /// Go on where a page ended
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Show everything that an action would do
    Show {
        /// Its id
        id: String,
    },
    /// Approve it, as the second person
    Approve {
        /// Its id
        id: String,
        /// The version of the transfer that you saw (`transfer version` of `action show`); required where
        /// the action is about a transfer
        #[arg(long, value_name = "VERSION")]
        seen: Option<u64>,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Decline it
    Decline {
        /// Its id
        id: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

pub(crate) fn run(options: &ActionOptions, output: Output) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    runtime::build()?.block_on(async {
        let answer = match &options.command {
            ActionCommand::List { all, limit, cursor } => {
                let limit = limit.to_string();
                let state = if *all { "all" } else { "open" };
                let mut query = vec![("state", state), ("limit", limit.as_str())];
                query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
                let page = client.get(&["v1", "actions"], &query).await?;
                let headings = ["id", "action", "to", "with", "state", "by", "at", "why"];
                let zone = output.zone();
                let row = |action: &Value| row(action, &zone);
                show_page(&page, "actions", (&headings, &["to", "with", "why"]), row, output);
                return Ok(());
            }
            ActionCommand::Show { id } => client.get(&["v1", "actions", id], &[]).await?,
            ActionCommand::Approve { id, seen, reason } => {
                let mut body = json!({ "reason": reason });
                if let Some(seen) = seen {
                    body["version"] = json!(seen);
                }
                client.post(&["v1", "actions", id, "approvals"], &[], &body).await?
            }
            ActionCommand::Decline { id, reason } => {
                let body = json!({ "reason": reason });
                client.post(&["v1", "actions", id, "declines"], &[], &body).await?
            }
        };
        show_action(&answer, output);
        Ok(())
    })
}

fn row(action: &Value, zone: &TimeZone) -> Vec<String> {
    let [id, what, subject, state, by, reason] =
        ["id", "action", "subject", "state", "by", "reason"].map(|key| text(action, key));
    let [step, receipt, case, account, typed] =
        ["step", "receipt", "case", "account", "account_reference"].map(|key| text(action, key));
    let details = [step, receipt, case, account, amount(action), typed];
    let details: Vec<String> = details.into_iter().filter(|it| !it.is_empty()).collect();
    vec![id, what, subject, details.join(" "), state, by, moment(action, "at", zone), reason]
}
