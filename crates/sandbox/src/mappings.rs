//! The shipped mappings with the simulators' addresses, and with waits that fit them: nothing has to
//! be waited for that takes a real provider minutes.

use serde_json::Value;
use toml::Table;

use crate::{Addresses, Secrets, shipped};

/// The time for which Kiungo waits for an answer: shorter than the simulators' "late", so that late
/// answers are lost ones.
pub(crate) const PATIENCE_S: u64 = 2;
/// After how long "not found" is believed: past everything that can still be under way at a
/// simulator, with room for a busy machine.
pub(crate) const ABSENT_AFTER: &str = "6s";
pub(crate) const INDEXING_WINDOW_S: u64 = 5;
/// The questions about what is unknown.
pub(crate) const LADDER: &str = r#"["400ms", "1s", "1500ms", "2s"]"#;

/// The mappings that fit the simulators, each with the id of its provider. `facts` says, by the word of a
/// simulator, what a client of it has to know; `more` says, by the id of a provider, what else is to be
/// different.
///
/// # Errors
/// A fact is missing, a mapping is not shipped, or `more` is no TOML.
pub fn mappings(
    addresses: &Addresses,
    secrets: &Secrets,
    facts: impl Fn(&str) -> Value,
    more: impl Fn(&str) -> String,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let mut mappings = Vec::new();
    for (word, member, place) in addresses.places(secrets) {
        let Some(provider) = member.provider() else { continue };
        let changes = (provider.changes)(&place, &facts(word))?;
        let text = merge(&merge(&shipped::whole(provider.id)?, &changes)?, &more(provider.id))?;
        mappings.push((provider.id, text));
    }
    Ok(mappings)
}

/// The text of `base` with the values of `changes`: tables are merged, everything else replaced.
///
/// # Errors
/// If either text is not TOML; the message names which.
pub fn merge(base: &str, changes: &str) -> Result<String, toml::de::Error> {
    let mut merged: Table = base.parse()?;
    let changes: Table = changes.parse()?;
    merge_tables(&mut merged, changes);
    Ok(merged.to_string())
}

fn merge_tables(base: &mut Table, changes: Table) {
    for (key, change) in changes {
        match (base.get_mut(&key), change) {
            (Some(toml::Value::Table(table)), toml::Value::Table(change)) => {
                merge_tables(table, change);
            }
            (_, change) => {
                base.insert(key, change);
            }
        }
    }
}

/// The changes that every provider's mapping needs.
pub(crate) fn of_all_providers() -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_replaces_values_and_keeps_the_rest() {
        let merged = merge("a = 1\n[t]\nb = 2\nc = 3\n", "[t]\nb = 9\n").unwrap();
        let merged: Table = merged.parse().unwrap();
        assert_eq!(merged["t"]["b"].as_integer(), Some(9));
        assert_eq!(merged["t"]["c"].as_integer(), Some(3));
        assert_eq!(merged["a"].as_integer(), Some(1));
    }
}
