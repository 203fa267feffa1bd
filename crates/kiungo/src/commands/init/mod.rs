//! `kiungo init`: a folder with all that Kiungo reads, to begin with.
//!
//! * `own`: for a core and a provider of one's own; what only a person knows is marked
//! * `sandbox`: for the built-in simulators; complete

mod own;
mod sandbox;

use std::path::{Path, PathBuf};

use clap::Args;
use kiungo_sandbox::files::write_new;
use kiungo_sandbox::{Addresses, NewFile};
use serde_json::json;

use crate::failure::Failure;
use crate::terminal::output::Output;

/// The folders that are taken if none is named.
const OWN_FOLDER: &str = "data/kiungo";
pub(super) const SANDBOX_FOLDER: &str = "data/sandbox";

/// Write a configuration to begin with: kiungo.toml, a mapping, secrets and an API key
///
/// What only you know is marked FILL IN, and `kiungo config check` names what is left of it. With
/// --sandbox everything fits the built-in simulators and works as it is: `kiungo simulate all`, then
/// `kiungo serve`. A file that exists is never overwritten.
#[derive(Debug, Args)]
pub(crate) struct InitOptions {
    /// Fit the built-in simulators (Fineract, GSMA, M-Pesa), to try everything on this machine
    #[arg(long)]
    sandbox: bool,
    /// Where to write [default: data/kiungo; with --sandbox: data/sandbox]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Kiungo's port; with --sandbox, the simulators have the three ports after it
    #[arg(long, value_name = "PORT", default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..=65_532))]
    port: u16,
}

/// The files of a folder, and what is said about them.
struct Plan {
    files: Vec<NewFile>,
    /// The next steps, for people.
    next: String,
    /// The API key, where it is shown and not kept.
    api_key: Option<String>,
}

pub(crate) fn run(options: &InitOptions, output: Output) -> Result<(), Failure> {
    let failed = |error: anyhow::Error| Failure::failed(format!("{error:#}"));
    let usual = if options.sandbox { SANDBOX_FOLDER } else { OWN_FOLDER };
    let named = options.dir.as_deref().unwrap_or(Path::new(usual));
    let folder = std::path::absolute(named).map_err(|error| failed(error.into()))?;
    if folder.exists() && !folder.is_dir() {
        let why = format!("--dir: {} is no folder: name another one", folder.display());
        return Err(Failure::Usage(why));
    }
    let plan = if options.sandbox {
        sandbox::plan(named, &folder, &Addresses::from_port(options.port))
    } else {
        own::plan(named, &folder, options.port)
    };
    let plan = plan.map_err(failed)?;
    write_new(&plan.files).map_err(failed)?;
    let files = plan.files.iter();
    let shown: Vec<_> =
        files.clone().map(|file| file.path.strip_prefix(&folder).unwrap_or(&file.path)).collect();
    let lines: Vec<_> = shown.iter().map(|path| format!("  {}", path.display())).collect();
    let text = format!("Written to {}:\n{}\n\n{}", folder.display(), lines.join("\n"), plan.next);
    output.line(&text, &json!({ "folder": folder, "files": shown, "api_key": plan.api_key }));
    Ok(())
}
