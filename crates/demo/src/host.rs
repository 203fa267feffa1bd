//! The program around the demo: the demo is told what it needs of it, and knows nothing else about it.

use std::path::PathBuf;

use comfy_table::TableStyle;
use serde_json::Value;

/// The program that runs the demo.
pub trait Host: Sync {
    /// The program that is started as `PROGRAM serve` and `PROGRAM worker`.
    ///
    /// # Errors
    /// It cannot be found.
    fn program(&self) -> anyhow::Result<PathBuf>;

    /// True if the answer is wanted as JSON: then nothing is shown meanwhile.
    fn is_json(&self) -> bool;

    /// The style of tables.
    fn table_style(&self) -> TableStyle;

    /// Shows the answer, once: as a text, or as JSON.
    fn answer(&self, text: &str, json: &Value);

    /// Shows a line beside the answer.
    fn note(&self, text: &str);
}
