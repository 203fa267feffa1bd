//! `kiungo transfer create`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use kiungo_domain::transfer::Status;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::commands::account::Account;
use crate::commands::answer::text;
use crate::commands::client::Client;
use crate::failure::Failure;
use crate::terminal::output::{Output, note};

use super::show::show_transfer;

const POLL: Duration = Duration::from_millis(500);

/// Create a transfer
///
/// To repeat it after a lost answer, give the same --idempotency-key: it is never carried out twice.
#[derive(Debug, Args)]
pub(super) struct CreateOptions {
    /// The kind of transfer
    kind: KindWord,
    /// The provider, as configured
    #[arg(long)]
    provider: String,
    /// The customer's wallet, in international form or in that of the provider's market: 0712345678
    #[arg(long)]
    msisdn: String,
    // Savings for deposits and withdrawals, a loan for repayments and disbursements.
    #[command(flatten)]
    account: Account,
    /// The gross amount: 125.50
    #[arg(long)]
    amount: String,
    /// ISO 4217: TZS
    #[arg(long)]
    currency: String,
    /// The core, as configured; the provider's own if left out
    #[arg(long)]
    core: Option<String>,
    /// Your own id for it
    #[arg(long)]
    client_reference: Option<String>,
    /// A text for people
    #[arg(long)]
    note: Option<String>,
    /// Your own key for this order; a new one is made, and printed, if left out
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Wait until it is final, this many seconds at most
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "120")]
    wait: Option<u64>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KindWord {
    /// From the wallet into a savings account
    Deposit,
    /// From the wallet towards a loan
    Repayment,
    /// From a savings account to the wallet
    Withdrawal,
    /// A loan paid out to the wallet
    Disbursement,
}

impl KindWord {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Deposit => ("deposit", "savings"),
            Self::Repayment => ("repayment", "loan"),
            Self::Withdrawal => ("withdrawal", "savings"),
            Self::Disbursement => ("disbursement", "loan"),
        }
    }
}

impl CreateOptions {
    fn body(&self) -> Value {
        let (kind, account_type) = self.kind.words();
        let account = self.account.body(account_type);
        let mut body = json!({
            "kind": kind, "provider": self.provider, "msisdn": self.msisdn, "account": account,
            "amount": self.amount, "currency": self.currency,
        });
        let texts = [
            ("core", &self.core),
            ("client_reference", &self.client_reference),
            ("note", &self.note),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                body[key] = json!(value);
            }
        }
        body
    }
}

pub(super) async fn run(
    client: &Client,
    options: &CreateOptions,
    output: Output,
) -> Result<(), Failure> {
    let made = || format!("cli-{}", Uuid::now_v7().simple());
    let key = options.idempotency_key.clone().unwrap_or_else(made);
    // Printed before anything is sent, so that a user who loses the answer can ask again.
    note(&format!("idempotency key: {key}"));
    let headers = [("idempotency-key", key.as_str())];
    let transfer = client.post(&["v1", "transfers"], &headers, &options.body()).await?;
    let Some(seconds) = options.wait else {
        show_transfer(&transfer, output);
        return Ok(());
    };
    let ended = wait(client, transfer, Duration::from_secs(seconds), output).await?;
    show_transfer(&ended, output);
    match text(&ended, "status").as_str() {
        "completed" => Ok(()),
        _ => Err(Failure::Said),
    }
}

/// The transfer once it is final, or as it stands when the time is over.
async fn wait(
    client: &Client,
    mut transfer: Value,
    most: Duration,
    output: Output,
) -> Result<Value, Failure> {
    let id = text(&transfer, "id");
    let spinner = if output.is_json() { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    let deadline = Instant::now() + most;
    while !is_over(&transfer) && Instant::now() < deadline {
        spinner.set_message(text(&transfer, "status").replace('_', " "));
        spinner.tick();
        tokio::time::sleep(POLL).await;
        transfer = client.get(&["v1", "transfers", &id], &[]).await?;
    }
    spinner.finish_and_clear();
    Ok(transfer)
}

/// True if waiting longer would bring nothing.
fn is_over(transfer: &Value) -> bool {
    let status = text(transfer, "status");
    let over = [
        Status::Completed,
        Status::Failed,
        Status::Reversed,
        Status::Suspended,
        Status::NeedsAttention,
    ];
    over.iter().any(|known| known.as_str() == status)
}
