//! `kiungo suspense assign`.

use clap::Args;
use serde_json::json;

use crate::commands::account::Account;
use crate::commands::client::{Client, with};
use crate::commands::transfer::ask::asked;
use crate::failure::Failure;
use crate::terminal::output::Output;

/// Give suspended money its account
#[derive(Debug, Args)]
pub(crate) struct AssignOptions {
    /// The transfer's id
    id: String,
    /// The kind of account: savings or loan
    #[arg(long = "type", value_name = "TYPE", value_parser = ["savings", "loan"])]
    kind: String,
    #[command(flatten)]
    account: Account,
    /// The version of the transfer that you saw: if it has changed since, nothing is done
    #[arg(long, value_name = "VERSION")]
    seen: Option<u64>,
    /// Why
    #[arg(long)]
    reason: String,
}

pub(crate) async fn assign(
    client: &Client,
    options: &AssignOptions,
    output: Output,
) -> Result<(), Failure> {
    let account = options.account.body(&options.kind);
    let body = json!({ "account": account, "reason": options.reason });
    let body = with(body, "version", options.seen);
    asked(client, &["v1", "suspense", &options.id, "assignments"], &body, output).await
}
