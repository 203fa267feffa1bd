//! A private `PostgreSQL`: a cluster of its own below the target folder, on a free port of the loopback
//! address, gone when the tests are over.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::debian::is_root;
use crate::tool::Tool;
use crate::{Installer, free_port, is_leftover};

/// The user of the database, and its name.
const NAME: &str = "kiungo";

/// The account of the system that Debian's package makes. The server refuses to run as root.
const ACCOUNT: &str = "postgres";

/// The prefix of a cluster's folder; the number of the process that started it follows.
const FOLDER: &str = "kiungo-postgres-";

/// The folder in which Debian puts each major version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The differences from the server's defaults. Commits are as durable as in production, so that
/// tests meet the same waits; there are connections for many processes. The time of each commit can
/// be asked.
const SETTINGS: &str = "-c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c max_connections=300 -c fsync=on -c track_commit_timestamp=on";

/// A running server; it stops, and its files go, when this is dropped.
pub struct Postgres {
    root: PathBuf,
    /// `initdb`, `pg_ctl` and their kin.
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    /// True if everything is done in the name of [`ACCOUNT`].
    as_account: bool,
}

impl Postgres {
    /// Installs the server if it is missing, and starts a new cluster.
    pub fn start(root: &Path) -> Result<Self> {
        let as_root = is_root(root)?;
        let programs = match programs() {
            Some(programs) => programs,
            None => install(root)?,
        };
        let services = crate::folder(root);
        let mut postgres = Self {
            root: root.to_owned(),
            programs,
            folder: services.join(format!("{FOLDER}{}", std::process::id())),
            port: free_port()?,
            as_account: as_root,
        };
        postgres.sweep(&services);
        postgres.sweep(&std::env::temp_dir());
        postgres.make_folder()?;
        eprintln!("a private PostgreSQL is started in {}", postgres.folder.display());
        let made = ["--username", NAME, "--auth", "trust", "--encoding", "UTF8", "--no-sync"];
        postgres.run(
            "initdb",
            &[&["--pgdata", &postgres.data(), "--locale", "C"], &made[..]].concat(),
        )?;
        postgres.serve()?;
        let port = postgres.port.to_string();
        let place = ["--host", "127.0.0.1", "--port", &port, "--username", NAME, NAME];
        postgres.run("createdb", &place)?;
        Ok(postgres)
    }

    /// The address of its database.
    pub fn url(&self) -> String {
        format!("postgres://{NAME}@127.0.0.1:{}/{NAME}", self.port)
    }

    /// Stops it and starts it again: connections are lost, what was committed is not.
    ///
    /// # Errors
    /// It does not stop or start.
    pub fn restart(&self) -> Result<()> {
        self.halt()?;
        self.serve()
    }

    /// Stops it until [`Postgres::serve`]: what is being done is broken off.
    ///
    /// # Errors
    /// It does not stop.
    pub fn halt(&self) -> Result<()> {
        self.halt_as("fast")
    }

    /// Has it end as in a power cut, until [`Postgres::serve`] recovers it from its log.
    ///
    /// # Errors
    /// It does not stop.
    pub fn crash(&self) -> Result<()> {
        self.halt_as("immediate")
    }

    fn halt_as(&self, mode: &str) -> Result<()> {
        let stop = ["stop", "--pgdata", &self.data(), "--mode", mode, "--silent", "--wait"];
        self.run("pg_ctl", &stop)
    }

    /// Starts what was stopped.
    pub fn serve(&self) -> Result<()> {
        let options = format!("-p {} {SETTINGS}", self.port);
        let log = self.folder.join("log").to_string_lossy().into_owned();
        let wait = ["--wait", "--silent", "--log", &log, "--options", &options];
        let started =
            self.run("pg_ctl", &[&["start", "--pgdata", &self.data()], &wait[..]].concat());
        started.with_context(|| format!("PostgreSQL did not start; its log is {log}"))
    }

    /// Makes the folder, for the account that the server runs as. Where that one does not get to the
    /// target folder, because a folder above it is private, the system's folder for temporary files
    /// serves.
    fn make_folder(&mut self) -> Result<()> {
        fs::create_dir_all(&self.folder).context(self.folder.display().to_string())?;
        if !self.as_account || self.hand_over()? {
            return Ok(());
        }
        fs::remove_dir(&self.folder)?;
        self.folder = std::env::temp_dir().join(format!("{FOLDER}{}", std::process::id()));
        fs::create_dir_all(&self.folder).context(self.folder.display().to_string())?;
        let reached = self.hand_over()?;
        ensure!(reached, "the account {ACCOUNT} cannot write to {}", self.folder.display());
        Ok(())
    }

