//! Making the package.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::tool::Tool;
use crate::{install, program};

/// Fixed, so that a change of what it makes comes when we choose.
const VERSION: &str = "3.8.0";

/// Makes it, after installing cargo-deb below the target folder if it is not there; where it is.
pub(super) fn package(root: &Path, debug: bool) -> Result<PathBuf> {
    // Its own compressor takes minutes in a build without optimisation: the system's is used.
    let deb = install::installed(root, "cargo-deb", VERSION, &["--no-default-features"])?;
    let program = if debug { program::of_tests(root)? } else { program::released(root)? };
    let target = install::target(root);
    // It packs the release build alone, and seeks it in a target folder: it is given one, with the
    // program in it that is meant.
    let staged = target.join("package");
    let place = staged.join("release");
    fs::create_dir_all(&place).with_context(|| place.display().to_string())?;
    let stripped = place.join("kiungo");
    let strip = ["-o", &stripped.to_string_lossy(), &program.to_string_lossy()];
    Tool::other(root, Path::new("strip"), &strip).run()?;
    describe(root, &stripped, &place)?;
    let folder = target.join("debian").join(if debug { "debug" } else { "" });
    let folder = format!("{}/", folder.to_string_lossy().trim_end_matches('/'));
    let made = ["--package", "kiungo", "--no-build", "--no-strip", "--compress-system"];
    let speed: &[&str] = if debug { &["--fast"] } else { &[] };
    let output = Tool::other(root, &deb, &[&made[..], speed, &["--output", &folder]].concat())
        .environment("CARGO_TARGET_DIR", &staged.to_string_lossy())
        .output()?;
    let made = output.lines().last().context("cargo-deb does not say what it made")?;
    Ok(root.join(made.trim()))
}

/// Has the program write its manual pages and what the shells need to complete its commands: the
/// package has them beside the program.
fn describe(root: &Path, program: &Path, place: &Path) -> Result<()> {
    let pages = place.join("man");
    if pages.exists() {
        fs::remove_dir_all(&pages).with_context(|| pages.display().to_string())?;
    }
    let shown = pages.to_string_lossy();
    Tool::other(root, program, &["man", &shown]).output()?;
    // Debian keeps manual pages compressed, without the time at which that was done.
    let compress = ["-c", "gzip -9n \"$1\"/*.1", "sh", &shown];
    Tool::other(root, Path::new("sh"), &compress).output()?;
    let folder = place.join("completions");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for (shell, file) in [("bash", "kiungo"), ("zsh", "_kiungo"), ("fish", "kiungo.fish")] {
        let script = Tool::other(root, program, &["completions", shell]).output()?;
        fs::write(folder.join(file), script).with_context(|| file.to_owned())?;
    }
    Ok(())
}
