//! `kiungo suspense`: money in suspense of a Kiungo that runs.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::client::{Client, Server, amount, moment, show_narrow_page, text};
use super::output::Output;
use super::{Failure, runtime};

/// List money that was received and has no account
#[derive(Debug, Args)]
pub(crate) struct SuspenseOptions {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    command: SuspenseCommand,
}

#[derive(Debug, Subcommand)]
enum SuspenseCommand {
    /// List suspended transfers, newest first; `transfer suggestions` finds accounts for one
    List {
        /// Of this provider
        #[arg(long)]
        provider: Option<String>,
        /// Rows at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
        /// Go on where a page ended
        #[arg(long)]
        cursor: Option<String>,
    },
}

pub(crate) fn run(options: &SuspenseOptions, output: Output) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    let SuspenseCommand::List { provider, limit, cursor } = &options.command;
    let limit = limit.to_string();
    let mut query = vec![("limit", limit.as_str())];
    query.extend(provider.as_deref().map(|provider| ("provider", provider)));
    query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
    let page = runtime()?.block_on(client.get(&["v1", "suspense"], &query))?;
    let headings = ["id, received", "amount, wallet", "typed, why"];
    show_narrow_page(&page, "transfers", (&headings, "typed, why"), row, output);
    Ok(())
}

/// Two lines, so that nothing of an id or an amount has to give way.
fn row(transfer: &Value) -> Vec<String> {
    let member = |object: &str, key: &str| {
        transfer.get(object).map(|object| text(object, key)).unwrap_or_default()
    };
    let cell = |first: String, second: String| format!("{first}\n{second}").trim().to_owned();
    vec![
        cell(text(transfer, "id"), moment(transfer, "received_at")),
        cell(amount(transfer), text(transfer, "msisdn")),
        cell(
            format!("`{}`", member("origin", "account_reference")),
            member("rejection", "message"),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_names_the_money_what_was_typed_and_why_it_waits() {
        let transfer = json!({
            "id": "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00", "amount": "12500.00", "currency": "TZS",
            "msisdn": "255****78", "received_at": "2026-11-21T08:33:20.000500Z",
            "origin": { "from": "wallet", "receipt": "QX1", "account_reference": "SV1 JOHN" },
            "rejection": { "code": "x", "message": "there is no such account" },
        });
        let expected = [
            "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00\n2026-11-21T08:33:20Z",
            "12500.00 TZS\n255****78",
            "`SV1 JOHN`\nthere is no such account",
        ];
        assert_eq!(row(&transfer), expected);
        let hidden = json!({ "id": "0193", "amount": "5.00", "currency": "TZS" });
        assert_eq!(row(&hidden), ["0193", "5.00 TZS", "``"]);
    }
}
