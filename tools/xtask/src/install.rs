//! Programs of others that a command needs, below the target folder.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::tool::Tool;

/// The program of a package, installed if it is not there. Built without optimisation: that takes a
/// minute on two cores instead of many, and what it does itself takes seconds all the same. `features`
/// are arguments for cargo.
pub(crate) fn installed(
    root: &Path,
    package: &str,
    version: &str,
    features: &[&str],
) -> Result<PathBuf> {
    let tools = target(root).join("tools").join(format!("{package}-{version}"));
    let program = tools.join("bin").join(format!("{package}{}", env::consts::EXE_SUFFIX));
    if Tool::other(root, &program, &["--version"]).works()? {
        return Ok(program);
    }
    println!("{package} {version} is not there yet: installing it below the target folder, once");
    let tools = tools.to_string_lossy();
    let build = format!("{tools}/build");
    let pinned = format!("{package}@{version}");
    let how = ["install", "--locked", "--debug", "--force", "--quiet", pinned.as_str()];
    let places = ["--root", &tools, "--target-dir", &build];
    Tool::cargo(root, &[&how[..], &places, features].concat())
        .environment("CARGO_PROFILE_DEV_DEBUG", "0")
        .run()
        .with_context(|| {
            format!("{package} cannot be installed; is the package registry reachable?")
        })?;
    // What was compiled on the way is of no more use.
    let _ = std::fs::remove_dir_all(&build);
    Ok(program)
}

/// The folder for everything that is made by building.
pub(crate) fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |path| root.join(path))
}
