//! Asking for an action about a transfer.

use serde_json::Value;

use super::show::show_transfer;
use crate::commands::answer::show_action;
use crate::commands::client::Client;
use crate::failure::Failure;
use crate::terminal::output::Output;

/// Asks for an action about a transfer, and shows the transfer, or the action where it waits for a
/// second person.
pub(in crate::commands) async fn asked(
    client: &Client,
    path: &[&str],
    body: &Value,
    output: Output,
) -> Result<(), Failure> {
    let answer = client.post(path, &[], body).await?;
    if answer.get("action").is_some() {
        show_action(&answer, output);
    } else {
        show_transfer(&answer, output);
    }
    Ok(())
}
