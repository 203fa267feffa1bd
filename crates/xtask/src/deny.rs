//! Licences, bans and sources of the dependencies, by cargo-deny.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::tool::Tool;

/// Fixed, so that a change of its rules comes when we choose.
const VERSION: &str = "0.20.2";

/// Runs it, after installing it below the target folder if it is not there.
pub(crate) fn run(root: &Path) -> Result<String> {
    let program = installed(root)?;
    let check = ["check", "--hide-inclusion-graph", "licenses", "bans", "sources"];
    Tool::other(root, &program, &check)
        .run()
        .context("see who brings a crate with `cargo tree --workspace --target all -i CRATE`")?;
    Ok(format!("cargo-deny {VERSION}"))
}

/// The program, installed if need be. Built without optimisation: that takes a minute on two cores
/// instead of many, and one check takes seconds all the same.
fn installed(root: &Path) -> Result<PathBuf> {
    let tools = target(root).join("tools").join(format!("cargo-deny-{VERSION}"));
    let program = tools.join("bin").join(format!("cargo-deny{}", env::consts::EXE_SUFFIX));
    if Tool::other(root, &program, &["--version"]).works()? {
        return Ok(program);
    }
    println!("cargo-deny {VERSION} is not there yet: installing it below the target folder, once");
    let tools = tools.to_string_lossy();
    let build = format!("{tools}/build");
    let package = format!("cargo-deny@{VERSION}");
    let how = ["install", "--locked", "--debug", "--force", "--quiet", package.as_str()];
    let places = ["--root", &tools, "--target-dir", &build];
    Tool::cargo(root, &[&how[..], &places].concat())
        .environment("CARGO_PROFILE_DEV_DEBUG", "0")
        .run()
        .context("cargo-deny cannot be installed; is the package registry reachable?")?;
    // What was compiled on the way is of no more use.
    let _ = std::fs::remove_dir_all(&build);
    Ok(program)
}

fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |path| root.join(path))
}
