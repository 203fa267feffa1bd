//! Servers that tests need, started for them and stopped after them.
//!
//! It depends on no other crate of ours, so that `xtask` works while they do not compile. Nothing
//! here writes to standard output, which may be JSON of the caller.
//!
//! * `postgres`: a private `PostgreSQL`
//! * `rabbit`: a private `RabbitMQ`
//! * [`tool`]: starting cargo and its kin
//! * [`debian`]: tools of Debian's that a command needs

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod debian;
mod postgres;
mod rabbit;
pub mod tool;

use std::env;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use debian::is_root;
use tool::Tool;

pub use postgres::Postgres;
pub use rabbit::Rabbit;

/// The folder in which servers keep their files: below the target folder.
fn folder(root: &Path) -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR");
    target.map_or_else(|| root.join("target"), |path| root.join(path)).join("services")
}

/// A free port.
fn free_port() -> Result<u16> {
    let [port] = free_ports()?;
    Ok(port)
}

/// Different ones.
fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut listeners = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0));
        let listener = listener.context("no port of 127.0.0.1 is free")?;
        *port = listener.local_addr()?.port();
        // Held until all are found, so that no two are the same.
        listeners.push(listener);
    }
    Ok(ports)
}

/// True if the run that a folder is named after is over; `None` if it is no such folder.
fn is_leftover(folder: &Path, prefix: &str) -> Option<bool> {
    let owner: u32 = folder.file_name()?.to_str()?.strip_prefix(prefix)?.parse().ok()?;
    Some(!Path::new("/proc").join(owner.to_string()).exists())
}

/// Installs Debian's packages, as root or with `sudo`.
struct Installer {
    root: PathBuf,
    as_root: bool,
}

impl Installer {
    fn new(root: &Path, package: &str) -> Result<Self> {
        let as_root = is_root(root)?;
        let allowed = as_root || Tool::other(root, Path::new("sudo"), &["-n", "true"]).works()?;
        ensure!(
            allowed,
            "{package} is not installed, and installing it needs root: apt-get install {package}"
        );
        eprintln!("{package} is not installed: installing Debian's package");
        Ok(Self { root: root.to_owned(), as_root })
    }

    fn privileged(&self, line: &[&str]) -> Tool {
        let (program, arguments) =
            if self.as_root { (line[0], &line[1..]) } else { ("sudo", line) };
        Tool::other(&self.root, Path::new(program), arguments)
    }

    fn apt(&self, what: &[&str]) -> Result<()> {
        let line = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "-y", "-q"];
        self.privileged(&[&line[..], what].concat()).run_aside()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_can_be_bound() {
        let ports: [u16; 3] = free_ports().unwrap();
        let bound = ports.map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap());
        assert!(ports.iter().all(|port| *port > 1_023) && bound.len() == 3);
    }

    #[test]
    fn only_what_a_run_left_behind_is_a_leftover() {
        let own = format!("/x/kiungo-x-{}", std::process::id());
        assert_eq!(is_leftover(Path::new(&own), "kiungo-x-"), Some(false));
        assert_eq!(is_leftover(Path::new("/x/kiungo-x-4194399"), "kiungo-x-"), Some(true));
        assert_eq!(is_leftover(Path::new("/x/kiungo-x-dev"), "kiungo-x-"), None);
        assert_eq!(is_leftover(Path::new("/x/other-1"), "kiungo-x-"), None);
    }
}
