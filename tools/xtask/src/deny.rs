//! Licences, bans, sources and advisories of the dependencies, by cargo-deny.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::install;
use crate::tool::Tool;

/// Fixed, so that a change of its rules comes when we choose.
const VERSION: &str = "0.20.2";

/// Runs it, after installing it below the target folder if it is not there.
pub(crate) fn run(root: &Path) -> Result<String> {
    let program = install::installed(root, "cargo-deny", VERSION, &[])?;
    let deny = |arguments: &[&str]| Tool::other(root, &program, arguments);
    deny(&["check", "--hide-inclusion-graph", "licenses", "bans", "sources"])
        .run()
        .context("see who brings a crate with `cargo tree --workspace --target all -i CRATE`")?;
    // The database lives on a server of others: who cannot reach it is told, and goes on.
    println!("fetching the database of advisories");
    let fetched = deny(&["fetch", "db"]).output();
    if fetched.is_ok() {
        deny(&["check", "--disable-fetch", "advisories"]).run().context(
            "upgrade the crate, or say in `deny.toml` why the advisory does not concern us",
        )?;
    }
    let said = fetched.map_err(|error| format!("{error:#}")).map(drop);
    let summary = summary(&said);
    println!("{summary}");
    Ok(summary)
}

/// The result in a line, which says plainly what was not looked at.
fn summary(fetched: &Result<(), String>) -> String {
    match fetched {
        Ok(()) => format!("cargo-deny {VERSION}; advisories looked at"),
        Err(why) => {
            let why = why.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("");
            let why: String = why.chars().take(200).collect();
            format!(
                "cargo-deny {VERSION}; advisories NOT LOOKED AT: their database cannot be fetched \
                 here ({why})"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advisories_that_were_not_looked_at_are_named_as_such() {
        let why =
            "`cargo-deny fetch db` ended with exit status: 1: failed to fetch\n  no such host\n";
        assert_eq!(
            summary(&Err(why.to_owned())),
            format!(
                "cargo-deny {VERSION}; advisories NOT LOOKED AT: their database cannot be fetched here \
                 (no such host)"
            )
        );
        assert!(!summary(&Ok(())).contains("NOT"));
    }
}
