//! Licences, bans and sources of the dependencies, by cargo-deny.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::install;
use crate::tool::Tool;

/// Fixed, so that a change of its rules comes when we choose.
const VERSION: &str = "0.20.2";

/// Runs it, after installing it below the target folder if it is not there.
pub(crate) fn run(root: &Path) -> Result<String> {
    let program = install::installed(root, "cargo-deny", VERSION, &[])?;
    let check = ["check", "--hide-inclusion-graph", "licenses", "bans", "sources"];
    Tool::other(root, &program, &check)
        .run()
        .context("see who brings a crate with `cargo tree --workspace --target all -i CRATE`")?;
    Ok(format!("cargo-deny {VERSION}"))
}
