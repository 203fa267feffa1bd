//! A shipped mapping with other values: how the built-in simulators are reached without a second
//! copy of the code tables.

use kiungo_mapping::{Mapping, MappingErrors};
pub use kiungo_sandbox::mappings::merge;
pub use kiungo_sandbox::members::gsma::ID as GSMA_SANDBOX;
pub use kiungo_sandbox::members::mpesa::ID as MPESA_TZ;
pub use kiungo_sandbox::shipped::whole;

use crate::families::FAMILIES;

/// The shipped mapping of this id, merged with `changes` and read; `name` stands in messages.
pub fn mapping(name: &str, id: &str, changes: &str) -> Result<Mapping, MappingErrors> {
    match merge(&whole(id)?, changes) {
        Ok(text) => FAMILIES.parse(name, &text),
        // Reading it as it stands names the line that is not TOML.
        Err(_) => FAMILIES.parse(name, changes),
    }
}
