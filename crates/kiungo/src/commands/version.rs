//! `kiungo version`.

use serde_json::json;

use crate::terminal::output::Output;

/// Prints name and version.
pub(crate) fn run(output: Output) {
    let version = env!("CARGO_PKG_VERSION");
    output.line(&format!("kiungo {version}"), &json!({ "name": "kiungo", "version": version }));
}
