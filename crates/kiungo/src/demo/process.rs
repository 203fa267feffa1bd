//! Kiungo itself, as a process of its own that can be killed.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::files::Folder;

/// The line with which `serve` says that it takes requests.
const READY: &str = "kiungo is ready on ";
/// How long it may take until then; a migration is part of it.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How long a graceful stop may take: more than `shutdown_grace` of the demo's configuration.
const STOPPED_WITHIN: Duration = Duration::from_secs(15);
/// The environment of whoever runs the demo must not change its configuration.
const ENVIRONMENT: &str = "KIUNGO__";

/// A running `kiungo serve`.
pub(super) struct Kiungo {
    program: PathBuf,
    config: PathBuf,
    log: PathBuf,
    child: Child,
}

impl Kiungo {
    /// Starts it and waits until it is ready.
    pub(super) async fn start(folder: &Folder) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let (config, log) = (folder.config(), folder.log());
        let child = launch(&program, &config, &log).await?;
        Ok(Self { program, config, log, child })
    }

    /// Kills it as a power cut would, and starts it again at once.
    pub(super) async fn kill_and_restart(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("cannot kill kiungo")?;
        self.child = launch(&self.program, &self.config, &self.log).await?;
        Ok(())
    }

    /// Asks it to stop, and waits.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        terminate(&mut self.child).await;
        let Ok(status) = timeout(STOPPED_WITHIN, self.child.wait()).await else {
            self.child.kill().await?;
            bail!("kiungo did not stop within {} s", STOPPED_WITHIN.as_secs());
        };
        let status = status?;
        if !status.success() {
            bail!("kiungo stopped with {status}; see {}", self.log.display());
        }
        Ok(())
    }
}

async fn launch(program: &Path, config: &Path, log: &Path) -> anyhow::Result<Child> {
    let mut command = Command::new(program);
    command.arg("serve").arg("--config").arg(config);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with(ENVIRONMENT) {
            command.env_remove(name);
        }
    }
    let errors = append_to(log)?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).kill_on_drop(true);
    // Ctrl-C is for the demo, which then stops Kiungo.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().context("cannot start kiungo")?;
    let stdout = child.stdout.take().context("kiungo has no output")?;
    let mut lines = BufReader::new(stdout).lines();
    let ready = timeout(READY_WITHIN, until_ready(&mut lines)).await;
    if !matches!(ready, Ok(Ok(true))) {
        let _ = child.kill().await;
        bail!("kiungo did not become ready:\n{}", tail(log));
    }
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok(child)
}

async fn until_ready(lines: &mut Lines<BufReader<ChildStdout>>) -> std::io::Result<bool> {
    while let Some(line) = lines.next_line().await? {
        if line.starts_with(READY) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn append_to(log: &Path) -> anyhow::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(log);
    file.with_context(|| format!("cannot write {}", log.display()))
}

/// The end of the log, for a message.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(20)..).unwrap_or_default().join("\n")
}

/// SIGTERM where there are signals. The standard library sends none but SIGKILL, and a shell is
/// where a compiler is.
#[cfg(unix)]
async fn terminate(child: &mut Child) {
    let Some(id) = child.id() else { return };
    let _ = Command::new("sh").arg("-c").arg(format!("kill -TERM {id}")).status().await;
}

#[cfg(not(unix))]
async fn terminate(child: &mut Child) {
    let _ = child.start_kill();
}
