//! A folder that dpkg installs into as if it were a machine, with its own database of packages.
//!
//! The maintainer scripts run as they do there, except that they are told where the machine is
//! (`DPKG_ROOT`) instead of seeing nothing else.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::debian;
use crate::tool::Tool;

/// A machine without anything on it.
pub(super) struct Tree {
    root: PathBuf,
    folder: PathBuf,
    /// True if owners are only simulated, because we may not change them.
    pretending: bool,
}

impl Tree {
    /// Makes an empty tree.
    pub(super) fn new(root: &Path, folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        for part in ["info", "updates", "triggers"] {
            fs::create_dir_all(folder.join("var/lib/dpkg").join(part))?;
        }
        fs::create_dir_all(folder.join("etc"))?;
        fs::write(folder.join("var/lib/dpkg/status"), "")?;
        let pretending = !debian::is_root(root)?;
        Ok(Self { root: root.to_owned(), folder: folder.to_owned(), pretending })
    }

    /// The path of a file of the tree, as we see it.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path.trim_start_matches('/'))
    }

    pub(super) fn read(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.path(path)).with_context(|| path.to_owned())
    }

    pub(super) fn write(&self, path: &str, content: &str) -> Result<()> {
        fs::write(self.path(path), content).with_context(|| path.to_owned())
    }

    /// Runs dpkg on it. The package's dependencies are not installed, and not demanded.
    pub(super) fn dpkg(&self, arguments: &[&str]) -> Result<String> {
        let place = format!("--root={}", self.folder.display());
        let log = format!("--log={}", self.path("/var/lib/dpkg/log").display());
        let how = [&place, &log, "--force-script-chrootless", "--force-depends"];
        self.tool("dpkg", &[&how[..], arguments].concat()).output()
    }

    /// The version of ours that is installed, or what remains of it: `installed 1.0`.
    pub(super) fn state(&self) -> Result<String> {
        let admin = format!("--admindir={}", self.path("/var/lib/dpkg").display());
        let form = "--showformat=${db:Status-Status} ${Version}";
        self.tool("dpkg-query", &[&admin, "--show", form, "kiungo"]).output()
    }

    /// Checks the mode and owners of a file, written as `750 root:kiungo`.
    pub(super) fn owned(&self, path: &str, expected: &str) -> Result<()> {
        let place = self.path(path);
        let output = self.tool("stat", &["-c", "%a %u %g", &place.to_string_lossy()]).output()?;
        let words: Vec<&str> = output.split_whitespace().collect();
        let [mode, user, group] = words[..] else { anyhow::bail!("stat said `{output}`") };
        let user = self.name("/etc/passwd", user)?;
        let group = self.name("/etc/group", group)?;
        let found = format!("{mode} {user}:{group}");
        ensure!(found == expected, "{path} is {found}, not {expected}");
        Ok(())
    }

    /// A program of the tree, with these arguments.
    pub(super) fn program(&self, path: &str, arguments: &[&str]) -> Tool {
        Tool::other(&self.folder, &self.path(path), arguments)
    }

    /// The name with this number in the tree.
    fn name(&self, file: &str, number: &str) -> Result<String> {
        if number == "0" {
            return Ok("root".to_owned());
        }
        let known = self.read(file)?;
        let line = known.lines().find(|line| line.split(':').nth(2) == Some(number));
        let name = line.and_then(|line| line.split(':').next());
        Ok(name.with_context(|| format!("{file} does not know {number}"))?.to_owned())
    }

    fn tool(&self, program: &str, arguments: &[&str]) -> Tool {
        if !self.pretending {
            return Tool::other(&self.root, Path::new(program), arguments);
        }
        // The file remembers who owns what from one call to the next.
        let owners = format!("{}.owners", self.folder.display());
        if !Path::new(&owners).exists() {
            let _ = fs::write(&owners, "");
        }
        let before = ["-i", &owners, "-s", &owners, "--", program];
        Tool::other(&self.root, Path::new("fakeroot"), &[&before[..], arguments].concat())
    }
}
