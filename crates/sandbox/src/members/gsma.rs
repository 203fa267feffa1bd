//! The simulated GSMA provider of a sandbox.

use serde_json::Value;

use crate::mappings::{INDEXING_WINDOW_S, PATIENCE_S, of_all_providers};
use crate::member::{
    CALLBACK_ATTEMPTS, CALLBACK_RETRY_MS, Member, NewSecret, Place, Provider, Side,
};
use crate::secrets;

/// The provider's id, and the name of its shipped mapping.
pub const ID: &str = "gsma-sandbox";

/// The files of the client's name and secret.
const CLIENT: &str = "gsma-client-id";
const SECRET: &str = "gsma-client-secret";

/// The provider.
pub const MEMBER: Member = Member {
    secrets: &[
        NewSecret { file: CLIENT, length: secrets::LENGTH },
        NewSecret { file: SECRET, length: secrets::LENGTH },
    ],
    options,
    // The currency of the shipped mapping.
    completed: || Ok("currency = \"LSL\"\n".to_owned()),
    side: Side::Provider(Provider {
        id: ID,
        changes,
        secrets: &[("client_id", CLIENT), ("client_secret", SECRET)],
    }),
};

fn options(place: &Place<'_>, more: &str) -> String {
    format!(
        r#"{more}# Where payments that customers start at the wallet are told.
notify_base = "{callbacks}"
callback_attempts = {CALLBACK_ATTEMPTS}
callback_retry_ms = {CALLBACK_RETRY_MS}

[gsma.options.security]
oauth = {{ name = "{client}", secret = "{secret}" }}
"#,
        callbacks = place.callbacks,
        client = place.secrets.of(CLIENT),
        secret = place.secrets.of(SECRET),
    )
}

#[allow(clippy::unnecessary_wraps, reason = "other providers need what may be absent")]
fn changes(place: &Place<'_>, _facts: &Value) -> anyhow::Result<String> {
    let gsma = place.listen;
    // A payout that never arrived is sent again here: the provider refuses a second arrival.
    let all = of_all_providers()
        .replace("when_payout_absent = \"reject\"", "when_payout_absent = \"resend\"");
    Ok(format!(
        r#"{all}
[provider]
name = "GSMA provider (simulated)"

[core]
payment_type = 3
on_core_rejection = "suspense"

[callbacks]
validation = false

[gsma]
base_url = "http://{gsma}/v1.2/mm"
token_url = "http://{gsma}/v1/oauth/accesstoken"
collect_timeout_s = {PATIENCE_S}
pay_out_timeout_s = {PATIENCE_S}
read_timeout_s = {PATIENCE_S}
indexing_window_s = {INDEXING_WINDOW_S}

[gsma.payments]
validates = false
"#
    ))
}