    /// Gives the folder to the account; whether it can write there.
    fn hand_over(&self) -> Result<bool> {
        let folder = self.folder.to_string_lossy();
        Tool::other(&self.root, Path::new("chown"), &[ACCOUNT, &folder]).output()?;
        self.tool(Path::new("test"), &["-w", &folder]).works()
    }

    /// Stops and removes what earlier runs left behind that were killed.
    fn sweep(&self, folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if is_leftover(&entry.path(), FOLDER) == Some(true) {
                self.stop(&entry.path());
            }
        }
    }

    /// Stops the server of a folder, and removes the folder.
    fn stop(&self, folder: &Path) {
        let data = folder.join("data");
        let stop = ["stop", "--pgdata", &data.to_string_lossy(), "--mode", "immediate", "--silent"];
        if data.join("postmaster.pid").exists()
            && let Err(error) = self.run("pg_ctl", &stop)
        {
            eprintln!("the private PostgreSQL in {} was not stopped: {error:#}", folder.display());
        }
        if let Err(error) = fs::remove_dir_all(folder) {
            eprintln!("{} was not removed: {error}", folder.display());
        }
    }

    fn data(&self) -> String {
        self.folder.join("data").to_string_lossy().into_owned()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        // The output of pg_ctl must not be a pipe: the server it starts would keep that open.
        let tool = self.tool(&self.programs.join(program), arguments);
        let done = if program == "pg_ctl" { tool.works()? } else { tool.output().map(|_| true)? };
        ensure!(done, "{program} failed");
        Ok(())
    }

    fn tool(&self, program: &Path, arguments: &[&str]) -> Tool {
        // The account may not be allowed into the workspace, so it starts elsewhere.
        let place = Path::new("/");
        if !self.as_account {
            return Tool::other(place, program, arguments);
        }
        let program = program.to_string_lossy();
        let before = ["-u", ACCOUNT, "--", &program];
        Tool::other(place, Path::new("runuser"), &[&before[..], arguments].concat())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop(&self.folder);
    }
}

/// The programs of the newest version that is installed.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir(VERSIONS).ok()?.flatten();
    let numbered = versions.filter_map(|entry| {
        let number: u32 = entry.file_name().to_str()?.parse().ok()?;
        let programs = entry.path().join("bin");
        programs.join("pg_ctl").exists().then_some((number, programs))
    });
    numbered.max().map(|(_, programs)| programs)
}

/// Installs Debian's package, without the cluster of the system that it would start.
fn install(root: &Path) -> Result<PathBuf> {
    let installer = Installer::new(root, "postgresql")?;
    installer.apt(&["update"])?;
    installer.apt(&["install", "--no-install-recommends", "postgresql-common"])?;
    let rule = "install -d /etc/postgresql-common/createcluster.d && \
        echo create_main_cluster = false > /etc/postgresql-common/createcluster.d/kiungo-tests.conf";
    installer.privileged(&["sh", "-c", rule]).run_aside()?;
    installer.apt(&["install", "--no-install-recommends", "postgresql"])?;
    programs().context("PostgreSQL was installed, but there is no pg_ctl below /usr/lib/postgresql")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test ends at once if the server is not installed: a unit test installs nothing.
    #[test]
    fn a_private_server_answers_and_leaves_nothing_behind() {
        if programs().is_none() {
            return;
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let postgres = Postgres::start(&root).unwrap();
        let psql = postgres.programs.join("psql");
        let asked = [&postgres.url(), "--tuples-only", "--command", "SHOW fsync"];
        let answer = Tool::other(Path::new("/"), &psql, &asked).output().unwrap();
        assert_eq!(answer.trim(), "on");
        postgres.halt().unwrap();
        assert!(!Tool::other(Path::new("/"), &psql, &asked).works().unwrap());
        postgres.serve().unwrap();
        assert!(Tool::other(Path::new("/"), &psql, &asked).works().unwrap());
        let (folder, asked) = (postgres.folder.clone(), asked.map(str::to_owned));
        drop(postgres);
        assert!(!folder.exists());
        let asked: Vec<_> = asked.iter().map(String::as_str).collect();
        assert!(!Tool::other(Path::new("/"), &psql, &asked).works().unwrap());
    }
}
