//! `kiungo transfer`: over the API of a Kiungo that runs.
//!
//! * `client`: talking to it
//! * `create`: a new transfer, and waiting for its end
//! * `suggestions`: accounts for suspended money

mod client;
mod create;
mod suggestions;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::output::Output;
use super::{Failure, runtime};
use client::{Client, Server};

/// Create, show, list and reverse transfers of a Kiungo that runs
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
    /// Show a transfer
    Show {
        /// Its id, or a reference as the provider or the core shows it
        id: String,
        /// Show the whole story, attempts and evidence included
        #[arg(long)]
        events: bool,
    },
    List(ListOptions),
    /// Show accounts that the payer of suspended money may have meant, and what speaks for each
    Suggestions {
        /// The transfer's id
        id: String,
    },
    /// Give a whole completed or suspended transfer back
    Reverse {
        /// Its id
        id: String,
        /// Why, for the journal
        #[arg(long)]
        reason: String,
    },
}

/// List transfers, newest first
#[derive(Debug, Args)]
struct ListOptions {
    /// Of these statuses, separated by commas: received,in_progress,needs_attention,…
    #[arg(long)]
    status: Option<String>,
    /// Of this kind: deposit, repayment, withdrawal, disbursement
    #[arg(long)]
    kind: Option<String>,
    /// Of this provider
    #[arg(long)]
    provider: Option<String>,
    /// Of this wallet
    #[arg(long)]
    msisdn: Option<String>,
    /// With this receipt, of the provider or the core
    #[arg(long)]
    receipt: Option<String>,
    /// With your own id
    #[arg(long)]
    client_reference: Option<String>,
    /// Received at this moment or later (2026-11-21T00:00:00Z)
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
    runtime()?.block_on(async {
        match &options.command {
            TransferCommand::Create(create) => create::run(&client, create, output).await,
            TransferCommand::Show { id, events } => show(&client, id, *events, output).await,
            TransferCommand::List(list) => show_list(&client, list, output).await,
            TransferCommand::Suggestions { id } => suggestions::run(&client, id, output).await,
            TransferCommand::Reverse { id, reason } => {
                let path = ["v1", "transfers", id, "reversals"];
                let transfer = client.post(&path, &[], &json!({ "reason": reason })).await?;
                show_transfer(&transfer, output);
                Ok(())
            }
        }
    })
}

async fn show(client: &Client, id: &str, events: bool, output: Output) -> Result<(), Failure> {
    if !events {
        show_transfer(&client.get(&["v1", "transfers", id], &[]).await?, output);
        return Ok(());
    }
    let story = client.get(&["v1", "transfers", id, "events"], &[]).await?;
    let rows = story.get("events").and_then(Value::as_array).into_iter().flatten();
    let rows = rows.map(|event| {
        let head = ["seq", "at", "event", "type"].map(|key| text(event, key));
        let known = ["seq", "at", "event", "type"];
        let rest = event.as_object().into_iter().flatten();
        let rest = rest.filter(|(key, _)| !known.contains(&key.as_str()));
        let rest: Vec<String> =
            rest.map(|(key, value)| format!("{key}: {}", plain(value))).collect();
        let [number, at, event, kind] = head;
        vec![number, at, event + &kind, rest.join("\n")]
    });
    output.table(&["no.", "at", "event", "what"], rows.collect(), &story);
    Ok(())
}

async fn show_list(client: &Client, list: &ListOptions, output: Output) -> Result<(), Failure> {
    let limit = list.limit.to_string();
    let given = [
        ("status", &list.status),
        ("kind", &list.kind),
        ("provider", &list.provider),
        ("msisdn", &list.msisdn),
        ("receipt", &list.receipt),
        ("client_reference", &list.client_reference),
        ("from", &list.from),
        ("to", &list.to),
        ("cursor", &list.cursor),
    ];
    let mut query: Vec<(&str, &str)> =
        given.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
    query.push(("limit", &limit));
    let page = client.get(&["v1", "transfers"], &query).await?;
    let rows = page.get("transfers").and_then(Value::as_array).into_iter().flatten();
    let rows = rows.map(|transfer| {
        let amount = format!("{} {}", text(transfer, "amount"), text(transfer, "currency"));
        let mut row = ["id", "received_at", "kind", "provider", "msisdn", "status"]
            .map(|key| text(transfer, key))
            .to_vec();
        row.insert(5, amount);
        row
    });
    let headings = ["id", "received", "kind", "provider", "wallet", "amount", "status"];
    output.table(&headings, rows.collect(), &page);
    if let Some(next) = page.get("next").and_then(Value::as_str)
        && !output.is_json()
    {
        output.line(&format!("there are more: --cursor {next}"), &Value::Null);
    }
    Ok(())
}

/// A transfer, member by member.
fn show_transfer(transfer: &Value, output: Output) {
    let rows = transfer.as_object().into_iter().flatten();
    let rows = rows.map(|(key, value)| vec![key.replace('_', " "), plain(value)]);
    output.table(&["transfer", ""], rows.collect(), transfer);
}

/// A member as text; empty if there is none.
fn text(value: &Value, key: &str) -> String {
    value.get(key).map(plain).unwrap_or_default()
}

/// A value in words: members one after the other, never JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join("\n"),
        Value::Object(members) => {
            let stated = members.iter().filter(|(_, value)| !value.is_null());
            let words =
                stated.map(|(key, value)| format!("{}: {}", key.replace('_', " "), plain(value)));
            words.collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_with_members_is_shown_in_words() {
        let account = json!({ "type": "savings", "account_no": "000000001", "external_id": null });
        assert_eq!(plain(&account), "account no: 000000001, type: savings");
        let origin = json!({ "origin": "wallet", "references": ["LN 1", 2] });
        assert_eq!(plain(&origin), "origin: wallet, references: LN 1\n2");
        assert_eq!(plain(&Value::Null), "");
    }
}
