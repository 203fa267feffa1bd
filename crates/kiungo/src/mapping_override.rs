//! A shipped mapping with other values: how the built-in simulators are reached without a second
//! copy of the code tables.

use kiungo_mapping::{Mapping, MappingErrors};
pub use kiungo_sandbox::mappings::merge;
pub use kiungo_sandbox::members::gsma::SHIPPED as GSMA_SANDBOX;
pub use kiungo_sandbox::members::mpesa::SHIPPED as MPESA_TZ;

use crate::families::FAMILIES;

/// [`merge`], read as a mapping.
pub fn mapping(name: &str, base: &str, changes: &str) -> Result<Mapping, MappingErrors> {
    match merge(base, changes) {
        Ok(text) => FAMILIES.parse(name, &text),
        // Reading it as it stands names the line that is not TOML.
        Err(_) => FAMILIES.parse(name, changes),
    }
}
