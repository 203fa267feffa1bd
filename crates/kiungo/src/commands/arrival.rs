//! `kiungo arrival`: the callbacks of providers that are kept for a person.

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::answer::{moment, show, show_action, show_page, text};
use super::client::{Client, Server};
use crate::failure::Failure;
use crate::runtime;
use crate::terminal::output::Output;

/// List, show, handle again or dismiss something that arrived from a provider and is kept for a person
#[derive(Debug, Args)]
pub(crate) struct ArrivalOptions {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    command: ArrivalCommand,
}

#[derive(Debug, Subcommand)]
enum ArrivalCommand {
    /// List what waits for a person, newest first
    List {
        /// Go on where a list ended
        #[arg(long)]
        cursor: Option<String>,
    },
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
    runtime::build()?.block_on(async {
        let (arrival, verb) = match &options.command {
            ArrivalCommand::List { cursor } => {
                let page = listed(&client, cursor.clone()).await?;
                let headings = ["arrival", "provider", "case", "since", "evidence"];
                let zone = output.zone();
                let row = |case: &Value| row(case, &zone);
                show_page(&page, "arrivals", (&headings, &["evidence"]), row, output);
                return Ok(());
            }
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

/// Pages of cases read for one list: those of transfers stand among them.
const PAGES_MAX: u32 = 20;

/// The cases that are about arrivals.
async fn listed(client: &Client, mut cursor: Option<String>) -> Result<Value, Failure> {
    let mut arrivals = Vec::new();
    for _ in 0..PAGES_MAX {
        let mut query = vec![("limit", "500")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page = client.get(&["v1", "cases"], &query).await?;
        arrivals.extend(of_arrivals(&page));
        cursor = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    let mut page = json!({ "arrivals": arrivals });
    if let Some(next) = cursor {
        page["next"] = json!(next);
    }
    Ok(page)
}

fn of_arrivals(page: &Value) -> Vec<Value> {
    let cases = page.get("cases").and_then(Value::as_array).into_iter().flatten();
    cases.filter(|case| case.get("inbox").is_some()).cloned().collect()
}

fn row(case: &Value, zone: &TimeZone) -> Vec<String> {
    let [number, provider, kind, detail] =
        ["inbox", "provider", "kind", "detail"].map(|key| text(case, key));
    vec![number, provider, kind, moment(case, "opened_at", zone), detail]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_of_arrivals_are_listed_and_no_others() {
        let arrival = json!({
            "inbox": 17, "kind": "quarantined", "provider": "mpesa-tz", "detail": "no JSON",
            "opened_at": "2026-11-21T08:33:20.000500Z",
        });
        let transfer = json!({ "transfer": "0193", "kind": "mismatch", "provider": "mpesa-tz" });
        let page = json!({ "cases": [transfer, arrival] });
        let rows: Vec<_> =
            of_arrivals(&page).iter().map(|case| row(case, &TimeZone::UTC)).collect();
        let time = "2026-11-21 08:33:20 +00:00";
        let expected = ["17", "mpesa-tz", "quarantined", time, "no JSON"];
        assert_eq!(rows, [expected]);
    }
}
