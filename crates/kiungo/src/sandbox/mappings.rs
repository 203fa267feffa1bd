//! The shipped mappings with the simulators' addresses, and with waits that fit them: nothing has to
//! be waited for that takes a real provider minutes.

use super::parties::{Addresses, Wallet};
use crate::mapping_override::{self, GSMA_SANDBOX, MPESA_TZ};

/// The time for which Kiungo waits for an answer: shorter than the simulators' "late", so that late
/// answers are lost ones.
pub(super) const PATIENCE_S: u64 = 2;
/// After how long "not found" is believed: past everything that can still be under way at a
/// simulator, with room for a busy machine.
pub(super) const ABSENT_AFTER: &str = "6s";
pub(super) const INDEXING_WINDOW_S: u64 = 5;
/// The questions about what is unknown.
pub(super) const LADDER: &str = r#"["400ms", "1s", "1500ms", "2s"]"#;

/// The mapping of `wallet` that fits its simulator; `mpesa_public_key` is the key of M-Pesa's, and
/// `more` what else is to be different.
///
/// # Errors
/// `more` is no TOML.
pub(crate) fn mapping(
    wallet: Wallet,
    addresses: &Addresses,
    mpesa_public_key: &str,
    more: &str,
) -> Result<String, toml::de::Error> {
    let (shipped, changes) = match wallet {
        Wallet::Gsma => (GSMA_SANDBOX, gsma_changes(addresses)),
        Wallet::Mpesa => (MPESA_TZ, mpesa_changes(addresses, mpesa_public_key)),
    };
    mapping_override::merge(&mapping_override::merge(shipped, &changes)?, more)
}

fn changes_of_both() -> String {
    format!(
        r#"
[inquiry]
ladder = {LADDER}
absent_after = "{ABSENT_AFTER}"
absent_times = 2
# The simulators' queries can be trusted: what they do not find after this long never arrived.
when_payout_absent = "reject"
case_after = "10m"
retry_first = "300ms"
retry_max = "2s"
retries_before_case = 50

[traffic]
in_flight_max = 64
per_second_max = 5000

[traffic.breaker]
failures = 50
window = "10s"
cool_down = "1s"
"#
    )
}

fn gsma_changes(addresses: &Addresses) -> String {
    let gsma = addresses.gsma;
    // A payout that never arrived is sent again here: the provider refuses a second arrival.
    let both = changes_of_both()
        .replace("when_payout_absent = \"reject\"", "when_payout_absent = \"resend\"");
    format!(
        r#"{both}
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
    )
}

fn mpesa_changes(addresses: &Addresses, public_key: &str) -> String {
    format!(
        r#"{both}
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
        both = changes_of_both(),
        mpesa = addresses.mpesa,
    )
}
