//! `kiungo man`.

use std::path::PathBuf;

use clap::{Args, Command};
use serde_json::json;

use crate::failure::Failure;
use crate::terminal::output::Output;

/// Write the manual pages into a folder: one for the program, and one for each command
///
/// The Debian package installs them already. To read one: man ./kiungo-transfer-show.1
#[derive(Debug, Args)]
pub(crate) struct ManOptions {
    /// The folder; it is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes the manual pages of the program `of`.
pub(crate) fn run(options: &ManOptions, of: Command, output: Output) -> Result<(), Failure> {
    let folder = options.folder.display();
    let write = move || {
        std::fs::create_dir_all(&options.folder)?;
        clap_mangen::generate_to(of, &options.folder)
    };
    write().map_err(|error| Failure::failed(format!("{folder}: {error}")))?;
    let json = json!({ "folder": options.folder });
    output.line(&format!("the manual pages are in {folder}: man {folder}/kiungo.1"), &json);
    Ok(())
}
