//! The simulated core of a sandbox.

use crate::configuration::Configuration;
use crate::mappings::{ABSENT_AFTER, INDEXING_WINDOW_S, LADDER, PATIENCE_S};
use crate::member::{Member, NewSecret, Place, Side};
use crate::secrets;

/// The login of Kiungo at the core, and the file of its password.
const USER: &str = "kiungo";
const PASSWORD: &str = "core-password";
const ZONE: &str = "Africa/Dar_es_Salaam";

/// The clients of the core: each has accounts in the currency of each provider, and the number of a
/// wallet of one of them.
const CLIENTS: &str = r#"
# Every client has accounts in the currencies of both providers; client 1 has a wallet at M-Pesa (TZS),
# client 2 one at the GSMA provider (LSL), and so on in turns.
[fineract.options.clients]
currencies = ["TZS", "LSL"]
numbers = [255700000000, 26657000000]
"#;

/// The core.
pub const MEMBER: Member = Member {
    secrets: &[NewSecret { file: PASSWORD, length: secrets::LENGTH }],
    options,
    completed: || Ok(CLIENTS.to_owned()),
    side: Side::Core(section),
};

fn options(place: &Place<'_>, more: &str) -> String {
    format!(
        "users = [{{ name = \"{USER}\", password = \"{password}\" }}]\n{more}",
        password = place.secrets.of(PASSWORD),
    )
}

fn section(place: &Place<'_>) -> String {
    format!(
        r#"[[cores]]
id = "main"

[cores.fineract]
base_url = "http://{fineract}/fineract-provider"
tenant = "default"
time_zone = "{ZONE}"
auth = {{ type = "basic", username = "{USER}" }}
payment_type = 3
command_timeout_ms = {patience_ms}
read_timeout_ms = {patience_ms}
indexing_window_s = {INDEXING_WINDOW_S}

[cores.secrets]
password_file = {password}

[cores.traffic]
in_flight_max = 64
per_second_max = 5000
breaker_failures = 50
breaker_cool_down = "1s"

# The simulators answer and forget faster than anything real: so the waits are short.
[cores.inquiry]
ladder = {LADDER}
absent_after = "{ABSENT_AFTER}"
absent_times = 2
retry_first = "300ms"
retry_max = "2s"
retries_before_case = 50
case_after = "10m"
"#,
        fineract = place.listen,
        patience_ms = PATIENCE_S * 1_000,
        password = Configuration::secret(PASSWORD),
    )
}
