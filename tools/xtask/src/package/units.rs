//! Asks systemd about the units, as they were installed.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::tree::Tree;
use crate::tool::Tool;

const UNITS: [&str; 3] = ["kiungo-serve.service", "kiungo-serve.socket", "kiungo-worker@1.service"];

/// The most that a service may be exposed, of 100, by systemd's own count: a service with no
/// hardening at all has 96. Ours has 12, for the network that it needs.
const EXPOSED_MAX: &str = "15";

/// The folders in which systemd has its own units, which ours refer to.
const SYSTEMS: [&str; 2] = ["/usr/lib/systemd/system", "/lib/systemd/system"];

/// Checks that systemd understands every line, and how much each service may do.
pub(super) fn check(root: &Path, tree: &Tree) -> Result<()> {
    let systems = SYSTEMS.iter().map(Path::new).find(|path| path.join("basic.target").exists());
    let systems = systems.context("systemd's own units are not to be found")?;
    let ours = tree.path("/usr/lib/systemd/system");
    for entry in fs::read_dir(systems)?.flatten() {
        let place = ours.join(entry.file_name());
        if entry.path().extension().is_some_and(|kind| kind == "target") && !place.exists() {
            fs::copy(entry.path(), place)?;
        }
    }
    let place = format!("--root={}", tree.path("/").display());
    let place = place.trim_end_matches('/');
    let verify = [&["verify", place, "--man=no"][..], &UNITS].concat();
    // It succeeds over a key that it does not know, but says so.
    let shown = format!("systemd-analyze {} 2>&1", verify.join(" "));
    let said = Tool::other(root, Path::new("sh"), &["-c", &shown]).output()?;
    ensure!(said.trim().is_empty(), "systemd does not understand a unit: {said}");
    let threshold = format!("--threshold={EXPOSED_MAX}");
    for unit in UNITS.iter().filter(|unit| unit.ends_with(".service")) {
        let judge = ["security", place, "--offline=true", &threshold, "--no-pager", unit];
        let judged = Tool::other(root, Path::new("systemd-analyze"), &judge).output();
        judged.with_context(|| format!("{unit} may do more than {EXPOSED_MAX} of 100"))?;
    }
    Ok(())
}
