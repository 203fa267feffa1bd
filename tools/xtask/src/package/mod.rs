//! The Debian package, by cargo-deb; what goes into it stands in `crates/kiungo/Cargo.toml`.
//!
//! * `build`: making it
//! * `tree`: a folder that dpkg installs into as if it were a machine
//! * `life`: installed, run, upgraded, removed, purged
//! * `units`: the units, as systemd checks them
//! * `documents`: the links of the installed documents
//! * `containers`: the files for those who want containers

mod build;
mod containers;
mod documents;
mod life;
mod tree;
mod units;

use std::path::Path;

use anyhow::Result;

use crate::debian::{self, Needed};

/// The programs that making and checking need. Each is asked for its version.
const NEEDED: &[Needed] = &[
    Needed { program: "dpkg-shlibdeps", arguments: &["--version"], package: "dpkg-dev" },
    Needed { program: "strip", arguments: &["--version"], package: "binutils" },
    Needed { program: "xz", arguments: &["--version"], package: "xz-utils" },
    Needed { program: "fakeroot", arguments: &["--version"], package: "fakeroot" },
    Needed { program: "systemd-analyze", arguments: &["--version"], package: "systemd" },
    Needed { program: "systemd-sysusers", arguments: &["--version"], package: "systemd" },
    Needed { program: "systemd-tmpfiles", arguments: &["--version"], package: "systemd" },
    Needed {
        program: "/usr/bin/python3",
        arguments: &["-c", "import yaml"],
        package: "python3-yaml",
    },
];

/// Makes the package, and says where it is. Returns true if that was possible.
pub(crate) fn run(root: &Path, debug: bool) -> bool {
    let made = debian::provide(root, NEEDED).and_then(|()| build::package(root, debug));
    match &made {
        Ok(package) => println!("{}", package.display()),
        Err(error) => println!("the package cannot be made: {error:#}"),
    }
    made.is_ok()
}

/// Makes the package from the program of the tests, and leads it through its life.
pub(crate) fn check(root: &Path) -> Result<String> {
    debian::provide(root, NEEDED)?;
    containers::check(root)?;
    let package = build::package(root, true)?;
    life::check(root, &package)?;
    Ok("installed, run, upgraded, removed and purged".to_owned())
}
