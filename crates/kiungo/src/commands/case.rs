//! `kiungo case`: open cases of a Kiungo that runs.

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::answer::{amount, members, moment, show_page, text};
use super::client::{Client, Server};
use crate::failure::Failure;
use crate::runtime;
use crate::terminal::output::Output;

/// List what waits for a person, with the actions that are possible
#[derive(Debug, Args)]
pub(crate) struct CaseOptions {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    command: CaseCommand,
}

#[derive(Debug, Subcommand)]
enum CaseCommand {
    /// List open cases, newest first
    List {
        /// Rows at most
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
        /// Go on where a page ended
        #[arg(long)]
        cursor: Option<String>,
    },
}

pub(crate) fn run(options: &CaseOptions, output: Output) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    let CaseCommand::List { limit, cursor } = &options.command;
    let limit = limit.to_string();
    let mut query = vec![("limit", limit.as_str())];
    query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
    let page = runtime::build()?.block_on(client.get(&["v1", "cases"], &query))?;
    let headings =
        ["about", "case", "step", "amount", "wallet", "look for", "since", "evidence", "possible"];
    let zone = output.zone();
    let row = |case: &Value| row(case, &zone);
    show_page(&page, "cases", (&headings, &["evidence"]), row, output);
    Ok(())
}

fn row(case: &Value, zone: &TimeZone) -> Vec<String> {
    let about = if case.get("transfer").is_some() {
        text(case, "transfer")
    } else if case.get("inbox").is_some() {
        format!("arrival {}", text(case, "inbox"))
    } else {
        format!("{} {}", text(case, "provider"), text(case, "operation"))
    };
    let look_for = ["reference", "wallet_receipt", "core_receipt"].map(|key| text(case, key));
    let look_for: Vec<_> = look_for.into_iter().filter(|text| !text.is_empty()).collect();
    let choices = members(case, "choices").map(|choice| {
        let words = [text(choice, "action"), text(choice, "step")];
        words.join(" ").trim().to_owned()
    });
    vec![
        about,
        text(case, "kind"),
        text(case, "step"),
        amount(case),
        text(case, "msisdn"),
        look_for.join("\n"),
        moment(case, "opened_at", zone),
        text(case, "detail"),
        choices.collect::<Vec<_>>().join("\n"),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_says_what_it_is_about_and_what_can_be_done() {
        let of_transfer = json!({
            "kind": "unknown_too_long", "transfer": "0193", "step": "second", "amount": "5.00",
            "currency": "TZS", "opened_at": "2026-11-21T08:33:20.000500Z", "msisdn": "255****78", "wallet_receipt": "R1", "detail": "no answer",
            "choices": [{ "action": "try_again" }, { "action": "accept_executed", "step": "second" }],
        });
        let expected = [
            "0193",
            "unknown_too_long",
            "second",
            "5.00 TZS",
            "255****78",
            "R1",
            "2026-11-21 08:33:20 +00:00",
            "no answer",
            "try_again\naccept_executed second",
        ];
        let row = |case: &Value| row(case, &TimeZone::UTC);
        assert_eq!(row(&of_transfer), expected);
        let held = json!({ "kind": "operation_held", "provider": "p", "operation": "pay_out" });
        assert_eq!(row(&held)[0], "p pay_out");
        assert_eq!(row(&json!({ "kind": "quarantined", "inbox": 7 }))[0], "arrival 7");
    }
}
