//! Programs of others that a command needs, below the target folder.

use std::env;
use std::fs;
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
    // The intermediate files of the build are of no more use.
    let _ = fs::remove_dir_all(&build);
    Ok(program)
}

/// The folder for everything that is made by building.
pub(crate) fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |path| root.join(path))
}

/// The folder of the programs of Node packages, installed at these versions if they are not there.
pub(crate) fn node(root: &Path, packages: &[(&str, &str)]) -> Result<PathBuf> {
    let folder = target(root).join("tools/node");
    let wanted = serde_json::to_string_pretty(&serde_json::json!({
        "private": true,
        "dependencies": packages.iter().copied().collect::<std::collections::BTreeMap<_, _>>(),
    }))?;
    // Written last: what is half installed is installed again.
    let installed = folder.join("installed.json");
    if fs::read_to_string(&installed).ok().as_ref() != Some(&wanted) {
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("package.json"), &wanted)?;
        let folder = folder.to_string_lossy();
        let how = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"];
        let what = ["install", "--prefix", &folder];
        Tool::other(root, Path::new("npm"), &[what.as_slice(), &how].concat())
            .run()
            .context("the Node packages cannot be installed; is the package registry reachable?")?;
        fs::write(&installed, &wanted)?;
    }
    Ok(folder.join("node_modules/.bin"))
}

/// The folder of the programs of a Python package, installed at this version if it is not there.
pub(crate) fn python(root: &Path, (package, version): (&str, &str)) -> Result<PathBuf> {
    let folder = target(root).join("tools").join(format!("{package}-{version}"));
    let programs = folder.join("bin");
    if !Tool::other(root, &programs.join(package), &["--version"]).works()? {
        let python = Path::new("/usr/bin/python3");
        Tool::other(root, python, &["-m", "venv", "--clear", &folder.to_string_lossy()]).run()?;
        let pinned = format!("{package}=={version}");
        let arguments = ["-m", "pip", "install", "--quiet", "--no-input", &pinned];
        Tool::other(root, &programs.join("python"), &arguments)
            .environment("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .run()
            .context("the Python package cannot be installed; is the package index reachable?")?;
    }
    Ok(programs)
}

/// A program of a Debian package, unpacked below the target folder: installing the package would start
/// its service.
pub(crate) fn unpacked(root: &Path, package: &str, program: &str) -> Result<PathBuf> {
    let folder = target(root).join("tools/debian").join(package);
    let program = folder.join(program);
    if !Tool::other(root, &program, &["--version"]).works()? {
        fs::create_dir_all(&folder)?;
        // A fresh machine has no lists of packages yet.
        let fetch = "cd \"$1\" && { apt-get -q download \"$2\" \
            || { apt-get -q update && apt-get -q download \"$2\"; }; } \
            && dpkg-deb --extract \"$2\"_*.deb . && rm \"$2\"_*.deb";
        let shown = folder.to_string_lossy();
        Tool::other(root, Path::new("sh"), &["-c", fetch, "sh", &shown, package])
            .run()
            .with_context(|| format!("Debian's package {package} cannot be fetched"))?;
    }
    Ok(program)
}
