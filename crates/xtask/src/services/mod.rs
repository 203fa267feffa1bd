//! Servers that tests need, started for them and stopped after them.
//!
//! * [`postgres`]: a private `PostgreSQL`

mod postgres;

use std::env;
use std::path::{Path, PathBuf};

pub(crate) use postgres::Postgres;

/// Where servers keep their files: below the target folder.
fn folder(root: &Path) -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR");
    target.map_or_else(|| root.join("target"), |path| root.join(path)).join("services")
}
