//! `kiungo core-request`: what cores ask a Kiungo that runs to pay out.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::answer::{amount, show, show_page, text};
use super::client::{Client, Server, with};
use crate::failure::Failure;
use crate::runtime;
use crate::terminal::output::Output;

/// List, show, approve and decline what cores ask to be paid out
#[derive(Debug, Args)]
pub(crate) struct CoreRequestOptions {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    command: CoreRequestCommand,
}

#[derive(Debug, Subcommand)]
enum CoreRequestCommand {
    /// List those that wait for a person, the latest reported one first
    List {
        /// List all, paid and declined ones included
        #[arg(long)]
        all: bool,
        /// Only requests of this core
        #[arg(long)]
        core: Option<String>,
        /// Rows at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
        /// Go on where a page ended
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Show one with everything that is known of it
    Show {
        /// The core
        core: String,
        /// The request's name, for example loan-123
        request: String,
    },
    /// Have one paid: it becomes a transfer
    Approve {
        /// The core
        core: String,
        /// The request's name, for example loan-123
        request: String,
        /// The version of the request that you saw: if it has changed since, nothing is paid
        #[arg(long, value_name = "VERSION")]
        seen: u64,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Decide that one is not paid
    Decline {
        /// The core
        core: String,
        /// The request's name, for example loan-123
        request: String,
        /// The version of the request that you saw: if it has changed since, nothing is done
        #[arg(long, value_name = "VERSION")]
        seen: Option<u64>,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

pub(crate) fn run(options: &CoreRequestOptions, output: Output) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    runtime::build()?.block_on(async {
        match &options.command {
            CoreRequestCommand::List { all, core, limit, cursor } => {
                let limit = limit.to_string();
                let state = if *all { "all" } else { "waiting" };
                let mut query = vec![("state", state), ("limit", limit.as_str())];
                query.extend(core.as_deref().map(|core| ("core", core)));
                query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
                let page = client.get(&["v1", "core-requests"], &query).await?;
                let headings = ["core", "request", "version", "state", "amount", "wallet", "why"];
                show_page(&page, "requests", (&headings, &["why"]), row, output);
            }
            CoreRequestCommand::Show { core, request } => {
                let answer = client.get(&["v1", "core-requests", core, request], &[]).await?;
                show("request", &answer, output);
            }
            CoreRequestCommand::Approve { core, request, seen, reason } => {
                let path = ["v1", "core-requests", core, request, "approvals"];
                let body = json!({ "version": seen, "reason": reason });
                show("request", &client.post(&path, &[], &body).await?, output);
            }
            CoreRequestCommand::Decline { core, request, seen, reason } => {
                let path = ["v1", "core-requests", core, request, "declines"];
                let body = with(json!({ "reason": reason }), "version", *seen);
                show("request", &client.post(&path, &[], &body).await?, output);
            }
        }
        Ok(())
    })
}

fn row(request: &Value) -> Vec<String> {
    let mut row = ["core", "request", "version", "state", "msisdn", "detail"]
        .map(|key| text(request, key))
        .to_vec();
    row.insert(4, amount(request));
    row
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_names_the_request_as_an_approval_does() {
        let request = json!({
            "core": "main", "request": "loan-123", "version": 3, "state": "asks",
            "amount": "125.50", "currency": "TZS", "detail": "no phone number",
        });
        let expected = ["main", "loan-123", "3", "asks", "125.50 TZS", "", "no phone number"];
        assert_eq!(row(&request), expected);
    }
}
