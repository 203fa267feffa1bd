//! The simulated M-Pesa market of a sandbox.

use anyhow::Context as _;
use serde_json::Value;

use crate::mappings::{INDEXING_WINDOW_S, PATIENCE_S, of_all_providers};
use crate::member::{
    CALLBACK_ATTEMPTS, CALLBACK_RETRY_MS, Member, NewSecret, Place, Provider, Side,
};

/// The provider's id, and the name of its shipped mapping.
pub const ID: &str = "mpesa-tz";

/// The file of the API key, and the number of its characters.
const API_KEY: &str = "mpesa-api-key";
const API_KEY_LENGTH: usize = 32;

/// The market.
pub const MEMBER: Member = Member {
    secrets: &[NewSecret { file: API_KEY, length: API_KEY_LENGTH }],
    options,
    completed,
    side: Side::Provider(Provider { id: ID, changes, secrets: &[("api_key", API_KEY)] }),
};

/// A private key of its own, so that the public key in the mapping stays right.
fn completed() -> anyhow::Result<String> {
    let key = kiungo_simulator_mpesa::new_private_key().context("no RSA key can be made")?;
    Ok(format!("private_key = \"{key}\"\n"))
}

fn options(place: &Place<'_>, more: &str) -> String {
    format!(
        r#"api_key = "{api_key}"
# A real one has 4096 bits; making such a key takes seconds.
key_bits = 2048
{more}whole_amounts = true
asynchronous = true
delay_ms = 100
response_url = "{callbacks}results"
callback_attempts = {CALLBACK_ATTEMPTS}
callback_retry_ms = {CALLBACK_RETRY_MS}

[mpesa.options.paybill]
notify_base = "{callbacks}"
"#,
        api_key = place.secrets.of(API_KEY),
        callbacks = place.callbacks,
    )
}

fn changes(place: &Place<'_>, facts: &Value) -> anyhow::Result<String> {
    let public_key = facts.get("public_key").and_then(Value::as_str).unwrap_or_default();
    anyhow::ensure!(!public_key.is_empty(), "the RSA key that was made cannot be read");
    Ok(format!(
        r#"{all}
[provider]
name = "M-Pesa Tanzania (simulated)"

[core]
payment_type = 2
on_core_rejection = "refund"

[callbacks]
expected = true
payments = true
validation = true

[mpesa]
base_url = "http://{mpesa}"
public_key = "{public_key}"
activation_delay = "0s"
session_timeout = "5s"
collect_timeout = "{PATIENCE_S}s"
pay_out_timeout = "{PATIENCE_S}s"
query_timeout = "{PATIENCE_S}s"
indexing_window = "{INDEXING_WINDOW_S}s"
answers = "asynchronous"
notification = "c2b-confirmation"
validates_payments = true
"#,
        all = of_all_providers(),
        mpesa = place.listen,
    ))
}
