//! Our own program, as it was built.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::tool::Tool;

/// The features that turn on the tests that need a server.
pub(crate) const WITH_SERVERS: &str = "kiungo-store-sql/postgres-tests,kiungo-queue-rabbit/rabbit-tests,\
    kiungo-tests/postgres-tests,kiungo-tests/rabbit-tests,kiungo-tests/chaos-tests";

#[derive(Deserialize)]
struct Message {
    target: Target,
    profile: Profile,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// Builds the program as the tests have it, so that nothing is built twice; where it is.
pub(crate) fn of_tests(root: &Path) -> Result<PathBuf> {
    let how = ["test", "--quiet", "--workspace", "--features", WITH_SERVERS, "--no-run"];
    built(root, &how, "kiungo-under-test")
}

/// Builds it for use, with all optimisation; where it is.
pub(crate) fn released(root: &Path) -> Result<PathBuf> {
    built(root, &["build", "--quiet", "--release", "--locked", "--package", "kiungo"], "kiungo")
}

fn built(root: &Path, how: &[&str], name: &str) -> Result<PathBuf> {
    let form = ["--message-format", "json-render-diagnostics"];
    let output = Tool::cargo(root, &[how, &form].concat()).output()?;
    let built = output.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let program = built.filter(|built| built.target.name == name && !built.profile.test);
    program
        .filter_map(|built| built.executable)
        .next_back()
        .with_context(|| format!("cargo built no `{name}`"))
}
