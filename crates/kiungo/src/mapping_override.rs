//! A shipped mapping with other values: how the built-in simulators are reached without a second
//! copy of the code tables.

use kiungo_mapping::{Mapping, MappingErrors};
use toml::{Table, Value};

use crate::families::FAMILIES;

/// The shipped mapping of the GSMA sandbox.
pub const GSMA_SANDBOX: &str = include_str!("../../../mappings/gsma-sandbox.toml");
/// The shipped mapping of M-Pesa in Tanzania.
pub const MPESA_TZ: &str = include_str!("../../../mappings/mpesa-tz.toml");

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

/// [`merge`], read as a mapping.
pub fn mapping(name: &str, base: &str, changes: &str) -> Result<Mapping, MappingErrors> {
    match merge(base, changes) {
        Ok(text) => FAMILIES.parse(name, &text),
        // Reading it as it stands names the line that is not TOML.
        Err(_) => FAMILIES.parse(name, changes),
    }
}

fn merge_tables(base: &mut Table, changes: Table) {
    for (key, change) in changes {
        match (base.get_mut(&key), change) {
            (Some(Value::Table(table)), Value::Table(change)) => merge_tables(table, change),
            (_, change) => {
                base.insert(key, change);
            }
        }
    }
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
