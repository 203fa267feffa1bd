//! Tools of Debian's that a command needs, installed where they are missing.

use std::path::Path;

use anyhow::{Result, bail};

use crate::tool::Tool;

/// A tool, how to see that it is there, and Debian's package of it.
pub struct Needed {
    /// Its program.
    pub program: &'static str,
    /// With these arguments it succeeds.
    pub arguments: &'static [&'static str],
    /// The package.
    pub package: &'static str,
}

/// Installs what is missing.
pub fn provide(root: &Path, needed: &[Needed]) -> Result<()> {
    let mut missing = Vec::new();
    for Needed { program, arguments, package } in needed {
        if !Tool::other(root, Path::new(program), arguments).works()? && !missing.contains(package)
        {
            missing.push(*package);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("installing Debian's packages {}", missing.join(", "));
    let as_root = is_root(root)?;
    if !as_root && !Tool::other(root, Path::new("sudo"), &["-n", "true"]).works()? {
        bail!("missing, and installing needs root: apt-get install {}", missing.join(" "));
    }
    let apt = |what: &[&str]| {
        let line = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "-q"];
        let line = [if as_root { &[][..] } else { &["sudo"][..] }, &line, what].concat();
        Tool::other(root, Path::new(line[0]), &line[1..]).run_aside()
    };
    apt(&["update"])?;
    apt(&[&["install", "--no-install-recommends"][..], &missing].concat())
}

/// True if we are root.
pub fn is_root(root: &Path) -> Result<bool> {
    Ok(Tool::other(root, Path::new("id"), &["-u"]).output()?.trim() == "0")
}
