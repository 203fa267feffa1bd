//! `kiungo provider`: the providers of a Kiungo that runs.

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use kiungo_domain::transfer::Operation;
use kiungo_engine::HELD_OPERATIONS;
use serde_json::{Map, Value, json};

use super::answer::{members, moment, show, show_action, show_page, text};
use super::client::{Client, Server};
use crate::failure::Failure;
use crate::runtime;
use crate::terminal::output::Output;

/// List providers, read balances and holders, hold and release operations, bring in payments by receipt
#[derive(Debug, Args)]
pub(crate) struct ProviderOptions {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    command: ProviderCommand,
}

#[derive(Debug, Subcommand)]
enum ProviderCommand {
    /// List the providers, how they are doing, and what is held
    List,
    /// Ask the provider for the balance of the float, now
    Balance {
        /// The provider
        provider: String,
    },
    /// Ask the provider for the name of a wallet's holder, now
    Holder {
        /// The provider
        provider: String,
        /// The wallet, in international form or in that of the provider's market
        msisdn: String,
    },
    /// Hold an operation: transfers that need it wait
    Hold(OperationOptions),
    /// Release an operation, whatever holds it
    Release(OperationOptions),
    Claim(ClaimOptions),
}

#[derive(Debug, Args)]
struct OperationOptions {
    /// The provider
    provider: String,
    /// The operation
    #[arg(value_parser = HELD_OPERATIONS.map(Operation::as_str))]
    operation: String,
    /// Why
    #[arg(long)]
    reason: String,
}

/// Bring in a payment that no notification reported: the provider is asked, then it is booked or
/// suspended
#[derive(Debug, Args)]
struct ClaimOptions {
    /// The provider
    provider: String,
    /// The provider's receipt
    receipt: String,
    /// The gross amount, for example 12500.00
    #[arg(long)]
    amount: String,
    /// Its currency, for example TZS
    #[arg(long)]
    currency: String,
    /// The payer's wallet, where it is known
    #[arg(long)]
    msisdn: Option<String>,
    /// The account as the payer typed it, where it is known
    #[arg(long)]
    account_reference: Option<String>,
    /// Why
    #[arg(long)]
    reason: String,
}

pub(crate) fn run(options: &ProviderOptions, output: Output) -> Result<(), Failure> {
    let client = Client::new(&options.server)?;
    runtime::build()?.block_on(async {
        let (provider, verb, body) = match &options.command {
            ProviderCommand::List => {
                let page = client.get(&["v1", "providers"], &[]).await?;
                let headings = ["provider", "core", "currency", "breaker", "in flight", "held"];
                let zone = output.zone();
                let row = |provider: &Value| row(provider, &zone);
                show_page(&page, "providers", (&headings, &["held"]), row, output);
                return Ok(());
            }
            ProviderCommand::Balance { provider } => {
                let answer = client.get(&["v1", "providers", provider, "balance"], &[]).await?;
                show("balance", &answer, output);
                return Ok(());
            }
            ProviderCommand::Holder { provider, msisdn } => {
                let (path, query) =
                    (["v1", "providers", provider, "holder"], [("msisdn", &**msisdn)]);
                show("holder", &client.get(&path, &query).await?, output);
                return Ok(());
            }
            ProviderCommand::Hold(hold) => (&hold.provider, "holds", operation(hold)),
            ProviderCommand::Release(release) => {
                (&release.provider, "releases", operation(release))
            }
            ProviderCommand::Claim(claim) => (&claim.provider, "claims", payment(claim)),
        };
        let answer = client.post(&["v1", "providers", provider, verb], &[], &body).await?;
        show_action(&answer, output);
        Ok(())
    })
}

fn operation(options: &OperationOptions) -> Value {
    json!({ "operation": options.operation, "reason": options.reason })
}

fn payment(claim: &ClaimOptions) -> Value {
    let given = [
        ("receipt", Some(&claim.receipt)),
        ("amount", Some(&claim.amount)),
        ("currency", Some(&claim.currency)),
        ("msisdn", claim.msisdn.as_ref()),
        ("account_reference", claim.account_reference.as_ref()),
        ("reason", Some(&claim.reason)),
    ];
    let given =
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?))));
    Value::Object(given.collect::<Map<_, _>>())
}

fn row(provider: &Value, zone: &TimeZone) -> Vec<String> {
    let mut row =
        ["id", "core", "currency", "breaker", "in_flight"].map(|key| text(provider, key)).to_vec();
    let holds = members(provider, "holds").map(|hold| {
        let [operation, condition, detail] =
            ["operation", "condition", "detail"].map(|key| text(hold, key));
        let by = match text(hold, "held_by") {
            by if by.is_empty() => by,
            by => format!(" by {by}"),
        };
        format!("{operation}: {condition}{by} since {}: {detail}", moment(hold, "since", zone))
    });
    row.push(holds.collect::<Vec<_>>().join("\n"));
    row
}
