//! `kiungo suspense`: money in suspense of a Kiungo that runs.
//!
//! * `suggestions`: accounts that the payer may have meant
//! * `assign`: giving the money its account

pub(super) mod assign;
pub(super) mod suggestions;

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::answer::{amount, moment, show_page, stacked, text};
use super::client::{Client, Server};
use crate::failure::Failure;
use crate::runtime;
use crate::terminal::output::Output;
use assign::{AssignOptions, assign};
use suggestions::suggest;

/// List money that was received and has no account, find its account, and give it there
#[derive(Debug, Args)]
pub(crate) struct SuspenseOptions {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    command: SuspenseCommand,
}

#[derive(Debug, Subcommand)]
enum SuspenseCommand {
    /// List suspended transfers, newest first
    List {
        /// Only payments of this provider
        #[arg(long)]
        provider: Option<String>,
        /// Rows at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
        /// Go on where a page ended
        #[arg(long)]
        cursor: Option<String>,
    },
    /// Show accounts that the payer may have meant, and what speaks for each
    Suggestions {
        /// The transfer's id
        id: String,
    },
    Assign(AssignOptions),
}

pub(crate) fn run(options: &SuspenseOptions, output: Output) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    runtime::build()?.block_on(async {
        match &options.command {
            SuspenseCommand::List { provider, limit, cursor } => {
                let limit = limit.to_string();
                let mut query = vec![("limit", limit.as_str())];
                query.extend(provider.as_deref().map(|provider| ("provider", provider)));
                query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
                let page = client.get(&["v1", "suspense"], &query).await?;
                let headings = ["id, received", "amount, wallet", "typed, why"];
                let zone = output.zone();
                let row = |transfer: &Value| row(transfer, &zone);
                show_page(&page, "transfers", (&headings, &["typed, why"]), row, output);
                Ok(())
            }
            SuspenseCommand::Suggestions { id } => suggest(&client, id, output).await,
            SuspenseCommand::Assign(options) => assign(&client, options, output).await,
        }
    })
}

/// Two lines, so that nothing of an id or an amount has to give way.
fn row(transfer: &Value, zone: &TimeZone) -> Vec<String> {
    let member = |object: &str, key: &str| {
        transfer.get(object).map(|object| text(object, key)).unwrap_or_default()
    };
    let typed = format!("`{}`", member("origin", "account_reference"));
    vec![
        stacked(&text(transfer, "id"), &moment(transfer, "received_at", zone)),
        stacked(&amount(transfer), &text(transfer, "msisdn")),
        stacked(&typed, &member("rejection", "message")),
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
            "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00\n2026-11-21 08:33:20 +00:00",
            "12500.00 TZS\n255****78",
            "`SV1 JOHN`\nthere is no such account",
        ];
        let row = |transfer: &Value| row(transfer, &TimeZone::UTC);
        assert_eq!(row(&transfer), expected);
        let hidden = json!({ "id": "0193", "amount": "5.00", "currency": "TZS" });
        assert_eq!(row(&hidden), ["0193", "5.00 TZS", "``"]);
    }
}
