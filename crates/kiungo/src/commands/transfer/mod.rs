//! `kiungo transfer`: over the API of a Kiungo that runs.
//!
//! * `ask`: asking for an action about a transfer
//! * `create`: a new transfer, and waiting for its end
//! * `show`: what a transfer is, what happened, what it waits for
//! * `history`: its events in sentences
//! * `choices`: what a person can do, as commands
//! * `words`: the words of the API in plain words

pub(super) mod ask;
mod choices;
mod create;
mod history;
mod show;
#[cfg(test)]
mod tests;
mod words;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::answer::{amount, moment, show_page, stacked, text};
use super::client::{Client, Server, with};
use super::suspense::assign::{AssignOptions, assign};
use super::suspense::suggestions::suggest;
use crate::failure::Failure;
use crate::runtime;
use crate::terminal::output::Output;
use crate::terminal::when;
use ask::asked;

/// Create, show and list transfers, ask about them, decide about them, give them back
#[derive(Debug, Args)]
pub(crate) struct TransferOptions {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    command: TransferCommand,
}

#[derive(Debug, Subcommand)]
enum TransferCommand {
    Create(create::CreateOptions),
    /// Show what a transfer is, what happened, what it waits for and what you can do
    Show {
        /// Its id, or a reference as the provider or the core shows it
        id: String,
        /// Show every event instead, attempts and questions included
        #[arg(long)]
        events: bool,
    },
    List(ListOptions),
    /// Show accounts that the payer of suspended money may have meant, and what speaks for each
    Suggestions {
        /// The transfer's id
        id: String,
    },
    /// Ask the other side again, now; it moves nothing
    Inquire {
        /// Its id, or a reference as the provider or the core shows it
        id: String,
    },
    Decide(DecideOptions),
    Assign(AssignOptions),
    /// Give a whole completed or suspended transfer back
    Reverse {
        /// Its id
        id: String,
        /// The version of the transfer that you saw: if it has changed since, nothing is done
        #[arg(long, value_name = "VERSION")]
        seen: Option<u64>,
        /// Why, for the journal
        #[arg(long)]
        reason: String,
    },
}

/// Decide about a transfer that cannot come to an end by itself; `transfer show` lists its choices
#[derive(Debug, Args)]
struct DecideOptions {
    /// Its id
    id: String,
    /// The decision
    #[arg(value_parser = ["try_again", "give_up", "accept_executed", "accept_not_executed", "close_case"])]
    decision: String,
    /// The step that it is about: first, second, undo_second, undo_first
    #[arg(long)]
    step: Option<String>,
    /// The other side's receipt, for accept_executed
    #[arg(long)]
    receipt: Option<String>,
    /// The kind of case, for close_case
    #[arg(long)]
    case: Option<String>,
    /// The version of the transfer that you saw: if it has changed since, nothing is done
    #[arg(long, value_name = "VERSION")]
    seen: Option<u64>,
    /// Why, for the journal
    #[arg(long)]
    reason: String,
}

/// List transfers, newest first
#[derive(Debug, Args)]
struct ListOptions {
    /// Only transfers with these statuses, separated by commas:
    /// received,in_progress,needs_attention,…
    #[arg(long)]
    status: Option<String>,
    /// Only transfers of this kind: deposit, repayment, withdrawal, disbursement
    #[arg(long)]
    kind: Option<String>,
    /// Only transfers of this provider
    #[arg(long)]
    provider: Option<String>,
    /// Only transfers of this wallet
    #[arg(long)]
    msisdn: Option<String>,
    /// With this receipt, of the provider or the core
    #[arg(long)]
    receipt: Option<String>,
    /// With your own id
    #[arg(long)]
    client_reference: Option<String>,
    /// Only transfers of this account: its number or id in the core, or what the payer typed
    #[arg(long)]
    account: Option<String>,
    /// Only transfers of this gross amount
    #[arg(long, requires = "currency")]
    amount: Option<String>,
    /// The currency of the amount
    #[arg(long, requires = "amount")]
    currency: Option<String>,
    /// Received at this moment or later: 2026-11-21T00:00:00Z, or 2026-11-21 in the zone of this machine
    #[arg(long)]
    from: Option<String>,
    /// Received before this moment
    #[arg(long)]
    to: Option<String>,
    /// Rows at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Go on where a page ended
    #[arg(long)]
    cursor: Option<String>,
}

pub(crate) fn run(options: &TransferOptions, output: Output) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    runtime::build()?.block_on(async {
        match &options.command {
            TransferCommand::Create(create) => create::run(&client, create, output).await,
            TransferCommand::Show { id, events } => show::run(&client, id, *events, output).await,
            TransferCommand::List(list) => show_list(&client, list, output).await,
            TransferCommand::Suggestions { id } => suggest(&client, id, output).await,
            TransferCommand::Inquire { id } => {
                let path = ["v1", "transfers", id, "inquiries"];
                asked(&client, &path, &json!({}), output).await
            }
            TransferCommand::Reverse { id, seen, reason } => {
                let body = with(json!({ "reason": reason }), "version", *seen);
                asked(&client, &["v1", "transfers", id, "reversals"], &body, output).await
            }
            TransferCommand::Decide(options) => decide(&client, options, output).await,
            TransferCommand::Assign(options) => assign(&client, options, output).await,
        }
    })
}

async fn decide(client: &Client, options: &DecideOptions, output: Output) -> Result<(), Failure> {
    let body = json!({ "decision": options.decision, "reason": options.reason });
    let body = with(body, "step", options.step.as_deref());
    let body = with(body, "receipt", options.receipt.as_deref());
    let body = with(body, "case", options.case.as_deref());
    let body = with(body, "version", options.seen);
    asked(client, &["v1", "transfers", &options.id, "decisions"], &body, output).await
}

async fn show_list(client: &Client, list: &ListOptions, output: Output) -> Result<(), Failure> {
    let limit = list.limit.to_string();
    let zone = output.zone();
    let [from, to] = [&list.from, &list.to]
        .map(|moment| moment.as_deref().map(|moment| when::given(moment, &zone)));
    let given = [
        ("status", &list.status),
        ("kind", &list.kind),
        ("provider", &list.provider),
        ("msisdn", &list.msisdn),
        ("receipt", &list.receipt),
        ("account", &list.account),
        ("amount", &list.amount),
        ("currency", &list.currency),
        ("client_reference", &list.client_reference),
        ("from", &from),
        ("to", &to),
        ("cursor", &list.cursor),
    ];
    let mut query: Vec<(&str, &str)> =
        given.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
    query.push(("limit", &limit));
    let page = client.get(&["v1", "transfers"], &query).await?;
    let row = |transfer: &Value| {
        let [id, kind, provider, wallet, status] =
            ["id", "kind", "provider", "msisdn", "status"].map(|key| text(transfer, key));
        vec![
            stacked(&id, &moment(transfer, "received_at", &zone)),
            stacked(&kind, &status),
            stacked(&amount(transfer), &wallet),
            provider,
        ]
    };
    let headings = ["id, received", "kind, status", "amount, wallet", "provider"];
    show_page(&page, "transfers", (&headings, &[]), row, output);
    Ok(())
}
